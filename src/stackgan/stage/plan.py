"""What a stage is built of and stands on, as its settings alone tell: read without PyTorch, which takes seconds to import."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A network that a stage is built of.

    settings: its node; path: where that lies; stream: of its first weights; sizes: arguments that data and other settings tell.
    """

    settings: Settings
    path: str
    stream: str
    sizes: Settings


@dataclass(frozen=True)
class Below:
    """The finished run that a stage stands on (`stage.base`); its weights and settings travel in the stage's own checkpoints.

    argument: of the stage's constructor that takes it: the system without its discriminator, to draw with, where whole, else its
    generator network. stage: what it must be, None for every system that draws sentences from noise; only a named one can be
    trained on the way (`stage.base=train`). same: keys below `stage` that both must agree in. needs: those that it must have.
    """

    argument: str
    whole: bool
    stage: str | None = None
    same: tuple[str, ...] = ()
    needs: Settings = field(default_factory=dict)


class Plan:
    """A base of each stage's class. It says nothing of how the stage learns."""

    @classmethod
    def parts(cls, node: Settings, sizes: Settings) -> dict[str, Part]:
        """The networks to build, by constructor argument. node: `stage`'s settings. sizes: text_dim, feature_dim where known."""
        raise NotImplementedError

    @classmethod
    def below(cls, node: Settings) -> Below | None:
        """What it stands on with these settings of `stage`, None where it begins from chance."""
        return None
