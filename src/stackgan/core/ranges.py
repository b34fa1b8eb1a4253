"""Ranges and choices that constructor signatures declare; the schema check of floor 5 reads them."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval

Positive = Annotated[int, Gt(0)]
Natural = Annotated[int, Ge(0)]
PositiveFloat = Annotated[float, Gt(0)]
NonNegativeFloat = Annotated[float, Ge(0)]
Fraction = Annotated[float, Interval(ge=0, le=1)]
Decay = Annotated[float, Interval(ge=0, lt=1)]

BestIs = Literal["highest", "lowest"]
"""Which end of a score is the good one."""
