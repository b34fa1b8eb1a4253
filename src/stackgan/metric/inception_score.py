"""The Inception Score (Salimans et al., 2016) by StackGAN's protocol, of any judge's logits: so the judge's name goes with it."""

from collections.abc import Mapping

import numpy as np
import torch
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric

from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.metric import bootstrap
from stackgan.metric.checks import checked, rows
from stackgan.metric.score import Array, Figure, Score, Seen


class InceptionScore(Score):
    """exp of the information that a picture gives about its class: 1 (all alike) to the number of classes, the bound.

    splits: parts whose scores are averaged, cut at i * N // splits; the spread is the population deviation over them, as in the
    paper's tables, and no interval. shuffle_seed: of the order before the cut, as torch-fidelity's. resamples: for the interval,
    0 for none. Biased low for few pictures a part: compare only scores of one n and one number of splits.
    """

    name, needs, higher_is_better = "inception_score", frozenset({"logits"}), True

    def __init__(self, splits: Positive, shuffle_seed: Natural, resamples: Natural) -> None:
        self.splits, self.shuffle_seed, self.resamples = splits, shuffle_seed, resamples

    def enough(self, drawn: int, real: int, width: int) -> None:
        """See Score: no split may stay empty."""
        if drawn < self.splits:
            way = f"draw more pictures (n={self.splits} at least) or set metric.{self.name}.splits=1"
            raise UserError(
                f"metric.{self.name}.splits={self.splits}: only {drawn} pictures, so that splits would stay empty; {way}"
            )

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """See Score. Raises UserError where a split would stay empty."""
        logits_NC = checked(drawn, "logits", self.name)
        n, classes = logits_NC.shape
        self.enough(n, 0, 0)
        value, spread = inception_score(logits_NC, self.splits, self.shuffle_seed)
        protocol = {"splits": self.splits, "shuffle_seed": self.shuffle_seed, "bound": classes, "resamples": self.resamples}
        return {"": Figure(value, n, spread, self._interval(value, drawn), protocol)}

    def _interval(self, value: float, drawn: Seen) -> tuple[float, float] | None:
        """95 % for other pictures from the same generator at this n; the bias that n itself causes is not in it.

        Resamples repeat pictures, so the score of all of them as one part is lower still: its percentiles are moved by as much
        as brings their mean to the value.
        """
        if self.resamples == 0 or len(np.unique(drawn.picture_N)) < 2:
            return None
        found_R = resampled_scores(drawn.arrays["logits"], drawn.picture_N, self.resamples, self.shuffle_seed)
        low, high = bootstrap.percentiles(found_R - found_R.mean() + value)
        return low, high


def inception_score(logits_NC: Array, splits: int, shuffle_seed: int) -> tuple[float, float]:
    """Mean and population deviation over splits, by torch-fidelity in float64."""
    found = isc_features_to_metric(rows(logits_NC), splits, shuffle=True, rng_seed=shuffle_seed)
    return found[KEY_METRIC_ISC_MEAN], found[KEY_METRIC_ISC_STD]


def resampled_scores(logits_NC: Array, cluster_N: Array, resamples: int, seed: int) -> bootstrap.Floats:
    """(R,) scores, all pictures in one part, of pictures drawn again cluster by cluster."""
    log_NC = torch.log_softmax(rows(logits_NC), dim=1).numpy()
    p_NC = np.exp(log_NC)
    means_RK = bootstrap.resampled_means(np.column_stack([p_NC, (p_NC * log_NC).sum(axis=1)]), cluster_N, resamples, seed)
    marginal_RC = means_RK[:, :-1]
    # A class that no picture has adds nothing: 0 log 0 = 0.
    entropy_R = -(marginal_RC * np.log(np.where(marginal_RC > 0, marginal_RC, 1))).sum(axis=1)
    scores_R: bootstrap.Floats = np.exp(means_RK[:, -1] + entropy_R)
    return scores_R
