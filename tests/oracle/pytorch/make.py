"""How the programs of operators.json.gz were made: run where torch is. One line for each operator in OPERATORS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

OPERATORS: dict[str, Callable[[Any], Any]] = {
    "relu": F.relu,
    "softmax": lambda x: F.softmax(x, 1),
    "apc3": lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False),
    "upn": lambda x: F.interpolate(x, size=(13, 11)),
    "inpl4": lambda x: _written(x),
}  # and so on: the names of operators.json.gz, whose nodes say the rest


def _written(x: Any) -> Any:
    y = x.clone()
    y[:, :, 2:5, 1] = x[:, :, 0:3, 2]
    F.relu_(y)
    return y


class Fn(torch.nn.Module):
    """A function as a network."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any) -> Any:
        """Its answer."""
        return self.function(x)


def main() -> None:
    """Each as .pt2, and after run_decompositions()."""
    torch.manual_seed(0)
    x = torch.randn(2, 4, 9, 7)
    for name, function in OPERATORS.items():
        program = torch.export.export(Fn(function).eval(), (x,))
        torch.export.save(program, Path(f"{name}.pt2"))
        torch.export.save(program.run_decompositions(), Path(f"{name}@core.pt2"))


if __name__ == "__main__":
    main()
