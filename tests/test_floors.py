"""The house keeps its own rules: floors, sizes of files and functions, no place of one machine, no promise left open."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
PACKAGE = sorted((SRC / "stackgan").rglob("*.py"))
VERBS = sorted(SRC.glob("*.py"))
FILE_LINES, FUNCTION_LINES, VERB_LINES = 220, 45, 60
"""What is refused; the aim is 200 lines a file and 40 a function."""

TEXT = {".py", ".yaml", ".yml", ".md", ".toml", ".txt", ".cfg", ""}


def test_imports_go_down_only() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as go; go()", "--no-logo", "--no-cache"]
    paths = os.pathsep.join(filter(None, [str(SRC), os.environ.get("PYTHONPATH")]))
    ended = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", ended.stdout), ended.stdout


def test_every_room_stands_on_a_floor() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (floors,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    named = {room.strip().removeprefix("stackgan.") for floor in floors for room in floor.split("|")}
    rooms = {path.name for path in (SRC / "stackgan").iterdir() if (path / "__init__.py").exists()}
    assert named == rooms


def test_every_room_is_packaged() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    rooms = {".".join(path.parent.relative_to(SRC).parts) for path in PACKAGE if path.name == "__init__.py"}
    assert set(packages) - {"stackgan.conf", "hydra_plugins"} == rooms


@pytest.mark.parametrize("path", PACKAGE, ids=lambda path: str(path.relative_to(SRC / "stackgan")))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno + 1 <= FUNCTION_LINES, f"{path.name}: {node.name}"


@pytest.mark.parametrize("path", [*VERBS, *PACKAGE], ids=lambda path: str(path.relative_to(SRC)))
def test_every_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))
    assert path.stem != "utils"


@pytest.mark.parametrize("path", VERBS, ids=lambda path: path.name)
def test_verbs_are_short_and_import_only_the_package(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= VERB_LINES
    for node in ast.walk(ast.parse(text)):
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        modules += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        assert all(module.split(".")[0] == "stackgan" for module in modules)


def ours() -> Iterator[Path]:
    """Text files that git keeps or would keep; all below src, conf and tests where there is no git."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [path for room in ("src", "conf", "tests") for path in (ROOT / room).rglob("*")]
    return (path for path in sorted(paths) if path.suffix in TEXT and path.is_file())


# Spelt in parts, so that this file may be searched too.
FORBIDDEN = re.compile(r"(?<![\w.])/(?:work|tmp|home|root)" + r"/\w|\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def test_no_file_names_a_place_of_one_machine_or_leaves_work_for_later() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in ours()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names), "pytest imports them by name alone"
