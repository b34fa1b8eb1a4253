"""Scores of one system with their floors: the same computation on what is drawn and on what is known to be good or bad."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.metric.card import Card
from stackgan.metric.checks import refuse_one_picture
from stackgan.metric.score import Figure, Score, Seen, Show
from stackgan.metric.source import Source

Look = Callable[[str, Source], Seen]
"""look(what, source): everything the observers see of a source; what names it for people."""

SENTENCE = "sentence_"
"""How arrays begin that depend on the sentence alone, and go with it when captions are shuffled."""


@dataclass(frozen=True)
class Subject:
    """What is scored, and what it is scored beside.

    drawn: of the system. real: of the split whose sentences it drew. train: of training, None where no score compares with it.
    untrained, copy: floors, None where there are none. floors: whether any are wanted.
    """

    drawn: Source
    real: Source
    train: Source | None
    untrained: Source | None
    copy: Source | None
    floors: bool = True


def cards(
    scores: Sequence[Score], subject: Subject, look: Look, key: Callable[[Score, str], str], seed: int
) -> tuple[list[Card], dict[str, str]]:
    """Every figure of every score as a card without context. key(score, figure): a figure's whole key.

    Where the drawn pictures have no such score, refused says why and the others are kept; UserError where none has a value. Where
    a floor has none, the card says why.
    """
    drawn = look("drawn", subject.drawn)
    refuse_one_picture(drawn)
    references = _references(scores, subject, look)
    tried = [(score, _tried(score, drawn, references)) for score in scores]
    refused = {score.name: why for score, why in tried if isinstance(why, str)}
    found = [(score, figures) for score, figures in tried if not isinstance(figures, str)]
    if not found:
        raise UserError(next(iter(refused.values()), "metric=[]: no score is asked for; conf/metric has all"))
    beside = _floors([score for score, _ in found], subject, references, look, seed)
    made = [
        Card(
            key(score, name),
            figure,
            score.higher_is_better != figure.reversed,
            {floor: _one(one, name) for floor, one in beside[score.name].items()},
        )
        for score, figures in found
        for name, figure in figures.items()
    ]
    return made, refused


def sheets(scores: Sequence[Score], subject: Subject, look: Look) -> dict[str, Image.Image]:
    """The scores' pictures to look at, by name."""
    drawn, references = look("drawn", subject.drawn), _references(scores, subject, look)
    show: dict[str, Show] = {"drawn": subject.drawn.show, "real": subject.real.show}
    if subject.train is not None:
        show["train"] = subject.train.show
    found: dict[str, Image.Image] = {}
    for score in scores:
        found |= score.sheets(drawn, references, show)
    return found


def _references(scores: Sequence[Score], subject: Subject, look: Look) -> dict[str, Seen]:
    references = {}
    if subject.floors or any("real" in score.references for score in scores):
        references["real"] = look("real", subject.real)
    if any("train" in score.references for score in scores):
        assert subject.train is not None
        references["train"] = look("train", subject.train)
    return references


Floor = dict[str, Figure] | str
"""All figures of a score, or why it has none."""


def _floors(
    scores: Sequence[Score], subject: Subject, references: Mapping[str, Seen], look: Look, seed: int
) -> dict[str, dict[str, Floor]]:
    """For each score its floors."""
    if not subject.floors:
        return {score.name: {} for score in scores}
    real = references["real"]
    others = {
        name: look(name, source)
        for name, source in (("untrained", subject.untrained), ("training copy", subject.copy))
        if source is not None
    }
    half = len(real) // 2
    found: dict[str, dict[str, Floor]] = {}
    for score in scores:
        as_drawn: dict[str, tuple[Seen, Mapping[str, Seen]]] = {name: (seen, references) for name, seen in others.items()}
        if "real" in score.references:
            parts = real.rows(np.arange(half)), real.rows(np.arange(half, len(real)))
            as_drawn["real"] = parts[0], {**references, "real": parts[1]}
        else:
            as_drawn["real"] = real, references
        if score.conditional:
            as_drawn["shuffled captions"] = shuffled(real, seed), as_drawn["real"][1]
        found[score.name] = {name: _tried(score, *given) for name, given in as_drawn.items()}
    return found


def _tried(score: Score, drawn: Seen, references: Mapping[str, Seen]) -> Floor:
    try:
        return score.compute(drawn, references)
    except UserError as error:
        return str(error)


def _one(floor: Floor, name: str) -> Figure | str:
    return floor if isinstance(floor, str) else floor.get(name, "not among its figures")


def shuffled(seen: Seen, seed: int) -> Seen:
    """The same pictures, each with the sentence of the next one along a random cycle: no picture keeps its own."""
    order = torch.randperm(len(seen), generator=chance.generator(seed, "shuffled captions")).numpy()
    of: NDArray[np.int64] = np.empty(len(seen), np.int64)
    of[order] = np.roll(order, -1)
    arrays = {name: array[of] if name.startswith(SENTENCE) else array for name, array in seen.arrays.items()}
    return Seen(arrays, tuple(seen.sentences[row] for row in of), seen.picture_N[of])
