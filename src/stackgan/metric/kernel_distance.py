"""The kernel distance (KID; Binkowski et al., 2018): unbiased at any n, so it fits test sets of a thousand pictures."""

from collections.abc import Mapping

from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.metric.checks import checked, rows
from stackgan.metric.score import Array, Figure, Score, Seen


class KernelDistance(Score):
    """Squared maximum mean discrepancy of features under the kernel (x y / F + 1)^3: about 0 for equal distributions, also below.

    The value itself, not the thousandfold that some tables print. subsets: how often subset_size drawn and as many real pictures
    are taken (without repetition in one subset); the value is their mean, which subset_size does not move, the spread their
    population deviation, which it does. seed: of the subsets.
    """

    name, needs, references, higher_is_better = "kernel_distance", frozenset({"features"}), ("real",), False

    def __init__(self, subsets: Positive, subset_size: Positive, seed: Natural) -> None:
        self.subsets, self.subset_size, self.seed = subsets, subset_size, seed

    def enough(self, drawn: int, real: int, width: int) -> None:
        """See Score: both sides fill a subset."""
        fewest = min(drawn, real)
        if self.subset_size < 2:
            raise UserError(f"metric.{self.name}.subset_size={self.subset_size}: a distance needs 2 or more; leave it at 500")
        if fewest < self.subset_size:
            there = f"more than the {drawn} drawn or the {real} real pictures"
            way = (
                f"set metric.{self.name}.subset_size={fewest}" if fewest >= 2 else "take a larger n and a split with more pictures"
            )
            raise UserError(f"metric.{self.name}.subset_size={self.subset_size}: {there}; {way}")

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """See Score. Raises UserError where there are fewer pictures than a subset has."""
        drawn_NF = checked(drawn, "features", self.name)
        real_MF = checked(references["real"], "features", self.name, "real pictures")
        self.enough(len(drawn_NF), len(real_MF), drawn_NF.shape[1])
        value, spread = kernel_distance(drawn_NF, real_MF, self.subsets, self.subset_size, self.seed)
        subsets = {"subsets": self.subsets, "subset_size": self.subset_size, "seed": self.seed}
        protocol = {**subsets, "n_real": len(real_MF), "kernel": "(x y / F + 1)^3", "scale": 1}
        return {"": Figure(value, len(drawn_NF), spread, protocol=protocol)}


def kernel_distance(one_NF: Array, other_MF: Array, subsets: int, subset_size: int, seed: int) -> tuple[float, float]:
    """Mean and population deviation over subsets, by torch-fidelity in float64."""
    found = kid_features_to_metric(
        rows(one_NF), rows(other_MF), kid_subsets=subsets, kid_subset_size=subset_size, rng_seed=seed, verbose=False
    )
    return found[KEY_METRIC_KID_MEAN], found[KEY_METRIC_KID_STD]
