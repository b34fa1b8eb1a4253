"""Which runs are seeds of one variant, and what variants are called."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from made_runs import AGREEMENT, config, identity, write

from stackgan.report.record import Record, read
from stackgan.report.variants import Variant, variants


def of(root: Path, *runs: tuple[str, dict[str, Any], int, float], variant: str | None = None) -> list[Record]:
    return [read(write(root, name, settings, seed, value), identity, variant) for name, settings, seed, value in runs]


def labels(found: list[Variant]) -> list[str]:
    return [variant.label for variant in found]


def test_seeds_make_a_variant_with_a_mean(tmp_path: Path) -> None:
    plain, other = config(), config(conditioning_augmentation=False)
    records = of(tmp_path, ("a", plain, 0, 0.2), ("b", other, 0, 0.9), ("c", plain, 1, 0.4))
    found, said = variants(records)
    assert labels(found) == ["stage1, conditioning_augmentation=false", "stage1, conditioning_augmentation=true"]
    assert said == []
    column = records[0].figures[AGREEMENT].column
    assert found[1].values(column) == {0: 0.2, 1: 0.4}
    estimate = found[1].estimate(column)
    assert estimate is not None
    assert round(estimate.value, 9) == 0.3
    assert found[1].estimate(("x", "y")) is None


def test_variants_are_sorted_by_their_settings_but_a_sweep_s_as_it_has_them(tmp_path: Path) -> None:
    def weighted(weight: float) -> dict[str, Any]:
        return config(recipe=config()["stage"]["recipe"] | {"kl_weight": weight})

    records = of(tmp_path, *((f"r{place}", weighted(weight), 0, 0.2) for place, weight in enumerate((10, 0, 2, 0.5))))
    words = [f"stage1, kl_weight={weight}" for weight in ("0", "0.5", "2", "10")]
    assert labels(variants(records)[0]) == words
    named = [
        one
        for name, weight in (("z", 7), ("b", 5), ("a", 9))
        for one in of(tmp_path, (name, weighted(weight), 0, 0.1), variant=name)
    ]
    assert labels(variants([*named, *records])[0]) == ["z", "b", "a", *words]


def test_two_runs_of_one_seed_are_one_sample(tmp_path: Path) -> None:
    found, said = variants(of(tmp_path, ("a", config(), 0, 0.2), ("a-2", config(), 0, 0.4)))
    assert [len(variant.records) for variant in found] == [1]
    assert said == ["a-2: left out, for a is the same run of the same seed 0"]


def test_a_finished_run_counts_before_an_unfinished_one_of_its_seed(tmp_path: Path) -> None:
    cut = read(write(tmp_path, "a", config(), done=False), identity)
    (found,), _ = variants([cut, *of(tmp_path, ("b", config(), 0, 0.4))])
    assert [record.name for record in found.done] == ["b"]


def test_labels_are_the_fewest_settings_that_tell_apart(tmp_path: Path) -> None:
    """A recipe's name speaks for all that it sets."""
    modern = config()
    own = {**modern["stage"]["recipe"], "name": "paper", "average_decay": 0.0}
    paper, slow = config(recipe=own | {"beta1": 0.5}), config(recipe=own | {"beta1": 0.9})
    records = of(tmp_path, ("a", modern, 0, 0.2), ("b", paper, 0, 0.2))
    assert labels(variants(records)[0]) == ["stage1, recipe=modern", "stage1, recipe=paper"]
    records += of(tmp_path, ("c", slow, 0, 0.2))
    named = labels(variants(records)[0])
    assert named == ["stage1, recipe=modern, beta1=0.0", "stage1, recipe=paper, beta1=0.5", "stage1, recipe=paper, beta1=0.9"]


def test_a_sweep_s_names_are_kept_where_they_tell_apart(tmp_path: Path) -> None:
    one, other = config(), config(text_twice=False)
    records = of(tmp_path, ("a", one, 0, 0.2), ("b", one, 1, 0.3), variant="64 with CA")
    assert labels(variants(records)[0]) == ["64 with CA"]
    records += of(tmp_path, ("c", other, 0, 0.2), variant="64 with CA")  # another sweep's, of the same name
    assert labels(variants(records)[0]) == ["64 with CA, text_twice=true", "64 with CA, text_twice=false"]


def test_jobs_without_a_run_join_no_variant_of_another_sweep_or_data_set(tmp_path: Path) -> None:
    """Two sweeps call other things alike."""
    records, waiting = [], []
    for sweep, data, settings in (("A", "toybirds", {}), ("B", "toybirds", {"text_twice": False}), ("C", "cub", {})):
        (run,) = of(tmp_path / sweep, ("a", config(data=data, **settings), 0, 0.2), variant="CA")
        records.append(replace(run, sweep=sweep))
        waiting.append(Record("CA 1", None, "", data, 1, {}, "waiting", variant="CA", sweep=sweep))
    found, said = variants([*records, *waiting])
    assert said == []
    assert [(one.data, len(one.records), len(one.done)) for one in found] == [
        ("toybirds", 2, 1), ("toybirds", 2, 1), ("cub", 2, 1)
    ]  # fmt: skip


def test_jobs_without_a_run_join_their_variant(tmp_path: Path) -> None:
    records = of(tmp_path, ("a", config(), 0, 0.2), variant="CA")
    waiting = [Record(f"{name} 1", None, "", "toybirds", 1, {}, "waiting", variant=name) for name in ("CA", "none")]
    found, _ = variants([*records, *waiting])
    assert [(one.label, len(one.records), len(one.done)) for one in found] == [("CA", 2, 1), ("none", 1, 0)]
