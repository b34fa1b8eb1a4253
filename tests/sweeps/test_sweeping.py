"""Sweeps before anything trains: which jobs rows and values make, and what conf/sweep/ holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import Composed

from stackgan.core.errors import UserError
from stackgan.launch import rules, schema
from stackgan.launch.places import CONF
from stackgan.sweeps.sweeping import expand

ROWS = {"one": ["stage=stage1"], "two": ["stage=stage2", "stage.base=train"]}
FILES = sorted(path.stem for path in (CONF / "sweep").glob("*.yaml"))


def of(sweep: str, part: str) -> dict[str, Any]:
    """A part of a sweep's file, with what it takes over from the file that it begins with."""
    written = yaml.safe_load((CONF / "sweep" / f"{sweep}.yaml").read_text())
    before = [name for name in written.get("defaults", []) if isinstance(name, str) and name != "_self_"]
    found = of(before[0], part) if before else {}
    return found | written["hydra"]["sweeper"].get(part, {})


def test_every_row_meets_every_value_and_keeps_the_command_s_words() -> None:
    jobs = expand(ROWS, {}, ["sweep=x", "data=oxford", "seed=3,4"])
    assert [job.row for job in jobs] == ["one, seed 3", "one, seed 4", "two, seed 3", "two, seed 4"]
    assert [(job.variant, job.seed) for job in jobs] == [("one", 3), ("one", 4), ("two", 3), ("two", 4)]
    assert jobs[3].words == ("sweep=x", "data=oxford", "stage=stage2", "stage.base=train", "seed=4")
    assert {(job.state, job.run, job.why) for job in jobs} == {("waiting", None, None)}


def test_without_rows_the_swept_values_name_the_variants() -> None:
    jobs = expand({}, {}, ["stage.text_twice=true,false", "stage.images=8", "seed=range(2)"])
    assert [job.row for job in jobs] == [
        "stage.text_twice=true, seed 0", "stage.text_twice=true, seed 1", "stage.text_twice=false, seed 0",
        "stage.text_twice=false, seed 1",
    ]  # fmt: skip
    assert [job.row for job in expand({}, {}, ["stage.images=8", "seed=7"])] == ["as it is, seed 7"]


def test_what_a_sweep_varies_by_itself_gives_way_to_the_command() -> None:
    assert [job.seed for job in expand({}, {"seed": "0,1,2"}, [])] == [0, 1, 2]
    assert [job.seed for job in expand({}, {"seed": "0,1,2"}, ["seed=5,6"])] == [5, 6]


def test_what_hydra_writes_with_more_than_words_survives() -> None:
    (job,) = expand({}, {}, ["run.name='a,b'", "+x.y={a: 1}", "~logger", "stage.base_images=${stage.images}"])
    assert job.words == ("run.name='a,b'", "+x.y={a: 1}", "~logger", "stage.base_images=${stage.images}")


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("stage=stage1", r"stage=stage1: the sweep's rows set it themselves \(one: stage=stage1\); drop it"),
        (
            "stage.base=latest,train",
            r"stage.base=latest,train: the sweep's rows set it themselves \(two: stage.base=train\); drop it",
        ),
        ("++stage=stage1", r"\+\+stage=stage1: the sweep's rows set it themselves \(one: stage=stage1\); drop it"),
        ("seed=interval(0,1)", r"seed=interval\(0,1\): only a search can sweep an interval"),
    ],
)
def test_words_that_a_sweep_cannot_take(word: str, complaint: str) -> None:
    with pytest.raises(UserError, match=f"^{complaint}"):
        expand(ROWS, {}, [word])


@pytest.mark.parametrize(
    ("sweep", "name"), [(sweep, name) for sweep in FILES for name in of(sweep, "rows") or {"": []}], ids=lambda text: text or "-"
)
def test_every_row_of_every_sweep_fits(sweep: str, name: str, composed: Composed) -> None:
    words = of(sweep, "rows").get(name, [])
    config = schema.check(composed(f"sweep={sweep}", *words))
    rules.check(config)
    assert config["sweep"] == {"name": sweep, "objective": None}


@pytest.mark.parametrize("sweep", [sweep for sweep in FILES if of(sweep, "params")])
def test_every_value_that_a_sweep_varies_is_a_choice(sweep: str) -> None:
    jobs = expand({}, of(sweep, "params"), [])
    assert len(jobs) > 1
    for word in (word for job in jobs for word in job.words if word.startswith("text=")):
        assert (CONF / "text" / f"{word.removeprefix('text=')}.yaml").is_file()


def test_the_ablation_has_the_ten_rows_of_the_paper(composed: Composed) -> None:
    """StackGAN's Table 2: what, pixels, conditioning augmentation, the sentence read twice."""
    found = []
    for words in of("ablation", "rows").values():
        stage = composed("sweep=ablation", "stage.images=800", *words).stage
        assert stage.base == (None if stage.name == "stage1" else "train")
        assert stage.base_images == 800
        found.append((stage.name, stage.resolution, stage.conditioning_augmentation, stage.text_twice))
    first = [("stage1", size, augmented, True) for size in (64, 256) for augmented in (False, True)]
    second = [("stage2", size, *switches) for size in (128, 256) for switches in ((True, False), (False, True), (True, True))]
    assert found == [*first, *second]


def test_stage_one_s_budget_may_be_another(composed: Composed) -> None:
    stage = composed("sweep=ablation", "stage=stage2", "stage.images=800", "stage.base_images=1600").stage
    assert (stage.images, stage.base_images) == (800, 1600)


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key != "name" and value != other[key]}


@pytest.mark.parametrize(("sweep", "stage"), [("recipe", "stage1"), ("recipe_stage2", "stage2")])
def test_each_switch_of_the_modern_recipe_is_taken_out_once(sweep: str, stage: str, composed: Composed) -> None:
    """To the paper's value, alone, but for R1, which goes with batch norm, and for pairs that are one switch."""
    recipes = {}
    for name, words in of(sweep, "rows").items():
        given = () if sweep == "recipe_stage2" else (f"stage={stage}",)
        recipes[name] = schema.check(composed(f"sweep={sweep}", *given, *words))["stage"]["recipe"]
    modern, paper = recipes.pop("modern"), recipes.pop("paper")
    assert (modern["name"], paper["name"]) == ("modern", "paper")
    taken: list[str] = []
    for name, recipe in recipes.items():
        out = differences(recipe, modern)
        assert out == {key: paper[key] for key in out}, name
        assert out, name
        taken += [key for key in out if not (name.startswith("batch norm") and key == "r1_weight")]
    only_stage2 = {"balance_heads", "first_norm"} if stage == "stage1" else set()
    assert sorted(taken) == sorted(set(differences(modern, paper)) - only_stage2)


def test_the_systems_are_all_that_draw_from_a_sentence(composed: Composed) -> None:
    from stackgan.launch import allowed
    from stackgan.stage.style_encoder import StyleEncoderStage

    draw = set()
    for path in Path(CONF / "stage").glob("*.yaml"):
        if not path.stem.startswith("_"):
            of_stage = allowed.resolve("stage", composed(f"stage={path.stem}", "text=hashing").stage._target_)
            draw |= {path.stem} if hasattr(of_stage, "sample") and of_stage is not StyleEncoderStage else set()
    words = [word for row in of("systems", "rows").values() for word in row]
    assert {word.removeprefix("stage=") for word in words if word.startswith("stage=")} == draw
