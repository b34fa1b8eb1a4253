"""agreement: how far drawn toybirds show what their sentences say, by a program that reads pictures back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stackgan import toybirds
from stackgan.core.errors import UserError
from stackgan.metric.checks import checked
from stackgan.metric.proportion import share
from stackgan.metric.score import Figure, Score, Seen
from stackgan.metric.toybirds_reader import ATTRIBUTES, TOO_COARSE, UNREADABLE, Codes, said

ERRORS = frozenset({"binding_errors", "unreadable"})
"""Figures of which less is better."""

PICTURES = {"caption_exact": "pictures", "binding_errors": "pictures"}
"""What n counts, where it is not mentions."""

PARTS = ("body", "wing", "crown", "belly", "beak")
Flags = NDArray[np.bool_]


class Agreement(Score):
    """Share of what sentences mention that the drawing shows; what cannot be read is not shown.

    "": over all mentions of attributes that pictures of this size show. colours: of body, wing, belly and background alone, as
    logged while training. caption_exact: pictures that show everything said. binding_errors: pictures in which two parts have
    each other's colours, of those whose sentence gives two parts different ones. unreadable: mentions that could not be read.
    And each attribute by its name. Only attributes that sentences mention have a figure.
    """

    name: ClassVar[str] = "agreement"
    needs: ClassVar[frozenset[str]] = frozenset({"reading"})
    conditional: ClassVar[bool] = True
    higher_is_better: ClassVar[bool] = True

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """Raises UserError where no sentence mentions anything that can be read."""
        reading_NA, said_NA, cluster_N = checked(drawn, "reading", self.name), said(drawn.sentences), drawn.picture_N
        asked_NA = (said_NA >= 0) & (reading_NA != TOO_COARSE)
        if not asked_NA.any():
            raise UserError(
                f"metric=agreement: none of {len(drawn)} sentences says anything about a toybird; score a model of data=toybirds"
            )
        right_NA = asked_NA & (said_NA == reading_NA)
        lost_NA = asked_NA & (reading_NA == UNREADABLE)
        colours = _columns(toybirds.COLOUR_ATTRIBUTES)
        told_N = asked_NA.any(1)
        wrong_N, bound_N = swapped(said_NA, reading_NA)
        parts: dict[str, tuple[NDArray[np.generic], NDArray[np.generic]]] = {
            "": (right_NA.sum(1), asked_NA.sum(1)),
            "colours": (right_NA[:, colours].sum(1), asked_NA[:, colours].sum(1)),
            "caption_exact": (told_N & (right_NA == asked_NA).all(1), told_N),
            "binding_errors": (wrong_N, bound_N),
            "unreadable": (lost_NA.sum(1), asked_NA.sum(1)),
            **{name: (right_NA[:, column], asked_NA[:, column]) for column, name in enumerate(ATTRIBUTES)},
        }
        found = {name: share(hits_N, of_N, cluster_N) for name, (hits_N, of_N) in parts.items() if of_N.any()}
        return {
            name: replace(figure, reversed=name in ERRORS, protocol={"n_counts": PICTURES.get(name, "mentions")})
            for name, figure in found.items()
        }


def _columns(names: Sequence[str]) -> list[int]:
    return [ATTRIBUTES.index(name) for name in names]


def _colours(codes_NA: Codes, part: str) -> Codes:
    """(N,) place in one list of colours for all parts; -1 where there is none."""
    every = (*toybirds.ATTRIBUTES["body"], "black")
    table = np.array([*(every.index(name) for name in toybirds.ATTRIBUTES[part]), -1], dtype=np.int8)
    codes_N = codes_NA[:, ATTRIBUTES.index(part)]
    colours_N: Codes = np.where(codes_N < 0, -1, table[codes_N]).astype(np.int8)
    return colours_N


def swapped(said_NA: Codes, reading_NA: Codes) -> tuple[Flags, Flags]:
    """(N,) do two parts have each other's colours; and (N,) does the sentence give two parts different colours at all."""
    wrong_N, bound_N = (np.zeros(len(said_NA), dtype=bool) for _ in range(2))
    for one, other in combinations(PARTS, 2):
        a_N, b_N = _colours(said_NA, one), _colours(said_NA, other)
        differ_N = (a_N >= 0) & (b_N >= 0) & (a_N != b_N)
        bound_N |= differ_N
        wrong_N |= differ_N & (_colours(reading_NA, one) == b_N) & (_colours(reading_NA, other) == a_N)
    return wrong_N, bound_N
