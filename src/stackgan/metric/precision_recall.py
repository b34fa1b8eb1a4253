"""Precision and recall (Kynkaanniemi et al., 2019), density and coverage (Naeem et al., 2020): how good, and how much of it all."""

from collections.abc import Mapping

import numpy as np
import torch
from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.metric import bootstrap
from stackgan.metric.checks import checked, rows
from stackgan.metric.score import Array, Figure, Score, Seen

ROWS = 1000
"""Rows of a distance matrix that are in memory at once: 240 MB for 30,000 columns."""


class PrecisionRecall(Score):
    """Four shares of pictures inside balls around the others, each reaching to its centre's k-th neighbour of its own kind.

    precision: drawn pictures in some real ball. recall: real pictures in some drawn ball. density: real balls that a drawn picture
    lies in, over k (can exceed 1). coverage: real balls with a drawn picture inside. neighbours: k of the first two;
    neighbours_density: k of the others. All four change with n and n_real: never rank across them. Density's and coverage's
    intervals resample the drawn or the real pictures, all balls left as they are; the first two have none.
    """

    name, needs, references, higher_is_better = "precision_recall", frozenset({"features"}), ("real",), True

    def __init__(self, neighbours: Positive, neighbours_density: Positive, resamples: Natural, seed: Natural) -> None:
        self.neighbours, self.neighbours_density, self.resamples, self.seed = neighbours, neighbours_density, resamples, seed

    def enough(self, drawn: int, real: int, width: int) -> None:
        """See Score: every picture has a k-th neighbour of its own kind."""
        least = max(self.neighbours, self.neighbours_density) + 1
        for what, count in (("drawn", drawn), ("real", real)):
            if count < least:
                way = "take more pictures" if what == "drawn" else "name a split with more pictures"
                raise UserError(f"metric={self.name}: n={count} {what} pictures, but {least} or more are needed; {way}")

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """See Score. Raises UserError where a picture has no k-th neighbour."""
        real = references["real"]
        drawn_NF = checked(drawn, "features", self.name)
        real_MF = checked(real, "features", self.name, "real pictures")
        self.enough(len(drawn_NF), len(real_MF), drawn_NF.shape[1])
        precision, recall = precision_recall(drawn_NF, real_MF, self.neighbours)
        inside_N, covered_M = density_coverage(drawn_NF, real_MF, self.neighbours_density)
        first, second = ({"neighbours": k, "n_real": len(real_MF)} for k in (self.neighbours, self.neighbours_density))
        figures = {
            "precision": Figure(precision, len(drawn_NF), protocol=first),
            "recall": Figure(recall, len(drawn_NF), protocol=first),
        }
        for name, of, values in (("density", drawn, inside_N), ("coverage", real, covered_M)):
            interval = bootstrap.mean_interval(values, of.picture_N, self.resamples, self.seed)
            protocol = {**second, "resamples": self.resamples}
            figures[name] = Figure(float(values.mean()), len(drawn_NF), interval=interval, protocol=protocol)
        return figures


def precision_recall(drawn_NF: Array, real_MF: Array, k: int) -> tuple[float, float]:
    """By torch-fidelity in float64, whose first argument is what was drawn."""
    found = prc_features_to_metric(
        rows(drawn_NF), rows(real_MF), prc_neighborhood=k, prc_batch_size=ROWS, save_cpu_ram=True, verbose=False
    )
    return found[KEY_METRIC_PRECISION], found[KEY_METRIC_RECALL]


def density_coverage(drawn_NF: Array, real_MF: Array, k: int) -> tuple[bootstrap.Floats, bootstrap.Floats]:
    """(N,) real balls that each drawn picture lies in, over k, and (M,) 1 for a real ball with a drawn picture inside, else 0.

    Their means are density and coverage. A ball's edge does not belong to it, as in the authors' code; nor does the centre count
    as its own neighbour. Needs M > k. Memory: ROWS rows of the distances.
    """
    drawn, real = rows(drawn_NF), rows(real_MF)
    count_N, covered = torch.zeros(len(drawn), dtype=torch.float64), []
    for part in torch.split(real, ROWS):
        reach_B1 = torch.cdist(part, real).kthvalue(k + 1, dim=1, keepdim=True).values
        inside_BN = torch.cdist(part, drawn) < reach_B1
        count_N += inside_BN.sum(dim=0)
        covered.append(inside_BN.any(dim=1))
    return (count_N / k).numpy(), torch.cat(covered).numpy().astype(np.float64)
