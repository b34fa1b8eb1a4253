"""The README says what is true: its commands compose, its links lead somewhere, its tests exist, its figures are filled in."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from stackgan.devices import machine
from stackgan.launch import comparing, evaluating, rules, sampling, schema, settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCED = [
    line.strip() for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in block.splitlines() if line.strip()
]
PYTHON = sorted({line for line in FENCED if line.startswith("python src/")})
MAKE = sorted({line for line in FENCED if line.startswith("make")} | set(re.findall(r"`(make [^`]+)`", README)))
SHORT = [line for line in PYTHON if "debug=two_steps" in line]
RECIPE = yaml.safe_load((ROOT / "conf" / "stage" / "recipe" / "_base.yaml").read_text())


def words_of(line: str) -> tuple[str, list[str]]:
    _, script, *words = shlex.split(line)
    return Path(script).stem, words


def jobs(words: list[str]) -> Iterator[list[str]]:
    """The combinations that -m makes of `key=a,b`; without it the words themselves."""
    if "-m" not in words:
        yield words
        return
    parsed = OverridesParser.create().parse_overrides([word for word in words if word != "-m"])
    values = [list(p.sweep_string_iterator()) if p.is_sweep_override() else [p.get_value_element_as_str()] for p in parsed]
    for combination in product(*values):
        yield [f"{p.key_or_group}={value}" for p, value in zip(parsed, combination, strict=True)]


def test_there_are_commands() -> None:
    assert {words_of(line)[0] for line in PYTHON} == {path.stem for path in (ROOT / "src").glob("*.py")}
    assert {"make train", "make test"} <= set(MAKE)
    assert any("-m" in line for line in PYTHON)
    assert len(SHORT) == 2


@pytest.mark.parametrize("line", PYTHON)
def test_commands_are_accepted(line: str, composed: Callable[..., DictConfig], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with two GPUs."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    verb, words = words_of(line)
    for job in jobs(words):
        if verb == "sample":
            schema.check(composed(*job, config=verb), sampling.Settings)
            continue
        if verb in ("evaluate", "compare"):
            schema.check(composed(*job, config=verb), {"evaluate": evaluating.Evaluating, "compare": comparing.Comparing}[verb])
            continue
        whole = settings.Preparing if verb == "prepare" else settings.Top
        checked = schema.check(composed(*job, config=verb), whole)
        machine.check(checked["trainer"])
        if verb == "train":
            rules.check(checked)


@pytest.mark.parametrize("word", sorted(set(re.findall(r"`((?:stage|trainer|run|seed|text|data)[\w./]*=[\w:/.-]+)`", README))))
def test_settings_in_the_text_are_accepted(word: str, composed: Callable[..., DictConfig]) -> None:
    beside = []
    if word.startswith("stage.base"):
        beside = ["stage=stage2"]
    if word.replace("/", ".").startswith(("stage.encoder", "stage.image_encoder")):
        beside = ["stage=text_encoder"]
    if word.startswith("stage.classes"):
        beside = ["stage=judge"]
    if word == "stage.epochs=20":
        beside = ["stage.images=null"]
    schema.check(composed(*beside, word))


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
@pytest.mark.parametrize("line", MAKE)
def test_make_targets_exist(line: str) -> None:
    ended = subprocess.run(["make", "-n", *shlex.split(line)[1:]], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_make_trains_the_quickstart() -> None:
    assert re.search(r"^train:.*\n\t\S+ src/train\.py experiment=quickstart$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert (ROOT / "conf" / "experiment" / "quickstart.yaml").exists()


LINKS = sorted({link for link in re.findall(r"\]\(([^)#\s]+)\)", README) if not link.startswith("http")})


@pytest.mark.parametrize("link", LINKS)
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_headings_that_are_linked_exist() -> None:
    headings = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", README, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", README))))
def test_tests_of_the_equation_map_exist(name: str) -> None:
    path, _, function = name.partition("::")
    assert function in functions(ROOT / path)


def test_functions_of_the_equation_map_exist() -> None:
    """`name` in [file](path): the file defines the name."""
    cells = re.findall(r"((?:`[\w.]+`(?:, )?)+) in \[[^\]]+\]\((src/[^)]+\.py)\)", README)
    assert len(cells) >= 6
    for names, path in cells:
        for name in re.findall(r"`([\w.]+)`", names):
            assert set(name.split(".")) <= functions(ROOT / path), f"{name} in {path}"


def table(first: str) -> list[list[str]]:
    """Rows of the table whose first heading is this."""
    block = re.search(rf"^\| {re.escape(first)} \|.*\n\|[ :|-]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    assert block is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in block[1].splitlines()]


def shown(value: Any) -> set[str]:
    """The ways a default may be written: `${by_stage:600,606}` is 600 / 606."""
    if isinstance(value, bool):
        return {str(value).lower()}
    if isinstance(value, str):
        two = re.fullmatch(r"\$\{by_stage:(\w+),(\w+)\}", value)
        return {" / ".join(two.groups())} if two else {f"`{value}`"}
    return {str(value), f"{value:g}", f"{value:.0e}".replace("e-0", "e-")}


def test_the_table_of_switches_is_the_base_file() -> None:
    said: dict[str, str] = {}
    for keys, _, default, _ in table("key"):
        names = re.findall(r"`(\w+)`", keys)
        values = [part.strip() for part in default.split(",")]
        said |= dict(zip(names, values if len(values) == len(names) else values * len(names), strict=True))
    assert set(said) == set(RECIPE) - {"_target_", "name"}
    for name, default in said.items():
        assert default in shown(RECIPE[name]), f"{name}: the table says {default}, the file {RECIPE[name]}"


def test_the_table_of_networks_is_what_is_tested() -> None:
    counted = (ROOT / "tests" / "networks" / "test_parameter_counts.py").read_text()
    for name, *counts, _ in table("name"):
        row = ", ".join(count.replace(",", "_") for count in counts)
        assert f"({name.strip('`')!r}, 256, {row})".replace("'", '"') in counted
    files = {path.stem for path in (ROOT / "conf" / "stage" / "network").glob("*.yaml")} - {"_base"}
    assert {row[0].strip("`") for row in table("name")} == files


def test_recipes_are_the_files() -> None:
    line = next(line for line in README.splitlines() if line.startswith("Recipes"))
    files = {path.stem for path in (ROOT / "conf" / "stage" / "recipe").glob("*.yaml")} - {"_base"}
    assert set(re.findall(r"`(\w+)`", line)) == files


def test_figures_are_filled_in() -> None:
    assert re.findall(r"\{\{.*?\}\}", README) == []


@pytest.mark.slow
@pytest.mark.parametrize("line", SHORT)
def test_two_commands_run(line: str, desk: Path, published: Path, cache: Path) -> None:
    """As a shell runs them, on a small drawing of the birds."""
    _, words = words_of(line)
    few = ["data.train=60", "data.test=24", "trainer.threads=1", "stage.network.condition_dim=8"]
    widths = [f"stage.network.{s}.{p}.width=4" for s in ("stage1", "stage2") for p in ("generator", "discriminator")]
    command = [sys.executable, str(ROOT / "src" / "train.py"), *words, *few, *widths]
    ended = subprocess.run(command, cwd=desk, env=os.environ, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    stage = "stage2" if "stage=stage2" in words else "stage1"
    assert len(list((desk / "logs/debug" / stage / "toybirds").glob("*/DONE"))) == 1
