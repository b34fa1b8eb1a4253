"""What a comparison reads of a run's folder, and what it does not trust."""

import json
from pathlib import Path
from typing import Any

import pytest
from made_runs import AGREEMENT, BUDGET, card, config, identity, write

from stackgan.core.errors import UserError
from stackgan.report.record import Record, last_seen, read, series
from stackgan.runs.folder import RunFolder


def record(run: RunFolder) -> Record:
    return read(run, identity)


def test_a_finished_run(tmp_path: Path) -> None:
    found = record(write(tmp_path, "a", config(), seed=3, value=0.4, scores={"inception_score/small": card(2.5)}))
    assert (found.stage, found.data, found.seed, found.state, found.images_seen) == ("stage1", "toybirds", 3, "done", BUDGET)
    assert found.done
    assert found.figures[AGREEMENT].value == 0.4
    assert found.figures[AGREEMENT].higher is True
    assert found.figures[AGREEMENT].n == 300
    scored = found.figures["inception_score/small"]
    assert scored.scored
    assert scored.protocol["weights"] == "0123456789ab"
    assert found.cost == {"seconds": 36.0, "images_per_second": 88.0, "peak_memory_gib": 1.5}


def test_an_unfinished_run_says_how_far_it_is_and_has_no_figures(tmp_path: Path) -> None:
    found = record(write(tmp_path, "a", config(), done=False))
    assert found.state == "unfinished at 2,400 of 3,200 images"
    assert not found.done
    assert found.figures == {}


@pytest.mark.parametrize("more", [{"images": 6400}, {"images": None, "epochs": 40}])
def test_a_run_whose_budget_was_raised_is_not_done_before_it_is(tmp_path: Path, more: dict[str, Any]) -> None:
    """40 epochs of 160 pictures. Its DONE and its figures are still those of the smaller budget."""
    run = write(tmp_path, "a", config())
    settings, facts = run.settings(), run.facts()
    run.begin({**settings, "stage": settings["stage"] | more}, {**facts, "data": facts["data"] | {"train_size": 161}})
    found = record(run)
    assert found.state == "unfinished at 3,200 of 6,400 images, its figures are those of 3,200"
    assert (found.done, found.figures) == (False, {})
    run.finish({"images_seen": 6400})
    assert record(run).done


def test_a_budget_that_is_no_multiple_of_the_batch_is_done_with_the_last_whole_one(tmp_path: Path) -> None:
    run = write(tmp_path, "a", config(images=BUDGET + 1))
    assert record(run).state == "unfinished at 3,200 of 3,204 images, its figures are those of 3,200"
    run.finish({"images_seen": BUDGET + 4})
    assert record(run).done


def test_a_run_without_results(tmp_path: Path) -> None:
    run = write(tmp_path, "a", config())
    run.results.unlink()
    assert record(run).state == "done, but without results.json"
    assert not record(run).done
    run.add_results({"scores": {"inception_score/small": card(2.0)}})  # as evaluate.py does
    whole = record(write(tmp_path, "b", config(), scores={"inception_score/small": card(2.0)}))
    assert record(run).figures["inception_score/small"].column == whole.figures["inception_score/small"].column


def test_what_a_judge_saw_in_training_is_not_compared(tmp_path: Path) -> None:
    """results.json does not say which judge that was."""
    looks = {"inception_score/small": 2.0, "inception_score/small/n": 500, "diversity/within": 0.2, "told": 1}
    assert set(record(write(tmp_path, "a", config(), **looks)).figures) == {AGREEMENT, "diversity/within"}


