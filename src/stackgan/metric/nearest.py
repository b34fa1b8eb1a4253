"""memorisation: are drawings copies of training pictures? By two tests, and a sheet of drawings beside their nearest ones."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.cluster.vq import kmeans2
from scipy.stats import mannwhitneyu

from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.metric.checks import checked
from stackgan.metric.proportion import share
from stackgan.metric.score import Array, Figure, Score, Seen, Show
from stackgan.plots.sheet import sheet

CHUNK = 1024
"""Rows compared at a time: with 10,000 pictures 40 MB, however many there are."""

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


class Memorisation(Score):
    """C_T (Meehan et al. 2020) and authenticity (Alaa et al. 2022) in a judge's features, by nearest training pictures.

    "": z of a Mann-Whitney test whether drawings lie farther from the training set than unseen real pictures do: far below 0 is
    copying, about 0 as new as real pictures, far above 0 unlike any picture. Mean over `cells` of the training set, weighted by
    their real pictures, so that chance alone moves it by less than 1: the card's chance_deviation; cells with fewer than
    `fewest` drawn or real pictures are left out. authentic: share of drawings that lie farther from their nearest training
    picture than that one from its own nearest. The real pictures must be of training's classes for z to mean memory: other
    classes lie farther away by themselves. Neither test sees copies that features do not tell from new pictures, so look at the
    sheet.
    """

    name: ClassVar[str] = "memorisation"
    needs: ClassVar[frozenset[str]] = frozenset({"features", "thumbnail"})
    references: ClassVar[tuple[str, ...]] = ("real", "train")
    higher_is_better: ClassVar[bool] = True

    def __init__(self, cells: Positive = 3, fewest: Positive = 20, rows: Positive = 12, seed: Natural = 0) -> None:
        self.cells, self.fewest, self.rows, self.seed = cells, fewest, rows, seed

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """Raises UserError without pictures, with fewer than two training pictures, or where no cell holds enough of them."""
        drawn_NF = checked(drawn, "features", self.name)
        real_MF = checked(references["real"], "features", self.name, "real pictures")
        train_TF = self._train(references)
        nearest_N, away_N = nearest(drawn_NF, train_TF)
        real_near_M, real_away_M = nearest(real_MF, train_TF)
        cell_T = cells(train_TF, self.cells, self.seed)
        z, deviation, used = copying(away_N, cell_T[nearest_N], real_away_M, cell_T[real_near_M], self.fewest)
        if not used:
            raise UserError(
                f"metric=memorisation: none of {self.cells} cells holds {self.fewest} of {len(drawn)} drawn and of "
                f"{len(real_MF)} real pictures; raise n, or lower metric.memorisation.cells or fewest"
            )
        protocol = {
            "train_pictures": len(train_TF), "real_pictures": len(real_MF), "cells": used, "fewest": self.fewest, "seed": self.seed
        }  # fmt: skip
        own_N = _own(train_TF, nearest_N)
        authentic = share(away_N > own_N, np.ones(len(drawn)), drawn.picture_N)
        return {
            "": Figure(z, len(drawn), protocol=protocol | {"chance_deviation": deviation}),
            "authentic": Figure(authentic.value, authentic.n, interval=authentic.interval, protocol=protocol),
        }

    def sheets(self, drawn: Seen, references: Mapping[str, Seen], show: Mapping[str, Show]) -> dict[str, Image.Image]:
        """Drawings that lie nearest to training, in distances of that picture to its own nearest, beside what they lie near to."""
        train_TF = self._train(references)
        nearest_N, away_N = nearest(checked(drawn, "features", self.name), train_TF)
        own_N = _own(train_TF, nearest_N)
        chosen = np.argsort(away_N / np.maximum(own_N, np.finfo(np.float64).tiny), kind="stable")[: self.rows]
        drawn_small, train_small = (checked(seen, "thumbnail", self.name) for seen in (drawn.rows(chosen), references["train"]))
        alike, _ = nearest(drawn_small.reshape(len(chosen), -1), train_small.reshape(len(train_TF), -1))
        columns = [
            ("drawn", show["drawn"](chosen)),
            ("nearest in features", show["train"](nearest_N[chosen])),
            ("nearest in pixels", show["train"](alike)),
        ]
        title = f"The {len(chosen)} of {len(drawn)} drawings that lie nearest to training pictures"
        sentences = [drawn.sentences[row] for row in chosen]
        return {self.name: sheet(columns, sentences, title, note=f"Of {len(train_TF)} training pictures.")}

    def _train(self, references: Mapping[str, Seen]) -> Array:
        train_TF = checked(references["train"], "features", self.name, "training pictures")
        if len(train_TF) < 2:
            raise UserError("metric=memorisation: one training picture has no neighbour; it takes two or more")
        return train_TF


def nearest(one_NF: Array, other_TF: Array, itself: bool = False) -> tuple[Rows, Floats]:
    """(N,) row of the nearest other, and (N,) its Euclidean distance. itself: row i of both is one picture, and not meant.

    Bounded memory: CHUNK rows at a time.
    """
    other = torch.from_numpy(np.ascontiguousarray(other_TF, dtype=np.float32))
    # Distances do not change with the origin, but float32 keeps more of them around the middle.
    middle = other.mean(0)
    other = other - middle
    square_T = (other**2).sum(1)
    rows, away = np.zeros(len(one_NF), np.int64), np.zeros(len(one_NF))
    for start in range(0, len(one_NF), CHUNK):
        chunk = one_NF[start : start + CHUNK]
        part = torch.from_numpy(np.ascontiguousarray(chunk, dtype=np.float32)) - middle
        distance = square_T - 2 * part @ other.T
        if itself:
            places = torch.arange(len(part))
            distance[places, places + start] = torch.inf
        found = distance.argmin(1).numpy()
        rows[start : start + CHUNK] = found
        away[start : start + CHUNK] = np.linalg.norm(chunk.astype(np.float64) - other_TF[found].astype(np.float64), axis=1)
    return rows, away


def _own(train_TF: Array, nearest_N: Rows) -> Floats:
    """(N,) how far each of these training pictures is from its own nearest."""
    return nearest(train_TF, train_TF, itself=True)[1][nearest_N]


def cells(train_TF: Array, count: int, seed: int) -> Rows:
    """(T,) which of count cells each training picture lies in: k-means."""
    if count == 1 or len(train_TF) <= count:
        return np.zeros(len(train_TF), np.int64)
    _, cell_T = kmeans2(train_TF.astype(np.float64), count, minit="++", seed=np.random.default_rng(seed))
    return cell_T.astype(np.int64)


def copying(away_N: Floats, cell_N: Rows, real_M: Floats, cell_M: Rows, fewest: int) -> tuple[float, float, int]:
    """C_T, its deviation where drawings lie as real pictures do, and the cells it is of.

    away_N, real_M: distances to the training set. cell_N, cell_M: in which cell its nearest lies.
    """
    z_C, weight_C = list[float](), list[int]()
    for cell in np.unique(cell_M):
        drawn, real = away_N[cell_N == cell], real_M[cell_M == cell]
        if min(len(drawn), len(real)) >= fewest:
            z_C.append(z_value(drawn, real))
            weight_C.append(len(real))
    if not z_C:
        return float("nan"), float("nan"), 0
    share_C = np.array(weight_C) / sum(weight_C)
    # Each cell's z has deviation 1 by chance, and they are independent.
    return float(share_C @ z_C), float(np.linalg.norm(share_C)), len(z_C)


def z_value(one_N: Floats, other_M: Floats) -> float:
    """How many deviations the Mann-Whitney U of one being larger than other is above what equal distributions have."""
    n, m = len(one_N), len(other_M)
    u = float(mannwhitneyu(one_N, other_M, method="asymptotic").statistic)
    return (u - n * m / 2) / float(np.sqrt(n * m * (n + m + 1) / 12))
