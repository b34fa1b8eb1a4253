"""Provenance: plain data that says which code, packages, machine and data a number came from."""

import json
import re
import subprocess
from typing import Any

import pytest

from stackgan.runs import provenance as room
from stackgan.runs.provenance import PACKAGES, provenance


def test_holds_what_a_reader_needs() -> None:
    found = provenance({"pictures": {"name": "toybirds"}}, on_gpu=False)
    assert json.loads(json.dumps(found)) == found
    assert found["data"] == {"pictures": {"name": "toybirds"}}
    assert set(found["packages"]) == set(PACKAGES)
    assert re.fullmatch(r"3\.\d+\.\d+\S*", found["python"])
    assert found["threads"] >= 1
    assert re.fullmatch(r"([0-9a-f]{40}\+?)?", found["commit"])


@pytest.mark.parametrize(("changes", "wanted"), [("", "abc"), (" M src/train.py", "abc+")])
def test_a_changed_checkout_is_marked(changes: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, 0, "abc\n" if "rev-parse" in words else changes)

    monkeypatch.setattr(room.subprocess, "run", git)
    assert provenance({}, on_gpu=False)["commit"] == wanted


@pytest.mark.parametrize("error", [FileNotFoundError("git"), subprocess.CalledProcessError(128, "git")])
def test_without_git_or_a_checkout_the_commit_is_empty(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(room.subprocess, "run", git)
    assert provenance({}, on_gpu=False)["commit"] == ""
