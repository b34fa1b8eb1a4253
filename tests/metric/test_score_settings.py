"""Every file of conf/metric builds the score that its name says, and unknown options are errors."""

import pytest
import yaml

from stackgan.core.errors import UserError
from stackgan.launch import schema
from stackgan.launch.objects import build
from stackgan.launch.places import CONF
from stackgan.metric.score import Score

FILES = sorted((CONF / "metric").glob("[!_]*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_one_score_of_its_own_name(path: "object") -> None:
    ((name, node),) = yaml.safe_load(path.read_text()).items()  # type: ignore[attr-defined]
    built = build(schema._target(node, f"metric.{name}"), f"metric.{name}")
    assert isinstance(built, Score)
    assert path.stem == name == built.name  # type: ignore[attr-defined]
    assert built.needs
    # Every option is in the file, with its comment, and none without a type that is checked.
    assert set(node) - {"_target_"} == set(schema.signature(type(built)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_unknown_option_is_an_error(path: "object") -> None:
    ((name, node),) = yaml.safe_load(path.read_text()).items()  # type: ignore[attr-defined]
    with pytest.raises(UserError, match=rf"^metric\.{name}\.subset_sizes=3: no such setting"):
        schema._target({**node, "subset_sizes": 3}, f"metric.{name}")


def test_a_score_without_settings_takes_none() -> None:
    class Plain(Score):
        name = "plain"

    assert schema.signature(Plain) == {}
