"""How long compare.py publish=wandb waits, and for what."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stackgan.core.errors import UserError
from stackgan.launch import publishing


@pytest.mark.parametrize(("loading", "answering", "sending", "limit", "seconds", "complaint"), [
    (0.0, 0.0, 0.6, 0.3, 30.0, None),
    (0.0, 0.0, 0.6, 0.3, 0.1, "not done within wandb.seconds=0.1"),
    (0.0, 0.6, 0.0, 0.3, 30.0, "w.example does not answer within wandb.answer_seconds=0.3"),
    (0.0, 0.6, 0.0, 9.0, 30.0, None),
    (0.6, 0.0, 0.0, 0.3, 30.0, None),
])  # fmt: skip
def test_the_limit_of_an_answer_is_none_of_importing_nor_of_sending(
    loading: float, answering: float, sending: float, limit: float, seconds: float, complaint: str | None,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    def send(*_: object) -> list[str]:
        time.sleep(sending)
        return ["page"]

    settings = SimpleNamespace(base_url="https://w.example/")
    wandb = SimpleNamespace(Api=lambda: time.sleep(answering), setup=lambda: SimpleNamespace(settings=settings))
    loads = iter([loading])

    def load() -> SimpleNamespace:
        time.sleep(next(loads, 0.0))
        return wandb

    for name, value in {"_trouble": lambda: None, "_send": send}.items():
        monkeypatch.setattr(publishing, name, value)
    for name, value in {"load": load, "abandon": lambda: None, "answers": lambda *_: True}.items():
        monkeypatch.setattr(publishing.wandb_reach, name, value)
    made: Any = None
    keys: Any = None
    config = {"answer_seconds": limit, "seconds": seconds}
    if complaint is None:
        assert publishing.publish(made, keys, (None, "p"), config, tmp_path) == ["page"]
    else:
        with pytest.raises(UserError, match=f"^publish=wandb: {complaint}; the files are in {tmp_path}; "):
            publishing.publish(made, keys, (None, "p"), config, tmp_path)


def test_whether_the_host_is_there_has_the_same_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[float] = []
    wandb = SimpleNamespace(Api=None, setup=lambda: SimpleNamespace(settings=SimpleNamespace(base_url="https://w.example/")))
    monkeypatch.setattr(publishing, "_trouble", lambda: None)
    monkeypatch.setattr(publishing.wandb_reach, "load", lambda: wandb)
    monkeypatch.setattr(publishing.wandb_reach, "answers", lambda url, seconds: asked.append(seconds))
    made: Any = None
    with pytest.raises(UserError, match=r"a higher wandb\.answer_seconds waits longer, publish=null leaves it at the files$"):
        publishing.publish(made, made, (None, "p"), {"answer_seconds": 20.0, "seconds": 30.0}, tmp_path)
    assert asked == [20.0]
