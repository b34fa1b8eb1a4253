"""The decoder reads real renders without error, says "unreadable" where it should, and agreement counts what it claims
to count.
"""

import math
import time

import numpy as np
import pytest
from PIL import Image, ImageFilter

from stackgan.toybirds import (
    ATTRIBUTES,
    COLOUR_ATTRIBUTES,
    DECODABLE,
    agreement,
    captions,
    decode,
    draw_scene,
    parse,
    readable,
    render,
)

SEED = 11
COLOURS = (*COLOUR_ATTRIBUTES, "crown")


@pytest.fixture(scope="module")
def drawn():
    """300 scenes of all three sets with their 256 px pictures."""
    scenes = [draw_scene(SEED, start + place) for start in (0, 1_000_000, 2_000_000) for place in range(100)]
    return [(scene.attributes(), render(scene).image) for scene in scenes]


def shrunk(image, size, filter=Image.Resampling.BOX):
    return np.asarray(Image.fromarray(image).resize((size, size), filter))


def errors(truths, images, names, **options):
    """attribute -> share wrong or unreadable."""
    read = [decode(image, **options) for image in images]
    return {name: np.mean([found[name] != truth[name] for truth, found in zip(truths, read, strict=True)]) for name in names}


def test_full_pictures_are_read_without_any_error(drawn):
    truths, images = zip(*drawn, strict=True)
    assert errors(truths, images, DECODABLE) == dict.fromkeys(DECODABLE, 0.0)


def test_64_px_pictures_are_read_nearly_without_error(drawn):
    truths, images = zip(*drawn, strict=True)
    found = errors(truths, [shrunk(image, 64) for image in images], (*COLOURS, "facing"))
    assert all(found[name] <= 0.01 for name in (*COLOUR_ATTRIBUTES, "facing")), found
    assert found["crown"] <= 0.03


@pytest.mark.parametrize("filter", [Image.Resampling.BOX, Image.Resampling.BICUBIC])
def test_training_crops_are_read_nearly_as_well(drawn, filter):
    rng = np.random.default_rng(0)
    truths, images = zip(*drawn, strict=True)
    crops = []
    for image in images:
        left, top = rng.integers(0, 13, 2)
        crops.append(shrunk(image, 76, filter)[top : top + 64, left : left + 64])
    found = errors(truths, crops, COLOURS, zoom=76 / 64)
    assert all(share <= 0.02 for share in found.values()), found


def test_eye_ring_and_wing_bars_are_read_at_256_and_never_at_64(drawn):
    for truth, image in drawn[:120]:
        fine = decode(image)
        assert (fine["eye_ring"], fine["wing_bars"]) == (truth["eye_ring"], truth["wing_bars"])
        small = shrunk(image, 64)
        for coarse in (small, np.asarray(Image.fromarray(small).resize((256, 256), Image.Resampling.BICUBIC))):
            assert decode(coarse)["eye_ring"] is None
            assert decode(coarse)["wing_bars"] is None


@pytest.mark.parametrize("spread", [0, 20, 60])
def test_pictures_without_a_bird_are_unreadable(spread):
    rng = np.random.default_rng(spread)
    grey = np.clip(np.repeat(128 + spread * rng.standard_normal((64, 64, 1)), 3, axis=2), 0, 255).astype(np.uint8)
    assert set(decode(grey).values()) == {None}
    colourful = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert set(decode(colourful).values()) == {None}


def test_blur_and_noise_make_pictures_unreadable_rather_than_wrong(drawn):
    rng = np.random.default_rng(0)
    wrong, unreadable = [], []
    for blur in (0.0, 1.0, 2.5):
        outcomes = []
        for truth, image in drawn[:60]:
            soft = np.asarray(Image.fromarray(shrunk(image, 64)).filter(ImageFilter.GaussianBlur(blur)))
            found = decode(np.clip(soft + 10 * blur * rng.standard_normal(soft.shape), 0, 255).astype(np.uint8))
            outcomes += [(found[name] is None, found[name] not in (None, truth[name])) for name in COLOUR_ATTRIBUTES]
        unreadable.append(np.mean([none for none, _ in outcomes]))
        wrong.append(np.mean([bad for _, bad in outcomes]))
    assert unreadable[0] == 0
    assert unreadable[0] <= unreadable[1] < unreadable[2]
    assert unreadable[2] > 0.3
    assert max(wrong) < 0.05


def test_a_background_alone_is_read_and_no_bird_is_made_up():
    scene = draw_scene(SEED, 4)
    corner = render(scene).image[:48, :48]
    found = decode(corner)
    assert found["background"] == scene.background
    assert all(found[name] is None for name in DECODABLE if name != "background")


def test_agreement_is_one_for_own_captions_and_chance_for_others():
    scenes = [draw_scene(SEED, index) for index in range(200)]
    images = [render(scene, 64).image for scene in scenes]
    sentences = [captions(scene, SEED, index, 1)[0] for index, scene in enumerate(scenes)]
    own = agreement(sentences, images)
    assert own == dict.fromkeys((*COLOUR_ATTRIBUTES, "mean"), 1.0) | {"unreadable": 0.0}
    other = agreement(sentences, images[7:] + images[:7])
    assert 0.05 < other["mean"] < 0.25


def test_agreement_counts_unreadable_as_wrong_and_nothing_said_as_nan():
    image, grey = render(draw_scene(SEED, 0), 64).image, np.full((64, 64, 3), 128, np.uint8)
    scene = draw_scene(SEED, 0)
    said = f"a bird with {scene.wing} wings."
    half = agreement([said, said], [image, grey])
    assert half["wing"] == half["mean"] == half["unreadable"] == 0.5
    assert math.isnan(half["body"])
    assert math.isnan(agreement(["hello"], [image])["mean"])
    with pytest.raises(ValueError, match="zip"):
        agreement([said], [])


def test_agreement_notices_a_wrong_colour(drawn):
    truth, image = drawn[0]
    other = next(colour for colour in ATTRIBUTES["wing"] if colour != truth["wing"])
    assert parse(f"{other} wings") == {"wing": other}
    assert agreement([f"{other} wings"], [image])["wing"] == 0.0


@pytest.mark.parametrize("bad", [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3)), np.zeros((16, 64, 3), np.uint8)])
def test_what_is_no_picture_is_refused(bad):
    with pytest.raises(ValueError, match="decode reads"):
        decode(bad)


def test_decoding_a_small_picture_is_fast(drawn):
    small = shrunk(drawn[0][1], 64)
    decode(small)
    started = time.process_time()
    for _ in range(50):
        decode(small)
    assert (time.process_time() - started) / 50 < 0.002


def cropped(image, size):
    """As training crops are made, and the middle one as scored."""
    side = size * 76 // 64
    large, margin = shrunk(image, side, Image.Resampling.BICUBIC), (side - size) // 2
    return large[margin : margin + size, margin : margin + size]


@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("crop", [False, True])
def test_what_is_readable_at_a_size_is_read_and_nothing_else(drawn, size, crop):
    truths, images = zip(*drawn, strict=True)
    pictures = [cropped(image, size) if crop else shrunk(image, size) for image in images]
    found = errors(truths, pictures, DECODABLE, zoom=76 / 64 if crop else 1.0)
    worst = {name: share for name, share in found.items() if name in readable(size)}
    assert max(worst.values()) < 0.07, worst
    assert all(found[name] == 1.0 for name in DECODABLE if name not in worst)
    assert ("eye_ring" in worst) == (size > 64)
