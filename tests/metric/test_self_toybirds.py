"""Scores of spoilt toybirds: each score moves the way it is said to, and stays where nothing it looks at changed."""

import numpy as np
import pytest
from birds import birds, changed, see
from PIL import Image, ImageFilter

from stackgan.metric.agreement import Agreement
from stackgan.metric.coverage import Coverage
from stackgan.metric.nearest import Memorisation
from stackgan.metric.score import Seen
from stackgan.metric.thumbnails import Thumbnails
from stackgan.metric.toybirds_reader import ToybirdsReader
from stackgan.metric.worst import WorstAgreement, WorstDistance

pytestmark = pytest.mark.slow

COUNT = 240
REAL, TRAIN = 1_000_000, 0


class Plain:
    """A judge that anyone can follow: its features are the picture at 16 x 16."""

    name, gives, fingerprint = "plain", frozenset({"features"}), "plain"

    def check(self):
        """Nothing to check."""

    def observe(self, pictures, sentences):
        """features (N, 768)."""
        thumbnails = Thumbnails().observe(pictures, sentences)["thumbnail"]
        return {"features": thumbnails.reshape(len(pictures), -1).astype(np.float32)}


OBSERVERS = (ToybirdsReader(zoom=1.0), Thumbnails(), Plain())


def turned(picture):
    hue, *others = Image.fromarray(picture).convert("HSV").split()
    return np.asarray(Image.merge("HSV", [hue.point(lambda value: (value + 64) % 256), *others]).convert("RGB"))


def blurred(picture):
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(4)))


@pytest.fixture(scope="module")
def references():
    return {"real": see(OBSERVERS, *birds(COUNT, start=REAL)), "train": see(OBSERVERS, *birds(2 * COUNT, start=TRAIN))}


@pytest.fixture(scope="module")
def clean():
    """Real pictures that are in neither reference: what a perfect generator draws."""
    return birds(COUNT, start=REAL + COUNT)


def spoilt(pictures, sentences, rows):
    """name -> (pictures, sentences, rows) of every way to spoil them."""
    noise = np.random.default_rng(0).normal(0, 60, pictures.shape)
    return {
        "blur": (changed(pictures, blurred), sentences, rows),
        "noise": (np.clip(pictures + noise, 0, 255).astype(np.uint8), sentences, rows),
        "hue shift": (changed(pictures, turned), sentences, rows),
        "shuffled captions": (pictures, sentences[1:] + sentences[:1], rows),
        "one picture": (np.repeat(pictures[:1], COUNT, axis=0), sentences, rows),
        "copy of training": birds(COUNT, start=TRAIN),
    }


def scored(seen: Seen, references) -> dict[str, float]:
    scores = (Agreement(), Coverage(), Memorisation(), WorstAgreement(), WorstDistance())
    found = {(score.name, name): figure.value for score in scores for name, figure in score.compute(seen, references).items()}
    return {"/".join(filter(None, key)): value for key, value in found.items()}


@pytest.fixture(scope="module")
def table(clean, references):
    """name -> figure -> value; "clean" and all that spoils."""
    sets = {"clean": clean, **spoilt(*clean)}
    return {name: scored(see(OBSERVERS, *each), references) for name, each in sets.items()}


UP, DOWN, SAME = "up", "down", "same"
MARGIN = {
    "agreement": 0.5,
    "agreement/caption_exact": 0.5,
    "agreement/binding_errors": 0.02,
    "agreement/unreadable": 0.1,
    "coverage": 0.15,
    "memorisation": 4.0,
    "memorisation/authentic": 0.2,
    "worst_agreement": 0.5,
    "worst_distance": 15.0,
}
"""What counts as a move, and what stays the same moves less than."""
DECLARED = {
    "blur": (DOWN, DOWN, SAME, UP, UP, SAME, SAME, DOWN, UP),
    "noise": (DOWN, DOWN, SAME, UP, UP, UP, UP, DOWN, DOWN),
    "hue shift": (DOWN, DOWN, SAME, UP, UP, UP, UP, DOWN, DOWN),
    "shuffled captions": (DOWN, DOWN, UP, SAME, SAME, SAME, SAME, DOWN, SAME),
    # How near that one picture happens to lie says nothing of memory, and nothing of its distance.
    "one picture": (DOWN, DOWN, SAME, SAME, UP, None, None, DOWN, None),
    "copy of training": (SAME, SAME, SAME, SAME, SAME, DOWN, DOWN, SAME, SAME),
}
"""In MARGIN's order. Blur hardly moves a 16 x 16 mean, so this judge cannot tell; smooth pictures lie nearer to all."""


@pytest.mark.parametrize("spoiled", DECLARED)
def test_each_score_moves_the_declared_way(table, spoiled):
    found = {}
    for name, margin in MARGIN.items():
        moved = table[spoiled][name] - table["clean"][name]
        found[name] = UP if moved > margin else DOWN if moved < -margin else SAME
    declared = dict(zip(MARGIN, DECLARED[spoiled], strict=True))
    assert {name: way for name, way in found.items() if declared[name]} == {name: way for name, way in declared.items() if way}


def test_perfect_drawings_score_what_real_pictures_do(table):
    clean = table["clean"]
    assert clean["agreement"] > 0.98
    assert clean["agreement/binding_errors"] == clean["agreement/unreadable"] == 0.0
    assert abs(clean["memorisation"]) < 3
    assert 0.35 < clean["memorisation/authentic"] < 0.65


def test_coverage_of_perfect_drawings_is_what_chance_makes_of_it(clean, references):
    whole = Coverage().compute(see(OBSERVERS, *clean), references)[""]
    assert 0.6 < whole.value / whole.protocol["equal"] < 1.5
