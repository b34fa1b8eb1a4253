"""What a judge is worth: how often it names the class of pictures that it was not trained on."""

from typing import Any, ClassVar

from stackgan.callbacks.watcher import OverExamples
from stackgan.metric.looking import quantised, resized


class Accuracy(OverExamples):
    """Logs accuracy/<split>, in [0, 1], how many pictures that is of, and what guessing would reach.

    Where the judge learns from coarse pictures too, also accuracy/<split>/at_64_px, of the same pictures brought down to that side.
    """

    requires: ClassVar[frozenset[str]] = frozenset({"classes", "classifier"})

    def look(self, stage: Any) -> dict[str, float]:
        """Count right answers."""
        values: dict[str, float] = {}
        for split, examples in self._examples.items():
            said_N, logits_NC = stage.classify(examples.real_NHWC)
            values[f"accuracy/{split}"] = round(float((said_N == examples.class_N).float().mean()), 5)
            values[f"accuracy/{split}/pictures"] = len(said_N)
            values[f"accuracy/{split}/guessing"] = round(1 / logits_NC.shape[1], 5)
            if coarse := stage.coarse_resolution:
                said_N, _ = stage.classify(quantised(resized(examples.real_NHWC, coarse)))
                values[f"accuracy/{split}/at_{coarse}_px"] = round(float((said_N == examples.class_N).float().mean()), 5)
        self.view.record(stage.images_seen, values)
        return values