def test_kind_knows_no_seed_but_budget_and_the_run_below(tmp_path: Path) -> None:
    bases = [write(tmp_path, f"b{seed}", config(), seed=seed) for seed in range(2)]
    other = write(tmp_path, "b2", config(conditioning_augmentation=False))
    two = config("stage2", base="run://stage1/toybirds/b0")
    runs = [write(tmp_path, f"t{place}", two, seed=place, base=base) for place, base in enumerate([*bases, other])]
    kinds = [record(run).kind for run in runs]
    assert kinds[0] == kinds[1] != kinds[2]
    assert record(write(tmp_path, "long", config(images=6400))).kind != record(bases[0]).kind
    longer = bases[1].settings()
    bases[1].begin({**longer, "stage": longer["stage"] | {"images": 6400}}, bases[1].facts())
    assert record(runs[0]).kind == record(runs[1]).kind, "what was built on the first 3,200 images stays so"


@pytest.mark.parametrize(
    "changed",
    [{"n": 2000}, {"judge": {"name": "small", "weights": "fedcba"}}, {"protocol": {"splits": 1}}, {"data": {"images": "other"}},
     {"captions": {"split": "train", "real_pictures": 9, "repeats": 1}}, {"pictures": {"images_seen": 1600, "weights": "average"}},
     {"pictures": {"images_seen": BUDGET, "weights": "live"}}],
)  # fmt: skip
def test_what_a_score_depends_on_parts_columns(tmp_path: Path, changed: dict[str, object]) -> None:
    keys = "inception_score/small"
    one, same = (record(write(tmp_path, name, config(), scores={keys: card(2.0 + len(name))})) for name in ("a", "bb"))
    other = record(write(tmp_path, "c", config(), scores={keys: card(2.0) | changed}))
    assert one.figures[keys].column == same.figures[keys].column != other.figures[keys].column


def test_how_many_birds_were_found_is_an_outcome(tmp_path: Path) -> None:
    key = "location/slope_x/toybirds"
    one, other = (record(write(tmp_path, str(n), config(), scores={key: card(0.5, n=n)})) for n in (66, 59))
    assert one.figures[key].column == other.figures[key].column


def test_scores_by_a_scorer_or_a_program(tmp_path: Path) -> None:
    scorer = {"scorer": {"name": "joint", "fingerprint": "9d4f6c03"}}
    cards = {"r_precision/joint": card(0.1) | scorer, "agreement/toybirds": card(0.3) | scorer}
    found = record(write(tmp_path, "a", config(), scores=cards)).figures
    assert found["r_precision/joint"].protocol["weights"] == "9d4f6c03"
    assert found["agreement/toybirds"].protocol["judge"] == "toybirds"


def test_damage_is_one_line_with_the_way_out(tmp_path: Path) -> None:
    run = write(tmp_path, "a", config(), scores={"inception_score/small": {"value": 1.0}})
    with pytest.raises(UserError, match=r"scores.inception_score/small: a card without 'pictures'.*score the run again"):
        record(run)
    run.results.write_text("{")
    with pytest.raises(UserError, match=r"results.json: cannot be read \(JSONDecodeError\); leave this run out"):
        record(run)
    run.config.write_text(json.dumps({"model": "another program's"}))
    with pytest.raises(UserError, match=r"its config.json is not one of a run of this version \(KeyError: 'stage'\)"):
        record(run)
    run.config.write_text("[]")
    with pytest.raises(UserError, match="not a JSON object"):
        record(run)


def test_metrics_as_far_as_they_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    assert (series(path, {"a"}), last_seen(path)) == ({}, 0)
    path.write_text("images_seen,a,b\n800,1.5,\n1600,,2\n2400,3,4\n32")
    assert series(path, {"a", "c"}) == {"a": [(800.0, 1.5), (2400.0, 3.0)]}
    assert last_seen(path) == 2400
    path.write_text("images_seen,a,b\n800,1.5,0\n1600,abc,1\nx,1,1\n2400,,abc\n3200,4,2\n")
    said: list[str] = []
    assert series(path, {"a"}, said) == {"a": [(800.0, 1.5), (3200.0, 4.0)]}
    assert said == [f"{path}: rows left out, for something in them is no number: 2"]
    assert last_seen(path) == 3200
    path.write_text("step,a\n1,2\n")
    assert series(path, {"a"}) == {}
