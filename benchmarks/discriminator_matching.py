"""How fast does a discriminator learn which sentence belongs to a picture? No generator: matching against mismatched pairs.

`python benchmarks/discriminator_matching.py stage.network.stage1.discriminator.projection=true,false` prints, for each value,
the share of real pictures' pairs told apart over the last 300 iterations. Any setting of `python src/train.py` may be given.
"""

import sys
from pathlib import Path

import torch
from omegaconf import DictConfig
from torch.nn.utils import parametrize

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from stackgan.devices import machine
from stackgan.launch import build, cli, schema
from stackgan.objectives import matching

ITERATIONS = 900
PRINTED = 300
BASE = ["stage/network=light", "stage/recipe=modern"]


def measure(composed: DictConfig) -> None:
    """Train the discriminator of the settings on matching and mismatched pairs; print as it learns."""
    config = schema.check(composed)
    machine.prepare(config["trainer"])
    data = build.data_module(config)
    data.prepare_data()
    data.setup()
    data.plan(0, ITERATIONS)
    stage = build.stage(config, {"text_dim": data.text_dim, "train_size": data.train_size})
    judge, recipe = stage.discriminator, stage.recipe
    betas = (recipe.beta1, recipe.beta2)
    optimizer = torch.optim.Adam(judge.parameters(), lr=recipe.discriminator_lr, betas=betas, fused=True)
    told_apart = []
    for iteration, batch in enumerate(data.train_dataloader(), start=1):
        stage.images_seen = iteration * stage.batch_size
        bf16 = machine.precision(config["trainer"]) == "bf16-mixed"
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16), parametrize.cached():
            features = judge.features(stage.augmented(batch.real_BCHW.float() / 127.5 - 1, "real"))
            right = judge.conditional(features, batch.text_BT)
            wrong = judge.conditional(features, batch.mismatched_text_BT)
        terms = matching.discriminator_terms({"pair": right}, {}, {"pair": wrong}, recipe.discriminator_loss)
        optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
        told_apart.append((right > wrong).float().mean().item())
        if iteration % PRINTED == 0:
            share = sum(told_apart[-PRINTED:]) / PRINTED
            print(f"{stage.images_seen:,} images: {share:.3f} of pairs told apart", flush=True)


if __name__ == "__main__":
    sys.argv[1:] = ["-m", "hydra.sweep.dir=.", *BASE, *sys.argv[1:]]
    cli.run(measure)
