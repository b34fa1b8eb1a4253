"""How the first rank of a crew ends where no job was told: with the others where they are there, without them where not."""

import os
import threading
import time
from datetime import timedelta

import pytest
from torch import distributed

from stackgan.devices import gathering, ranks


def no_part(job: object, place: object) -> None:
    raise AssertionError("the first rank is told nothing")


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """This process is the first of two that torchrun started, which meet there."""
    free = ranks._free_port()
    told = {"TORCHELASTIC_RUN_ID": "none", "RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}
    for key, value in {**told, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free)}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(gathering.Meeting, "store", None)
    monkeypatch.setattr(gathering.Meeting, "jobs", 0)
    assert "TORCHELASTIC_USE_AGENT_STORE" not in os.environ
    return free


def test_ranks_that_never_come_are_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gathering, "ARRIVAL", timedelta(seconds=1))
    began = time.monotonic()
    with gathering.gathered(no_part) as first:
        assert first
    assert time.monotonic() - began < 30
    assert capsys.readouterr().err == "not all of the 2 ranks came to hear the end\n"


def test_a_rank_that_comes_later_hears_the_end(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[bytes] = []

    def other() -> None:
        time.sleep(1.0)
        store = distributed.TCPStore("127.0.0.1", port, 2, False, timedelta(seconds=30))
        heard.append(store.get("job 1"))
        store.add("heard the end", 1)

    late = threading.Thread(target=other)
    late.start()
    with gathering.gathered(no_part) as first:
        assert first
    late.join(30)
    assert heard == [b"end"]
    assert capsys.readouterr().err == ""
