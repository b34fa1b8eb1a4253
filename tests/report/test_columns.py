"""One column, one judge and protocol."""

from pathlib import Path
from typing import Any

import pytest
from made_runs import AGREEMENT, card, config, identity, write

from stackgan.core.errors import UserError
from stackgan.report.columns import heads
from stackgan.report.record import read
from stackgan.report.variants import Variant, variants

SCORE = "inception_score/small"


def scored(root: Path, **cards: dict[str, Any]) -> list[Variant]:
    """A variant for each, with these cards."""
    runs = [write(root, name, config(images=n), scores=found) for n, (name, found) in enumerate(cards.items(), start=1)]
    return variants([read(run, identity) for run in runs])[0]


def test_equal_judges_and_protocols_share_a_column(tmp_path: Path) -> None:
    found = heads(scored(tmp_path, a={SCORE: card(2.0)}, b={SCORE: card(3.0)}), None, [AGREEMENT], "refuse")
    assert [(head.name, head.better) for head in found] == [(SCORE, "higher"), (AGREEMENT, "higher")]
    assert "weights 0123456789ab" in found[0].protocol
    assert "splits 10" in found[0].protocol
    assert "splits test" in found[1].protocol
    assert [head.under for head in found] == ["higher is better, 500 pictures", "higher is better, 300 pictures"]


def test_floors_are_marks_on_the_same_scale(tmp_path: Path) -> None:
    floors = {"untrained": {"value": 1.0, "n": 9}, "real": {"value": 7.719, "n": 9}, "training copy": {"why": "too few pictures"}}
    a, b = (heads(scored(tmp_path, **{name: {SCORE: card(2.0, **more)}}), None, [], "refuse")[0]
            for name, more in (("a", {"floors": floors}), ("b", {})))  # fmt: skip
    assert (a.marks, b.marks) == ("real 7.719, untrained 1.000", "-")
    assert a.column == b.column, "they say nothing of how a run was judged"
    (both,) = heads(scored(tmp_path / "both", a={SCORE: card(2.0)}, b={SCORE: card(3.0, floors=floors)}), None, [], "refuse")
    assert both.marks == a.marks, "of a run that has some"


def test_what_is_counted_has_its_name(tmp_path: Path) -> None:
    mentions = {"protocol": {"n_counts": "mentions"}, "n": 1751}
    found = scored(tmp_path, a={SCORE: card(2.0), "agreement/toybirds": card(0.3, **mentions)})
    counts = {head.name: head.count for head in heads(found, None, ["*/within"], "refuse")}
    assert counts == {SCORE: "500 pictures", "agreement/toybirds": "1,751 mentions"}


@pytest.mark.parametrize(
    ("other", "words"), [(card(3.0, n=2000), "n 500 and 2000"), (card(3.0, weights="ffff"), "weights 0123456789ab and ffff")]
)
def test_mixed_judges_are_refused_or_parted(tmp_path: Path, other: dict[str, Any], words: str) -> None:
    mine = scored(tmp_path, a={SCORE: card(2.0)}, b={SCORE: other})
    with pytest.raises(
        UserError, match=rf"^{SCORE}: .*/a and .*/b were not judged alike \({words}\).*evaluate.py, .*set mixed=columns"
    ):
        heads(mine, None, [], "refuse")
    one, two = heads(mine, None, [], "columns")
    assert [one.name, two.name] == [f"{SCORE} (1)", f"{SCORE} (2)"]
    assert [variant.estimate(one.column) is None for variant in mine] == [False, True]
    assert [variant.estimate(two.column) is None for variant in mine] == [True, False]


def test_figures_of_training_are_parted_too(tmp_path: Path) -> None:
    many = config(images=1) | {"callbacks": {"agreement": {"count": 1000}}}
    runs = [write(tmp_path, "a", config()), write(tmp_path, "b", many)]
    mine = variants([read(run, identity) for run in runs])[0]
    with pytest.raises(UserError, match=r"count 1000 and 300.*train both with the same callbacks"):
        heads(mine, None, ["agreement/*"], "refuse")


def test_a_score_s_parts_are_shown_where_it_has_no_figure_of_its_own_or_on_demand(tmp_path: Path) -> None:
    keys = ("agreement/toybirds", "agreement/wing/toybirds", "precision_recall/recall/small")
    mine = scored(tmp_path, a={key: card(0.5) for key in keys})
    assert [head.name for head in heads(mine, None, [], "refuse")] == ["agreement/toybirds", "precision_recall/recall/small"]
    assert [head.name for head in heads(mine, ["agreement/*/*"], [], "refuse")] == ["agreement/wing/toybirds"]
