"""Pictures a second and memory of judging, and of drawing and judging: features are kept, pictures are not.

`python benchmarks/judging.py 500 2000` draws that many pictures of 64 px with a light Stage-I (first weights: speed does not depend
on them), lets each judge look, every count in a process of its own, and prints pictures a second and by how many MiB the process's
peak exceeded what it held before.
"""

import multiprocessing
import sys
import time

import numpy as np
import torch
from numpy.typing import NDArray
from scores import forget, peak
from torch import nn

from stackgan.core.pixels import to_bytes_NHWC
from stackgan.metric.observing import observe
from stackgan.metric.score import Pixels
from stackgan.metric.source import Source
from stackgan.metric.trained_judge import TrainedJudge
from stackgan.networks.pretrained_classifiers import EfficientNetLite0Classifier
from stackgan.networks.pytorch import StageOneGenerator
from stackgan.networks.small_classifier import SmallClassifier

TEXT = 256
JUDGES = {
    "small, 64 px": (lambda: SmallClassifier(classes=40, width=32), 64),
    "efficientnet_lite0, 160 px": (lambda: EfficientNetLite0Classifier(classes=102), 160),
}


def source(n: int, drawn: bool) -> Source:
    """n pictures: drawn as they are looked at, or random bytes made beforehand for one chunk."""
    generator = StageOneGenerator(text_dim=TEXT, resolution=64, width=32).eval()
    same: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (64, 64, 64, 3), np.uint8)

    @torch.no_grad()
    def show(rows: NDArray[np.int64]) -> Pixels:
        if not drawn:
            return same[: len(rows)]
        count = len(rows)
        made = generator(torch.randn(count, TEXT), torch.randn(count, 100), torch.randn(count, 128))
        return to_bytes_NHWC(made.x_BCHW)

    return Source("benchmark", ("a bird.",) * n, np.arange(n), show)


def measure(name: str, n: int, drawn: bool) -> None:
    """One judge on n pictures."""
    make, size = JUDGES[name]
    network: nn.Module = make()
    judge = TrainedJudge(run="none", any_data=True, precision="float32", name=name, network=network, size=size, told={})
    pictures = source(n, drawn)
    observe(source(64, drawn), [judge])
    forget()
    before, begun = peak(), time.perf_counter()
    observe(pictures, [judge])
    took = time.perf_counter() - begun
    what = "drawn and judged" if drawn else "judged"
    print(f"{name:27} {what:17} {n:6} pictures {n / took:7.0f}/s {peak() - before:6.0f} MiB above {before:.0f}", flush=True)


if __name__ == "__main__":
    for count in [int(word) for word in sys.argv[1:]] or [500, 2000]:
        for each in JUDGES:
            for drawing in (False, True):
                process = multiprocessing.get_context("spawn").Process(target=measure, args=(each, count, drawing))
                process.start()
                process.join()
