"""Programs exported with several inputs at once, and torch's answers: python make_batches.py, with torch 2.13.

batches.json.gz: of each its parts (text, or hex), the input, the answer to it, and to one more input where the network
itself takes any number (`more`, `more_answer`).
"""

from __future__ import annotations

import gzip
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn


class Divided(nn.Module):
    """A number in it is reckoned from how many went in."""

    def forward(self, x: Any) -> Any:
        return x / len(x)


class Centred(nn.Module):
    """What comes out for one depends on the others."""

    def forward(self, x: Any) -> Any:
        return x - x.mean(0)


class Branch(nn.Module):
    """Another layer for one than for several."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.several = nn.Linear(8, 4), nn.Linear(8, 4)

    def forward(self, x: Any) -> Any:
        return self.one(x) if x.shape[0] == 1 else self.several(x)


class Pupil(nn.Module):
    """view(x.size(0), -1), as most first networks have it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 2, 3, 2), nn.Linear(18, 3)

    def forward(self, x: Any) -> Any:
        x = torch.relu(self.conv(x))
        return self.fc(x.view(x.size(0), -1))


class Tokens(nn.Module):
    """A token for each sample, heads by reshape, and attention."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.qkv, self.norm, self.fc = nn.Linear(8, 24), nn.LayerNorm(8), nn.Linear(8, 3)

    def forward(self, x: Any) -> Any:
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)
        batch, length, _ = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(batch, length, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, 8)
        return self.fc(x[:, 0])


class Masked(nn.Module):
    """Truths that hide positions; all hidden is no number."""

    def forward(self, x: Any, mask: Any) -> Any:
        return x.masked_fill(mask, float("-inf")).softmax(-1)


class Unpooled(nn.Module):
    """Uses the places that a pooling found."""

    def forward(self, x: Any) -> Any:
        values, places = nn.functional.max_pool2d(x, 2, return_indices=True)
        return values + places


def kept(path: Path) -> dict[str, str]:
    """The parts; without the author's lines, which are long."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if name.endswith(".json"):
                program = json.loads(data)
                for node in program.get("graph_module", {}).get("graph", {}).get("nodes", []):
                    node["metadata"] = {k: v for k, v in node["metadata"].items() if k == "nn_module_stack"}
                found[name] = json.dumps(program)
            elif "sample_inputs" not in name:
                found[name] = "hex:" + data.hex()
    return found


def main() -> None:
    """Writes batches.json.gz beside this file."""
    torch.manual_seed(0)
    rows, pictures, words = torch.rand(2, 8), torch.rand(2, 3, 8, 8), torch.rand(2, 5, 8)
    mask = torch.tensor([[0, 0, 1, 0], [1, 0, 1, 1]], dtype=torch.bool)
    cases = {
        "divided": (Divided(), (rows,)), "centred": (Centred(), (rows,)), "branch": (Branch(), (rows,)),
        "pupil": (Pupil(), (pictures,)), "tokens": (Tokens(), (words,)), "masked": (Masked(), (rows[:, :4], mask)),
        "unpooled": (Unpooled(), (pictures,)),
    }  # fmt: skip
    done = {}
    for name, (module, given) in cases.items():
        module.eval()
        path = Path(tempfile.mkdtemp()) / f"{name}.pt2"
        with torch.no_grad():
            torch.export.save(torch.export.export(module, given), str(path))
            done[name] = {
                "parts": kept(path),
                "in": [one.tolist() for one in given],
                "out": module(*given).tolist(),
            }
            if name in ("pupil", "tokens"):
                more = torch.rand(3, *given[0].shape[1:])
                done[name] |= {"more": more.tolist(), "more_answer": module(more).tolist()}
    target = Path(__file__).with_name("batches.json.gz")
    target.write_bytes(gzip.compress(json.dumps(done).encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
