"""Who has to look at the pictures for the scores that are wanted: a judge, toybirds' reader, a joint scorer, thumbnails."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from stackgan.core.errors import UserError
from stackgan.launch import judges, scorers
from stackgan.launch.scored import System
from stackgan.metric.joint_scorer import JointScorer
from stackgan.metric.judge import Judge
from stackgan.metric.score import Observer, Score
from stackgan.metric.thumbnails import Thumbnails
from stackgan.metric.toybirds_reader import ToybirdsReader

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Watching:
    """The observers of an evaluation. judge, scorer: those of them that a card must tell of."""

    all: Sequence[Observer]
    judge: Judge | None
    scorer: JointScorer | None

    def key(self, score: Score, figure: str) -> str:
        """`<score>[/<figure>]/<who looked>`; a Frechet distance is called as its judge has it."""
        first = next(observer for observer in self.all if observer.gives & score.needs)
        name = self.judge.frechet_name if self.judge is not None and score.name == "frechet" else score.name
        return "/".join(word for word in (name, figure, first.name) if word)

    def cards(self) -> dict[str, Any]:
        """What cards say of who looked."""
        told = {"judge": self.judge, "scorer": self.scorer}
        return {name: one.card() for name, one in told.items() if one is not None}


def foresee(scores: Sequence[Score], config: Config, data_name: str) -> None:
    """Raise UserError now, before the data is touched, where a judge is wanted and none is there."""
    if any(judges.GIVES & score.needs for score in scores) and "run" in config["judge"]:
        judges.found(config["judge"], data_name, [Path(config["paths"]["logs"])])


def needed(scores: Sequence[Score], config: Config, system: System, known: Set[str], device: torch.device) -> Watching:
    """The observers that these scores ask for, checked. known: arrays that need none. Raises UserError where one cannot be had."""
    wants = frozenset[str]().union(*(score.needs for score in scores)) - known
    makers: list[tuple[frozenset[str], Callable[[], Observer]]] = [
        (judges.GIVES, lambda: judges.judge(config["judge"], system.data.name, [Path(config["paths"]["logs"])]).to(device)),
        (ToybirdsReader.gives, lambda: _reader(scores, system)),
        (JointScorer.gives, lambda: scorers.scorer(config, system.data.name, system.text)),
        (Thumbnails.gives, Thumbnails),
    ]
    found = [make() for gives, make in makers if gives & wants]
    for observer in found:
        observer.check()
    if left := sorted(wants - frozenset[str]().union(*(observer.gives for observer in found))):
        who = _who(scores, left[0])
        raise UserError(f"metric={who}: data={system.data.name} does not say where things are ({left[0]}); leave it out")
    judge = next((one for one in found if one.gives == judges.GIVES), None)
    scorer = next((one for one in found if isinstance(one, JointScorer)), None)
    return Watching(found, judge, scorer)  # type: ignore[arg-type]


def _reader(scores: Sequence[Score], system: System) -> ToybirdsReader:
    if "toybirds" not in system.data.provides:
        named = _who(scores, *ToybirdsReader.gives)
        raise UserError(f"metric={named}: a program reads toybirds only, and data={system.data.name} are photographs; leave it out")
    return ToybirdsReader()


def _who(scores: Sequence[Score], *arrays: str) -> str:
    return next(score.name for score in scores if score.needs & set(arrays))
