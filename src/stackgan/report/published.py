"""Published figures, as conf/paper/*.yaml has them: each with its paper, table, judge and protocol."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic
from omegaconf import OmegaConf

Cell = tuple[float, float | None]
"""A figure, and what the paper prints behind its plus-minus."""


class Part(pydantic.BaseModel):
    """Names that are not listed are refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Measure(Part):
    """A column of a published table. score: the first part of our keys of the same score. spread: what its plus-minus means."""

    data: str
    score: str
    judge: str
    protocol: str
    spread: str
    higher_is_better: bool


class Row(Part):
    """A system or ablation. settings: dotted names to the values (a list: any of them) that our run of it has; {}: we have none."""

    name: str
    settings: Mapping[str, Any]
    values: Mapping[str, Cell]


class Claim(Part):
    """What a table says: row `better` is better than row `worse`.

    varies: where the two may differ beside their rows' settings (a name stands for all below it); all else must be equal.
    """

    says: str
    better: str
    worse: str
    varies: Sequence[str] = ()


class Paper(Part):
    """One table of one paper."""

    name: str
    paper: str
    table: str
    source: str
    measures: Mapping[str, Measure]
    rows: Mapping[str, Row]
    claims: Sequence[Claim]

    @pydantic.model_validator(mode="after")
    def _refers_to_what_is_there(self) -> "Paper":
        for row in self.rows.values():
            if unknown := row.values.keys() - self.measures.keys():
                raise ValueError(f"row {row.name}: no measure {unknown}")
        for claim in self.claims:
            if unknown := {claim.better, claim.worse} - self.rows.keys():
                raise ValueError(f"claim {claim.says}: no row {unknown}")
        return self


def read(folder: Path) -> list[Paper]:
    """All tables in a folder, by file name."""
    return [
        Paper.model_validate({"name": path.stem, **OmegaConf.to_container(OmegaConf.load(path))})  # type: ignore[dict-item]
        for path in sorted(folder.glob("*.yaml"))
    ]
