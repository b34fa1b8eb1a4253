"""bf16 autocast: every weight that an optimiser holds still gets a gradient."""

import pytest
import torch
from tiny_stages import batches_for, fit, state, tiny


@pytest.mark.parametrize("recipe", ["paper", "pytorch", "modern"])
@pytest.mark.parametrize("kind", ["stage1", "stage2"])
def test_autocast_loses_no_gradient(recipe: str, kind: str) -> None:
    stage = tiny(f"stage/recipe={recipe}", stage=kind)
    before = state(stage)
    # One step leaves the bias of hinge logits where it is: its two sides pull alike.
    fit(stage, batches_for(stage, 6), precision="bf16-mixed")
    after = stage.state_dict()
    weights = {name for name, weight in stage.named_parameters() if weight.requires_grad}
    still = {name for name in weights if torch.equal(before[name], after[name])}
    assert {name for name in weights if name.startswith(("generator", "discriminator"))} == weights
    assert still == set()
