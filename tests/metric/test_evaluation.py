"""Floors: each is the score of what its name says; and cards that hold all of it."""

import json
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest
from galleries import Grey, gallery

from stackgan.core.errors import UserError
from stackgan.metric.card import Card, table
from stackgan.metric.evaluation import Subject, cards, shuffled
from stackgan.metric.observing import observe
from stackgan.metric.score import Figure, Score, Seen
from stackgan.metric.source import Source, drawn, real


class MeanGrey(Score):
    """The mean grey of the drawn, or its distance from that of the references."""

    name = "mean"
    needs = frozenset({"grey"})
    higher_is_better = True

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        mean = float(drawn.arrays["grey"].mean())
        for name in self.references:
            mean -= float(references[name].arrays["grey"].mean())
        return {"": Figure(mean, len(drawn)), "pictures": Figure(float(len(drawn)), len(drawn))}


class Against(MeanGrey):
    name = "against"
    references: ClassVar[tuple[str, ...]] = ("real",)


class Right(Score):
    """The share of pictures whose sentence names their grey."""

    name = "right"
    needs = frozenset({"grey"})
    conditional = True
    higher_is_better = True

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        if len(drawn) > 9:
            raise UserError("too many")
        pairs = zip(drawn.sentences, drawn.arrays["grey"][:, 0], strict=True)
        return {"": Figure(float(np.mean([int(sentence.split()[1]) == grey for sentence, grey in pairs])), len(drawn))}


def white(n: int, by: str) -> Source:
    return drawn(gallery(8), lambda text, key, extras: np.full((len(key), 4, 4, 3), 255 if by == "g" else 50, np.uint8), by, n, 0)


def scored(*scores: Score, copied: int = 3) -> dict[str, Card]:
    subject = Subject(white(6, "g"), real(gallery(8), 0), None, white(4, "untrained"), real(gallery(9, "train"), 0, copied))
    found, _ = cards(
        scores, subject, lambda _, source: observe(source, [Grey()]), lambda score, figure: f"{score.name}/{figure}", 0
    )
    return {card.key: card for card in found}


def value(floor: Figure | str) -> float:
    assert isinstance(floor, Figure)
    return floor.value


def test_floors_are_scores_of_what_they_are_named_after() -> None:
    card = scored(MeanGrey())["mean/"]
    assert (card.figure.value, card.figure.n) == (255, 6)
    assert value(card.floors["real"]) == np.mean(range(8))
    assert value(card.floors["untrained"]) == 50
    assert isinstance(card.floors["training copy"], Figure)
    assert card.floors["training copy"].n == 3
    assert "shuffled captions" not in card.floors


def test_real_against_real_takes_two_halves_without_a_picture_in_common() -> None:
    found = scored(Against())
    order = real(gallery(8), 0).show(np.arange(8))[:, 0, 0, 0].astype(float)
    assert value(found["against/"].floors["real"]) == order[:4].mean() - order[4:].mean()
    assert found["against/"].figure.value == 255 - np.mean(range(8))


def test_shuffled_captions_are_real_pictures_none_of_which_keeps_its_sentence() -> None:
    card = scored(Right())["right/"]
    assert value(card.floors["real"]) == 1
    assert value(card.floors["shuffled captions"]) == 0
    assert card.figure.value == 0


def test_a_floor_without_a_value_says_why_and_the_score_itself_raises() -> None:
    card = scored(Right(), copied=3)["right/"]
    assert isinstance(card.floors["training copy"], Figure)
    subject = Subject(white(10, "g"), real(gallery(8), 0), None, None, None)
    with pytest.raises(UserError, match="too many"):
        cards([Right()], subject, lambda _, source: observe(source, [Grey()]), lambda score, _: score.name, 0)
    beside = Subject(white(6, "g"), real(gallery(8), 0), None, white(10, "untrained"), None)
    ((told,), _) = cards([Right()], beside, lambda _, source: observe(source, [Grey()]), lambda score, _: score.name, 0)
    assert told.floors["untrained"] == "too many"


def test_one_score_without_a_value_costs_no_other() -> None:
    subject = Subject(white(10, "g"), real(gallery(8), 0), None, None, None)
    look = lambda _, source: observe(source, [Grey()])  # noqa: E731
    found, refused = cards([Right(), MeanGrey()], subject, look, lambda score, figure: f"{score.name}/{figure}", 0)
    assert refused == {"right": "too many"}
    assert [card.key for card in found] == ["mean/", "mean/pictures"]


def test_shuffling_takes_along_what_depends_on_the_sentence_and_nothing_else() -> None:
    arrays = {"sentence_embedding": np.arange(6.0), "picture_embedding": np.arange(6.0)}
    seen = Seen(arrays, tuple("abcdef"), np.arange(6))
    other = shuffled(seen, 0)
    assert other.arrays["picture_embedding"].tolist() == list(range(6))
    moved = other.arrays["sentence_embedding"].astype(int).tolist()
    assert sorted(moved) == list(range(6))
    assert all(there != here for here, there in enumerate(moved))
    assert other.sentences == tuple("abcdef"[row] for row in moved)
    assert other.picture_N.tolist() == moved


def test_a_card_holds_its_number_and_all_beside_it() -> None:
    figure = Figure(1.5, 30, spread=0.25, protocol={"splits": 10})
    card = Card("is/judge", figure, True, {"real": Figure(3.0, 20, interval=(2.5, 3.5)), "untrained": "too few"}, {"seed": 0})
    assert json.loads(json.dumps(card.plain())) == {
        "value": 1.5, "n": 30, "spread": 0.25, "protocol": {"splits": 10}, "higher_is_better": True, "seed": 0,
        "floors": {"real": {"value": 3.0, "n": 20, "interval_95": [2.5, 3.5]}, "untrained": {"why": "too few"}},
    }  # fmt: skip
    heads, row = table([card])
    assert row == ["is/judge", "higher", "1.5 ± 0.25", "30", "3 (n 20)", "-", "-", "-"]
    assert len(heads) == len(row)
