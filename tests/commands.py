"""How tests call the program, and small settings to call it with. (A module of its own: `conftest` is the name of many.)"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig

from stackgan.launch import cli

SRC = Path(__file__).parents[1] / "src"
TRAIN, TEST = 60, 24
BIRDS = (f"data.train={TRAIN}", f"data.test={TEST}", "data.prepare_workers=1")
SMALL = (
    *BIRDS, "stage/network=light", "stage/recipe=modern", "stage.recipe.batch_size=4", "trainer.precision=32-true",
    "stage.network.stage1.generator.width=8", "stage.network.stage1.discriminator.width=8",
    "stage.network.stage2.generator.width=4", "stage.network.stage2.discriminator.width=4",
    "logger=none", "callbacks.agreement.count=6", "callbacks.sheets.count=2", "callbacks.sheets.noises=1", "trainer.log_every=1",
)  # fmt: skip
"""Both stages in a size that takes milliseconds an iteration, on the drawn birds."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of a user error."""
        assert self.code == cli.USER_ERROR, f"exit code {self.code}\n{self.out}\n{self.err}"
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ")
        return lines[0].removeprefix("error: ")


Program = Callable[..., Outcome]
Composed = Callable[..., DictConfig]
