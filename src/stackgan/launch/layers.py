"""A network's layers as they run: shapes from hooks on a real forward pass, parameters from the modules themselves."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Row:
    """A layer. name: its path in the network. shape: of its output for one picture, None where the pass did not reach it."""

    name: str
    kind: str
    shape: tuple[int, ...] | None
    parameters: int


class Layers:
    """Watches a network within `with`; the first time that each layer runs counts.

    Rows are the modules that hold parameters themselves, so that their sum is the network's, and those that change a shape.
    """

    def __init__(self, network: nn.Module) -> None:
        self.parameters = count(network)
        self._found = {name: module for name, module in network.named_modules() if _is_layer(name, module)}
        self._shapes: dict[str, tuple[tuple[int, ...] | None, tuple[int, ...] | None]] = {}
        self._hooks = ExitStack()

    def __enter__(self) -> "Layers":
        for name, module in self._found.items():
            self._hooks.enter_context(module.register_forward_hook(self._hook(name)))
        return self

    def __exit__(self, *_: object) -> None:
        self._hooks.close()

    def rows(self) -> Iterator[Row]:
        """In the order of the modules, which is the order in which most networks run them."""
        for name, module in self._found.items():
            before, after = self._shapes.get(name, (None, None))
            parameters = _own(module)
            if parameters or before != after:
                yield Row(name, _kind(module), after, parameters)

    def _hook(self, name: str) -> Any:
        def seen(module: nn.Module, given: tuple[Any, ...], output: Any) -> None:
            first = next((one for one in given if isinstance(one, Tensor)), None)
            self._shapes.setdefault(name, (_of_one(first), _of_one(output)))

        return seen


def count(network: nn.Module) -> int:
    """Parameters of a network."""
    return sum(weight.numel() for weight in network.parameters())


def _is_layer(name: str, module: nn.Module) -> bool:
    """A leaf, or one with parameters of its own; a parametrisation (spectral norm) belongs to the layer it is of."""
    inside = "parametrizations" in name.split(".")
    children = [child for child, _ in module.named_children() if child != "parametrizations"]
    return not inside and (not children or _own(module) > 0)


def _own(module: nn.Module) -> int:
    parametrised = getattr(module, "parametrizations", None)
    inside = count(parametrised) if isinstance(parametrised, nn.Module) else 0
    return inside + sum(weight.numel() for weight in module.parameters(recurse=False))


def _of_one(value: Any) -> tuple[int, ...] | None:
    return tuple(value.shape[1:]) if isinstance(value, Tensor) else None


def _kind(module: nn.Module) -> str:
    name = type(module).__name__.removeprefix("Parametrized")
    kernel, stride = getattr(module, "kernel_size", None), getattr(module, "stride", None)
    if not isinstance(kernel, tuple) or not isinstance(stride, tuple):
        return name
    return f"{name} {'x'.join(map(str, kernel))}" + (f", stride {stride[0]}" if stride[0] != 1 else "")
