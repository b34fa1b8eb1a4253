"""A search: trials are jobs of a sweep, trained once; what it cannot follow is said before anything is written."""

from pathlib import Path
from typing import Any

import pytest
from commands import BIRDS, Outcome, Program
from omegaconf import DictConfig
from test_launching import RANKS, equal_ranks
from test_ranks import Team, team  # noqa: F401 (a fixture)
from test_sweeps import WORDS, jobs, states

from stackgan.launch import plugins
from stackgan.runs.folder import RunFolder

SEARCH = ("-m", "hparams_search=optuna", "hydra.sweeper.n_trials=3")
SWEEP = Path("sweeps/search")
RATES = ("stage.recipe.generator_lr", "stage.recipe.discriminator_lr", "stage.recipe.kl_weight")


def records(config: DictConfig) -> RunFolder:
    """Instead of training: a run whose objective is better the nearer the KL weight is to 1."""
    from stackgan.launch import identity, schema

    run = identity.folder(schema.check(config))
    weight = config.stage.recipe.kl_weight
    if 0.8 < weight < 0.9:
        raise RuntimeError("no value here")
    run.begin(schema.check(config), {"data": {}})
    run.finish({"images_seen": config.stage.images, "mine/held_out": -abs(weight - 1.0)})
    return run


def trials() -> list[dict[str, str]]:
    return [dict(word.partition("=")[::2] for word in job["words"]) for job in jobs(SWEEP)]


@pytest.fixture(autouse=True)
def no_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    """These runs hold nothing that draws."""
    monkeypatch.setattr("stackgan.sweeps.grid.grow", lambda sweep: None)


def test_trials_are_jobs_and_the_same_search_trains_none_again(program: Program, desk: Path) -> None:
    words = (*SEARCH, *WORDS, "sweep.objective=mine/held_out")
    ended = program(*words, verb=records)
    assert ended.code == 0, ended.err
    assert len(trials()) == 3
    for name, low, high in zip(RATES, (2e-5, 2e-5, 0.01), (2e-3, 2e-3, 10.0), strict=True):
        values = [float(trial[name]) for trial in trials()]
        assert len(set(values)) == 3
        assert all(low <= value <= high for value in values)
    kept = [trial for trial in trials() if not 0.8 < float(trial[RATES[2]]) < 0.9]
    best = min((float(trial[RATES[2]]) for trial in kept), key=lambda weight: abs(weight - 1.0))
    assert f"best mine/held_out: {-abs(best - 1.0):.4g} with {RATES[0]}=" in ended.out
    assert f"{RATES[2]}={best}" in ended.out.splitlines()[-1]
    before = trials()
    again = program(*words, verb=records)
    assert again.code == 0, again.err
    assert trials() == before
    assert again.out.count("job: ") == states(SWEEP).count("failed")


def test_a_trial_that_fails_stops_nothing_and_the_other_direction_finds_another(program: Program, desk: Path) -> None:
    words = (*SEARCH, *WORDS, "sweep.objective=mine/held_out", "hydra.sweeper.direction=minimize")
    ended = program(*words, f"{RATES[2]}=choice(0.85,0.5,3.0)", "hydra.sweeper.n_trials=8", verb=records)
    assert ended.code == 0, ended.err
    assert set(states(SWEEP)) == {"done", "failed"}
    assert "best mine/held_out: -2 with" in ended.out


def test_a_value_that_is_no_number_is_a_failed_trial_and_evaluate_s_cards_choose_nothing(program: Program, desk: Path) -> None:
    def records_with_card(config: DictConfig) -> RunFolder:
        run = records(config)
        weight = config.stage.recipe.kl_weight
        run.add_results(
            {"mine/held_out": None if weight == 0.5 else -abs(weight - 1.0), "scores": {"mine/held_out": {"value": 9.0}}}
        )
        return run

    words = (*SEARCH, *WORDS, "sweep.objective=mine/held_out", f"{RATES[2]}=choice(0.85,0.5,3.0)", "hydra.sweeper.n_trials=8")
    ended = program(*words, verb=records_with_card)
    assert ended.code == 0, ended.err
    assert "best mine/held_out: -2 with" in ended.out
    assert set(states(SWEEP)) == {"done", "failed"}
    assert "failed, and not counted: " in ended.err


