"""Networks with MindSpore's own answers: `python make_models.py FOLDER SEED [version]`; a .mindir and an .npz each.

MindSpore compiles the source of construct(), so the cases are texts, of which a module is written and imported.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

os.environ["GLOG_v"] = "4"  # noqa: SIM112  # its own spelling
import mindspore as ms
import numpy as np
from mindspore_cases import CASES

INPUTS = {
    "image": (1, 4, 9, 11), "images": (2, 4, 9, 11), "row": (2, 6), "rows": (2, 6), "steps": (1, 5, 8),
    "line": (1, 4, 9),
    "cube": (1, 2, 4, 6, 8), "a": (2, 3, 4), "b": (2, 4, 5), "time": (1, 6, 5), "blocks": (1, 8, 3, 4),
    "even": (1, 4, 8, 12),
}  # fmt: skip
WHOLE = {"ids": (2, 7), "few": (2, 3)}  # numbers from 0 to 5
HELPERS = """
def _plus(x, y):
    x += y
    return x


def _heads(x):
    n, t, c = x.shape
    q = x.reshape(n, t, 3, 2, c // 6).transpose(2, 0, 3, 1, 4)
    found = ops.matmul(ops.softmax(ops.matmul(q[0], q[1].swapaxes(-2, -1)), -1), q[2])
    return found.transpose(0, 2, 1, 3).reshape(n, t, c // 3)
"""


def layers_of(text: str) -> tuple[str, list[str]]:
    """construct()'s text with the layers in it as attributes, and the texts of these."""
    made: list[str] = []
    while (start := text.find("nn.")) >= 0:
        at, depth = text.index("(", start), 0
        for end in range(at, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if not depth:
                break
        made.append(text[start : end + 1])
        text = f"{text[:start]}self.layer{len(made) - 1}{text[end + 1 :]}"
    return text, made


def module(folder: Path) -> Any:
    """All cases as classes of a module."""
    parts = ["import mindspore as ms\nfrom mindspore import Tensor, nn, ops", HELPERS]
    for line in CASES.strip().splitlines():
        name, _, text = line.partition(": ")
        body, made = layers_of(text)
        inputs = [one for one in (*INPUTS, *WHOLE) if one in words(text)]
        fields = "".join(f"\n        self.layer{i} = {layer}" for i, layer in enumerate(made))
        parts.append(
            f"class {name}(nn.Cell):\n    names = {inputs}\n\n    def __init__(self):\n        super().__init__()"
            f"{fields}\n\n    def construct(self, {', '.join(inputs)}):\n        return {body}"
        )
    (folder / "cases_of_mindspore.py").write_text("\n\n".join(parts), "utf-8")
    sys.path.insert(0, str(folder))
    return importlib.import_module("cases_of_mindspore")


def words(text: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())


def filled(net: Any, rng: np.random.Generator) -> None:
    """Numbers that a mistake would show in."""
    for one in net.get_parameters():
        name, shape = one.name, one.shape
        new = rng.normal(0, 0.3, shape)
        if name.endswith(("gamma", "variance")):
            new = rng.uniform(0.6, 1.5, shape)
        one.set_data(ms.Tensor(new.astype("float32")))


def flat(found: Any) -> list[Any]:
    return [one for each in found for one in flat(each)] if isinstance(found, (tuple, list)) else [found]


def main(folder: Path, seed: int) -> None:
    rng, cases = np.random.default_rng(seed), module(folder)
    for line in CASES.strip().splitlines():
        name = line.partition(": ")[0]
        net = getattr(cases, name)()
        filled(net, rng)
        net.set_train(False)
        xs = [
            rng.integers(0, 6, WHOLE[one]).astype("int32")
            if one in WHOLE
            else rng.normal(size=INPUTS[one]).astype("float32")
            for one in net.names
        ]
        ys = [np.asarray(y.asnumpy()) for y in flat(net(*map(ms.Tensor, xs)))]
        free = name.startswith("free_")
        shapes = [[None, *x.shape[1:]] for x in xs]
        examples = [ms.Tensor(shape=s, dtype=ms.float32) for s in shapes] if free else [ms.Tensor(x) for x in xs]
        ms.export(net, *examples, file_name=str(folder / name), file_format="MINDIR")
        (folder / f"{name}.mindir").chmod(0o644)
        arrays = {f"x{i}": x for i, x in enumerate(xs)} | {f"y{i}": y for i, y in enumerate(ys)}
        np.savez_compressed(folder / f"{name}.npz", **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
