"""Signs of a GAN that is going wrong, said in words with the settings that usually help."""

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from PIL import Image
from torch import Tensor

from stackgan.callbacks.sheets import NEXT_NOISE
from stackgan.callbacks.watcher import Watcher
from stackgan.core.ranges import Fraction, Positive
from stackgan.core.shapes import Examples
from stackgan.core.spread import spread
from stackgan.data.records import Split
from stackgan.plots.curves import curves


class Health(Watcher):
    """A watcher that complains once when something begins to go wrong, and again only after it had been well in between."""

    def __init__(self, every_images: Positive) -> None:
        super().__init__(every_images)
        self._ill = False

    def state_dict(self) -> dict[str, Any]:
        """Whether it has complained."""
        return {"ill": self._ill}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from state_dict()."""
        self._ill = state_dict["ill"]

    def judge(self, images_seen: int, complaint: str | None) -> None:
        """Say it, and keep it for results.json, where it is new."""
        if complaint is not None and not self._ill:
            line = f"after {images_seen:,} images {complaint}"
            print(f"health: {line}", file=sys.stderr, flush=True)
            # A new list: the old one may lie in a checkpoint's state.
            self.view.results["health"] = [*self.view.results.get("health", []), line]
        self._ill = complaint is not None


class Balance(Health):
    """Records told_apart/fake and told_apart/mismatched: the share of (matching real, other) pairs of a batch that D ranks rightly.

    0.5 is guessing. At 1.0 in each of the last `patience` looks D has won, and G learns nothing from it.
    """

    requires: ClassVar[frozenset[str]] = frozenset({"players"})

    def __init__(self, every_images: Positive, patience: Positive) -> None:
        super().__init__(every_images)
        self.patience, self._won = patience, 0

    def state_dict(self) -> dict[str, Any]:
        """Also how often D has won in a row."""
        return {**super().state_dict(), "won": self._won}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from state_dict()."""
        super().load_state_dict(state_dict)
        self._won = state_dict["won"]

    def look(self, stage: Any) -> Mapping[str, float]:
        """Rank the last batch's logits; a run that only looks again has none."""
        if not stage.judged:
            return {}
        real_B = stage.judged["real"]
        others = {name: logit_B for name, logit_B in stage.judged.items() if name != "real"}
        found = {f"told_apart/{name}": round(told_apart(real_B, logit_B), 4) for name, logit_B in others.items()}
        self.view.record(stage.images_seen, found)
        self._won = self._won + 1 if found["told_apart/fake"] == 1.0 else 0
        self.judge(stage.images_seen, WON if self._won >= self.patience else None)
        return found


WON = (
    "the discriminator tells every drawn picture from every real one, so the generator learns little from it. What usually helps: "
    "a lower stage.recipe.discriminator_lr, stage.recipe.r1_weight=0.1 (with discriminator_norm=none), "
    "stage.recipe.augment_translation=0.125, or stage/recipe=modern, which has these"
)


def told_apart(real_B: Tensor, other_B: Tensor) -> float:
    """Share of pairs (one of each) in which the first has the higher logit; ties count half. In [0, 1]."""
    real_B1, other_B = real_B.float()[:, None], other_B.float()
    return float(((real_B1 > other_B).float() + 0.5 * (real_B1 == other_B).float()).mean())


class Diversity(Health):
    """Records diversity/within and diversity/across: how far pictures of one sentence, and of several with one noise, lie apart.

    Both are root mean squares over pixels in [-1, 1], of a picture's distance from the mean of its group. within is low at
    `least` of across, or of its own highest so far, and below. Both over images seen are diversity.png among the sheets.
    split: whose sentences. sentences, noises: how many of each.
    """

    requires: ClassVar[frozenset[str]] = frozenset({"pictures"})

    def __init__(self, every_images: Positive, split: Split, sentences: Positive, noises: Positive, least: Fraction) -> None:
        super().__init__(every_images)
        self.split, self.sentences, self.noises, self.least = split, sentences, noises, least
        self._highest = 0.0
        self._history: list[list[float]] = []
        self._examples: Examples | None = None

    def state_dict(self) -> dict[str, Any]:
        """Also the highest diversity so far, and all of them."""
        return {**super().state_dict(), "highest": self._highest, "history": self._history}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from state_dict()."""
        super().load_state_dict(state_dict)
        self._highest, self._history = state_dict["highest"], state_dict.get("history", [])

    def begin(self, stage: Any) -> None:
        """Fix the sentences."""
        self._examples = self.view.data.examples(self.split, self.sentences, 0)

    def look(self, stage: Any) -> Mapping[str, float]:
        """Draw every sentence with every noise."""
        assert self._examples is not None
        text_NT, key_N = self._examples.text_NT, self._examples.key_N[0].expand(len(self._examples.text_NT))
        keys = [key_N + noise * NEXT_NOISE for noise in range(self.noises)]
        # One place for all, so that between sentences nothing else changes.
        places = {name: value[:1].expand_as(value) for name, value in self._examples.extras.items()}
        drawn = [stage.sample(text_NT, key, extras=places).x_BCHW.float() for key in keys]
        x_NKCHW = torch.stack(drawn, dim=1)
        within, across = spread(x_NKCHW, 1), spread(x_NKCHW, 0)
        found = {"diversity/within": round(within, 4), "diversity/across": round(across, 4)}
        self.view.record(stage.images_seen, found)
        self._highest = max(self._highest, within)
        # A new list: the old one may lie in a checkpoint's state.
        self._history = [*self._history, [stage.images_seen, within, across]]
        self.view.save(self._curves(), "diversity")
        low = within <= self.least * max(across, self._highest)
        self.judge(stage.images_seen, SAME.format(within=within, across=across, highest=self._highest) if low else None)
        return found

    def _curves(self) -> Image.Image:
        seen, within, across = zip(*self._history, strict=True)
        lines = {"only the sentence changes": (seen, across), "only the noise changes": (seen, within)}
        return curves({"root mean square": lines}, f"how much pictures change, sentences of split {self.split}")


SAME = (
    "the pictures of one sentence hardly differ ({within:.3f} apart; at their best {highest:.3f}; other sentences' {across:.3f}): "
    "noise is being ignored. What usually helps: stage.conditioning_augmentation=true, a lower stage.recipe.discriminator_lr, a "
    "larger stage.recipe.batch_size, stage.recipe.r1_weight=0.1 (with discriminator_norm=none), "
    "stage.recipe.augment_translation=0.125"
)
