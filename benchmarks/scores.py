"""Time and memory of every score on cached features of a whole evaluation.

`python benchmarks/scores.py 30000 8189 [score ...]` makes features of EfficientNet-Lite0's width, 102 logits and embeddings of
width 1,024 for 30,000 drawn and 8,189 real pictures, computes each score of conf/metric/ that reads them, in a process of its
own, and prints seconds and by how many MiB the process's peak exceeded what it held before.
"""

import multiprocessing
import sys
import time
from pathlib import Path

import numpy as np
import yaml

from stackgan.launch.objects import build
from stackgan.launch.places import CONF
from stackgan.metric.score import Score, Seen

FEATURES, CLASSES, EMBEDDING, CAPTIONS = 1280, 102, 1024, 10


def seen(count: int, seed: int) -> Seen:
    """Correlated features, as networks give them; every sentence is drawn twice, ten captions a picture."""
    rng = np.random.default_rng(seed)
    few, up = rng.normal(size=(count, 64)).astype(np.float32), np.random.default_rng(9).normal(size=(64, FEATURES))
    features = few @ up.astype(np.float32) / 8 + rng.standard_normal((count, FEATURES), np.float32) / 2
    logits = 4 * rng.standard_normal((count, CLASSES), np.float32)
    sentence = rng.standard_normal((count, EMBEDDING), np.float32)
    picture = sentence + 3 * rng.standard_normal((count, EMBEDDING), np.float32)
    unit = [array / np.linalg.norm(array, axis=1, keepdims=True) for array in (sentence, picture)]
    arrays = {"features": features, "logits": logits, "sentence_embedding": unit[0], "picture_embedding": unit[1]}
    words = tuple(f"sentence {row // 2}" for row in range(count))
    return Seen(arrays, words, np.arange(count) // (2 * CAPTIONS))


def peak() -> float:
    """MiB that this process held at most since forget()."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def forget() -> None:
    """Let the peak begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def measure(name: str, drawn: int, real: int) -> None:
    """One score, with the settings of its file."""
    node = yaml.safe_load((CONF / "metric" / f"{name}.yaml").read_text())[name]
    score: Score = build(node, f"metric.{name}")
    if not score.needs <= {"features", "logits", "sentence_embedding", "picture_embedding"}:
        return
    pictures, references = seen(drawn, 0), {which: seen(real, 1) for which in score.references}
    forget()
    before, begun = peak(), time.perf_counter()
    figures = score.compute(pictures, references)
    shown = ", ".join(f"{figure or 'value'} {one.value:.4f}" for figure, one in figures.items())
    print(f"{name:18} {time.perf_counter() - begun:7.1f} s {peak() - before:7.0f} MiB above {before:.0f}   {shown}", flush=True)


if __name__ == "__main__":
    counts, names = [int(word) for word in sys.argv[1:3]], sys.argv[3:]
    for each in names or sorted(path.stem for path in (CONF / "metric").glob("[!_]*.yaml")):
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(each, *counts))
        process.start()
        process.join()