@pytest.mark.parametrize("key", ["n_trials", "n_jobs"])
def test_a_search_of_nothing(key: str, program: Program, desk: Path) -> None:
    assert program(*SEARCH, *WORDS, f"hydra.sweeper.{key}=0").complaint == f"hydra.sweeper.{key}=0: must be at least 1"
    assert not list(desk.iterdir())


def test_an_objective_that_no_run_records_ends_the_search_after_its_first_trial(program: Program, desk: Path) -> None:
    complaint = program(*SEARCH, *WORDS, "sweep.objective=mine/validation", verb=records).complaint
    (job,) = jobs(SWEEP)
    there = f"{SWEEP / job['run']} recorded no such value; there are mine/held_out"
    assert complaint == f"sweep.objective=mine/validation: {there}"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "sweep.objective=agreement/held_out/normalised: callbacks.agreement records it, and is left out; bring it back,"),
        (
            ("data=oxford",),
            "sweep.objective=agreement/held_out/normalised: data=oxford is not toybirds, whose pictures alone it can be",
        ),
        (("sweep.objective=agreement/test/normalised",), "sweep.objective=agreement/test/normalised: test classes choose nothing"),
        (("hydra.sweeper.direction=up",), "hydra.sweeper.direction=up: there is one objective; set maximize or minimize"),
        (("hydra.sweeper.storage=sqlite:///a.db",), "hydra.sweeper.storage=sqlite:///a.db: optuna 2.10, which Hydra 1.3's sweeper"),
        (("sweep=ablation",), "hparams_search=optuna: a sweep of rows is given too; drop sweep="),
        (("stage.recipe.r1_weight=-1",), "stage.recipe.r1_weight=-1: input should be greater than or equal to 0"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(words: tuple[str, ...], complaint: str, program: Program, desk: Path) -> None:
    other = (*BIRDS, "callbacks=none")  # what is left out here would be the complaint with any data set
    small = WORDS if "data=oxford" not in words else [word for word in WORDS if word not in other]
    assert program(*SEARCH, *small, *words).complaint.startswith(complaint)
    assert not list(desk.iterdir())


def test_without_m_a_search_is_refused(program: Program, desk: Path) -> None:
    assert program("hparams_search=optuna").complaint.startswith("hparams_search=optuna: a search is many jobs; give -m too:")


@pytest.mark.parametrize(
    ("word", "package"),
    [
        ("hydra/launcher=joblib", "hydra-joblib-launcher"),
        ("hydra/launcher=submitit_local", "hydra-submitit-launcher"),
        ("hparams_search=optuna", "hydra-optuna-sweeper"),
    ],
)
def test_a_package_that_is_missing_is_named_with_what_installs_it(
    word: str, package: str, program: Program, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hydra.core.config_store import ConfigStore

    monkeypatch.setattr(plugins, "_there", lambda plugin: False)
    known: dict[str, Any] = ConfigStore.instance().repo["hydra"]["launcher"]
    for name in ("joblib.yaml", "submitit_local.yaml"):
        monkeypatch.delitem(known, name)
    expected = f"{word}: {package} is not installed; pip install --constraint constraints.txt --editable '.[sweep]'"
    assert program("-m", *WORDS, "seed=0,1", word).complaint == expected
    assert not list(desk.iterdir())


@pytest.mark.slow
@pytest.mark.ddp
def test_ranks_inside_a_search(team: Team, desk: Path) -> None:  # noqa: F811
    small = [word for word in RANKS if word != "callbacks=none"]
    words = ("hydra.sweeper.n_trials=2", "callbacks.agreement.count=6", "callbacks.sheets=null")
    ended: Outcome = team("plain", *SEARCH, *small, *words, name="null")
    assert ended.code == 0, ended.err
    assert states(SWEEP) == ["done", "done"]
    asked = sorted(float(trial["stage.recipe.generator_lr"]) for trial in trials())
    assert sorted(one["generator_lr"] for one in equal_ranks(desk)) == asked
