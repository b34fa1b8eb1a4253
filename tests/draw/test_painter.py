"""The painter: what a picture depends on, and that two systems' pictures pair up."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.core.shapes import Pictures, Walk, Weights
from stackgan.draw import painter as room
from stackgan.draw.painter import Origin, Painter
from stackgan.text.hashing import HashingEncoder


class Recorder:
    """A sampler that keeps the keys it is given, and draws their remainder by 200 as grey."""

    resolution = 4

    def __init__(self, first: bool = False) -> None:
        self.first, self.keys, self.weights = first, [], ""

    def state_dict(self) -> dict[str, Tensor]:
        return {}

    def sample(
        self, text_BT: Tensor, key_B: Tensor, weights: Weights = "average", walk: Walk | None = None, extras: Any = None
    ) -> Pictures:
        assert len(text_BT) == len(key_B) <= room.CHUNK
        self.keys += key_B.tolist()
        self.weights = weights
        grey_B = (key_B % 200).float() / 127.5 - 1
        x_BCHW = grey_B[:, None, None, None].expand(-1, 3, 4, 4)
        return Pictures(x_BCHW, x_BCHW[..., :2, :2] if self.first else None)


def painter(sampler: Any, holds: tuple[Weights, ...] = ("average", "live"), decay: float = 0.9, dim: int = 16) -> Painter:
    config = {"stage": {"name": "stage1", "recipe": {"average_decay": decay}}, "data": {"name": "toybirds"}}
    origin = Origin(config, {}, None, 10, holds, {}, "here")
    return Painter(sampler, HashingEncoder(name="hashing", dim=dim, window=2), origin)


def test_two_systems_draw_a_sentence_with_the_same_keys() -> None:
    one, two = Recorder(), Recorder(first=True)
    painter(one).sample(["a bird", "a flower"], n=2, seed=3)
    painter(two, dim=64).sample("a   flower", n=3, seed=3)
    assert one.keys[2:4] == two.keys[:2]
    assert len({*one.keys, *two.keys}) == 5


def test_pictures_come_in_their_order_whatever_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = painter(Recorder(first=True)).sample(["a bird", "b bird", "c bird"], n=5)
    monkeypatch.setattr(room, "CHUNK", 4)
    sampler = Recorder(first=True)
    drawn = painter(sampler).sample(["a bird", "b bird", "c bird"], n=5)
    assert drawn.pixels_NKHWC.shape == (3, 5, 4, 4, 3)
    assert drawn.pixels_NKHWC.dtype == np.uint8
    assert drawn.pixels_NKHWC[..., 0, 0, 0].flatten().tolist() == [key % 200 for key in sampler.keys]
    assert drawn.first_NKHWC is not None
    assert drawn.first_NKHWC.shape == (3, 5, 2, 2, 3)
    assert np.array_equal(drawn.pixels_NKHWC, whole.pixels_NKHWC)


def test_no_sentences_no_pictures() -> None:
    assert painter(Recorder()).sample([], n=2).pixels_NKHWC.shape == (0, 2, 4, 4, 3)


def test_which_weights_draw() -> None:
    sampler = Recorder()
    painter(sampler).sample("a bird", weights="live")
    assert sampler.weights == "live"
    painter(sampler).sample("a bird")
    assert sampler.weights == "average"
    painter(sampler, holds=("live",), decay=0.0).sample("a bird")
    assert sampler.weights == "live"
    for has, wants in (("average", "live"), ("live", "average")):
        with pytest.raises(UserError, match=f"weights={wants}: here holds only {has} weights; set weights={has}"):
            painter(sampler, holds=(has,)).sample("a bird", weights=wants)  # type: ignore[arg-type]


def test_a_sentence_the_encoder_cannot_read_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    painter(Recorder()).sample(["a bird", "!!!", "赤い鳥"])
    assert capsys.readouterr().err.splitlines() == [
        "warning: text=hashing finds nothing it can read in '!!!'; its pictures show no sentence"
    ]


def test_an_empty_sentence_among_others_is_refused() -> None:
    with pytest.raises(UserError, match="an empty sentence"):
        painter(Recorder()).sample(["a bird", " "])


def test_ten_thousand_letters() -> None:
    assert painter(Recorder()).sample("red bird " * 1_200).pixels_NKHWC.shape == (1, 1, 4, 4, 3)
    assert torch.isfinite(painter(Recorder()).embed(["x" * 10_000])).all()
