"""What a style encoder is worth, against readings written by hand."""

import itertools
import math

import numpy as np
import pytest

from stackgan.callbacks.style import kept

OPEN, SAYS_PLACE = "a red bird with green wings", "a red bird on the snow"
LEFT_SNOW = {"background": "snow", "facing": "left"}
RIGHT_SNOW = {"background": "snow", "facing": "right"}
LEFT_SKY = {"background": "sky", "facing": "left"}
UNREADABLE = {"background": None, "facing": None}


def test_what_is_kept_and_what_guessing_would_keep() -> None:
    styles = [LEFT_SNOW, RIGHT_SNOW, LEFT_SKY, LEFT_SKY]
    drawings = [LEFT_SNOW, LEFT_SNOW, UNREADABLE, RIGHT_SNOW]
    found = kept([OPEN, OPEN, OPEN, SAYS_PLACE], styles, drawings)
    # The last sentence says the place, so it counts for the pose alone.
    assert found["background/pictures"] == 3
    assert found["background"] == pytest.approx(2 / 3)
    assert found["background/guessing"] == pytest.approx(2 * 2 / 9)  # two styles and two drawings of three show snow
    assert found["pose/pictures"] == 4
    assert found["pose"] == pytest.approx(1 / 4)
    assert found["pose/guessing"] == pytest.approx((3 * 2 + 1 * 1) / 16)


def test_an_encoder_that_reads_all_and_one_that_reads_nothing() -> None:
    styles = [LEFT_SNOW, RIGHT_SNOW, LEFT_SKY]
    perfect = kept([OPEN] * 3, styles, styles)
    assert (perfect["background"], perfect["pose"]) == (1, 1)
    assert perfect["background/guessing"] == pytest.approx(5 / 9)
    deaf = kept([OPEN] * 3, styles, [LEFT_SKY] * 3)
    assert deaf["background"] == deaf["background/guessing"] == pytest.approx(1 / 3)
    assert deaf["pose"] == deaf["pose/guessing"] == pytest.approx(2 / 3)


def test_guessing_is_every_way_to_deal_the_styles_out() -> None:
    styles = [LEFT_SNOW, RIGHT_SNOW, LEFT_SKY, LEFT_SNOW, RIGHT_SNOW]
    drawings = [LEFT_SNOW, LEFT_SKY, UNREADABLE, LEFT_SNOW, RIGHT_SNOW]
    found = kept([OPEN] * 5, styles, drawings)
    for name, attribute in (("background", "background"), ("pose", "facing")):
        pairs = [list(zip(deal, drawings, strict=True)) for deal in itertools.permutations(styles)]
        shares = [np.mean([style[attribute] == drawing[attribute] for style, drawing in deal]) for deal in pairs]
        assert found[f"{name}/guessing"] == pytest.approx(np.mean(shares))
        assert found[f"{name}/guessing_sd"] == pytest.approx(np.std(shares))
    assert kept([OPEN] * 5, styles, [LEFT_SKY] * 5)["pose/guessing_sd"] == 0  # a deaf encoder's share is the same in every deal


def test_nothing_to_count() -> None:
    found = kept([SAYS_PLACE, OPEN], [LEFT_SNOW, UNREADABLE], [LEFT_SNOW, LEFT_SNOW])
    assert found["background/pictures"] == 0
    assert math.isnan(found["background"])
    assert math.isnan(found["background/guessing"])
    assert found["pose/pictures"] == 1
    assert math.isnan(found["pose/guessing_sd"])
