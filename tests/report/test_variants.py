"""Which runs are seeds of one variant, and what variants are called."""

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
    assert labels(found) == ["stage1, conditioning_augmentation=true", "stage1, conditioning_augmentation=false"]
    assert said == []
    column = records[0].figures[AGREEMENT].column
    assert found[0].values(column) == {0: 0.2, 1: 0.4}
    estimate = found[0].estimate(column)
    assert estimate is not None
    assert round(estimate.value, 9) == 0.3
    assert found[0].estimate(("x", "y")) is None


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


def test_jobs_without_a_run_join_their_variant(tmp_path: Path) -> None:
    records = of(tmp_path, ("a", config(), 0, 0.2), variant="CA")
    waiting = [Record(f"{name} 1", None, "", "toybirds", 1, {}, "waiting", variant=name) for name in ("CA", "none")]
    found, _ = variants([*records, *waiting])
    assert [(one.label, len(one.records), len(one.done)) for one in found] == [("CA", 2, 1), ("none", 1, 0)]
