"""The published figures: whole, as printed, and each row a run of this program."""

from pathlib import Path

import pydantic
import pytest
from commands import Composed

from stackgan.launch import identity, rules, schema
from stackgan.launch.places import CONF
from stackgan.report.published import Claim, Paper, read
from stackgan.report.record import kind_of
from stackgan.report.variants import Variant
from stackgan.report.verdicts import matches, pairs

PAPERS = read(CONF / "paper")
ROWS = [(paper, key) for paper in PAPERS for key in paper.rows]


def test_every_file_is_read() -> None:
    assert [paper.name for paper in PAPERS] == sorted(path.stem for path in (CONF / "paper").glob("*.yaml"))
    assert {paper.table for paper in PAPERS} == {"Table 1", "Table 2"}


def test_figures_as_printed() -> None:
    ablation, systems = PAPERS
    assert [row.values["cub"][0] for row in ablation.rows.values()] == [2.66, 2.95, 2.48, 3.02, 3.13, 3.20, 3.35, 3.45, 3.31, 3.70]
    assert systems.rows["stackgan"].values["oxford"] == (3.20, 0.01)
    assert systems.rows["gan_int_cls_coco"].values["coco_rank"] == (1.89, 0.04)
    assert set(systems.rows["gawwn"].values) == {"cub", "cub_rank"}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_claim_is_what_the_table_shows(paper: Paper) -> None:
    for claim in paper.claims:
        better, worse = paper.rows[claim.better].values, paper.rows[claim.worse].values
        for key in better.keys() & worse.keys():
            assert (better[key][0] > worse[key][0]) == paper.measures[key].higher_is_better, claim.says


def ours(paper: Paper, key: str, composed: Composed) -> Variant:
    """Our run of a row: its settings, given as words, compose and pass the rules."""
    settings = {name: value[0] if isinstance(value, list) else value for name, value in paper.rows[key].settings.items()}
    data = settings.pop("data.name", "cub")
    words = [f"{'stage' if name == 'stage.name' else name}={str(value).lower()}" for name, value in settings.items()]
    config = schema.check(composed(f"data={data}", *words))
    rules.check(config)
    return Variant(key, settings["stage.name"], data, kind_of(config, {}, identity.identity), ())


@pytest.mark.parametrize(("paper", "key"), ROWS, ids=[f"{paper.name}-{key}" for paper, key in ROWS])
def test_every_row_is_a_run_of_this_program(paper: Paper, key: str, composed: Composed) -> None:
    """And means this row, and no other of its table."""
    variant = ours(paper, key, composed)
    assert [name for name, row in paper.rows.items() if matches(row, variant)] == [key]


CLAIMS = [(paper, claim) for paper in PAPERS for claim in paper.claims]


@pytest.mark.parametrize(("paper", "claim"), CLAIMS, ids=[f"{claim.better}-{claim.worse}" for _, claim in CLAIMS])
def test_every_claim_is_tested_by_runs_of_its_two_rows(paper: Paper, claim: Claim, composed: Composed) -> None:
    """They differ in nothing that the claim does not vary."""
    if claim.worse == "gan_int_cls_coco":
        better, worse = (of_experiment(f"coco_{name}", composed) for name in ("stackgan_stage2", "gan_int_cls"))
    else:
        better, worse = (ours(paper, key, composed) for key in (claim.better, claim.worse))
    assert list(pairs(paper, claim, [worse, better])) == [(better, worse)]


def of_experiment(name: str, composed: Composed) -> Variant:
    config = schema.check(composed(f"experiment={name}"))
    return Variant(name, config["stage"]["name"], config["data"]["name"], kind_of(config, {}, identity.identity), ())


SYSTEM_ROWS = {
    "gan_int_cls": ("cub_gan_int_cls", "oxford_gan_int_cls"),
    "gan_int_cls_coco": ("coco_gan_int_cls",),
    "gawwn": ("cub_gawwn_box", "cub_gawwn_parts"),
    "stackgan": ("cub_stackgan_stage2", "oxford_stackgan_stage2", "coco_stackgan_stage2"),
}


def test_every_system_s_experiments_fill_its_row(composed: Composed) -> None:
    """And no other row; each has a figure of the experiment's data set."""
    systems = PAPERS[1]
    assert SYSTEM_ROWS.keys() == systems.rows.keys()
    for key, names in SYSTEM_ROWS.items():
        for name in names:
            variant = of_experiment(name, composed)
            assert [row for row, one in systems.rows.items() if matches(one, variant)] == [key], name
            assert variant.data in {systems.measures[measure].data for measure in systems.rows[key].values}


def test_a_smaller_stackgan_is_not_the_paper_s(composed: Composed) -> None:
    """Table 1's pictures are 256 px."""
    small = of_experiment("cub_stackgan_stage2_128", composed)
    assert not any(matches(row, small) for row in PAPERS[1].rows.values())


@pytest.mark.parametrize(
    ("word", "pair"), [("stage.recipe.kl_weight=3", False), ("stage.recipe.generator_lr=1e-6", False),
                       ("stage/network=light", False), ("stage.recipe.lr_halve_every=60", True), ("seed=3", True)],
)  # fmt: skip
def test_two_stages_are_one_recipe_and_one_network(word: str, pair: bool, composed: Composed) -> None:
    claim = next(claim for claim in PAPERS[0].claims if claim.worse == "stage1_256" and claim.better == "stackgan_256")
    found = []
    for words in (("stage=stage2", word), ("stage=stage1", "stage.resolution=256")):
        config = schema.check(composed("data=cub", *words))
        found.append(Variant(words[0], words[0][6:], "cub", kind_of(config, {}, identity.identity), ()))
    assert list(pairs(PAPERS[0], claim, found)) == ([tuple(found)] if pair else [])


def test_a_slip_in_a_file_is_an_error(tmp_path: Path) -> None:
    text = (CONF / "paper" / "stackgan_ablation.yaml").read_text()
    for slip in (
        text.replace("{cub: [2.66", "{cup: [2.66"),
        text.replace("better: stage1_64,", "better: stage1_46,"),
        text + "x: 1\n",
    ):
        (tmp_path / "slip.yaml").write_text(slip)
        with pytest.raises(pydantic.ValidationError):
            read(tmp_path)
