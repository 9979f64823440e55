"""Small networks of chains of operators, as text, with what is known of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from onnx_cases import f, held, n, s

from qingzhou.graph.form import Constant, Graph, Node, Value


def network(text: str, x: Value, **constants: Any) -> Graph:
    """One node a line: "a b = Op in in -- key=value key=value"; the last output is the network's."""
    nodes = [parsed(line.strip()) for line in text.strip().splitlines()]
    known = {name: number if isinstance(number, Constant) else held(number) for name, number in constants.items()}
    x = replace(x, name="x")
    return Graph((x,), (Value(nodes[-1].outputs[0], ()),), tuple(nodes), {"x": x}, known)


def parsed(line: str) -> Node:
    outputs, _, right = line.partition(" = ")
    call, _, attrs = right.partition(" -- ")
    op, *inputs = call.split()
    pairs = (pair.split("=") for pair in attrs.split())
    numbers = {k: tuple(map(int, v.strip(",").split(","))) if "," in v else int(v) for k, v in pairs}
    names = tuple("" if name == "-" else name for name in inputs)
    return Node(op.rpartition(":")[2], names, tuple(outputs.split()), numbers, op.rpartition(":")[0])


ZERO, ONE, TWO, THREE = n(0), n(1), n(2), n(3)
CHAINS: dict[str, tuple[str, Value, dict[str, Any], Any]] = {
    "torch: x.view(x.size(0), -1)": (
        """sizes = Shape x
        first = Gather sizes zero -- axis=0
        row = Unsqueeze first axis
        wish = Concat row rest -- axis=0
        y = Reshape x wish""",
        f("n", 3, 4), {"zero": np.int64(0), "axis": ZERO, "rest": n(-1)}, ("n", 12),
    ),
    "torch: Upsample(scale_factor=2) in opset 11": (
        """sizes = Shape x
        tail = Slice sizes two four zero
        real = Cast tail -- to=1
        wide = Mul real factor
        floor = Floor wide
        whole = Cast floor -- to=7
        head = Slice sizes zero two zero
        wish = Concat head whole -- axis=0
        y = Resize x - - wish""",
        f("n", 3, 5, 7), {"two": TWO, "four": n(4), "zero": ZERO, "factor": s(2.0, 1.5)}, ("n", 3, 10, 10),
    ),
    "torch: chunk(2, dim=1)": (
        """sizes = Shape x
        channels = Gather sizes one -- axis=0
        more = Add channels one
        half = Div more two
        end = Mul half one
        y = Slice x zero end one""",
        f("n", 7, 5), {"zero": ZERO, "one": ONE, "two": TWO}, ("n", 4, 5),
    ),
    "torch: expand(n, 6, -1)": (
        """sizes = Shape x
        first = Slice sizes zero one
        wish = Concat first six minus -- axis=0
        count = Shape wish
        ones = ConstantOfShape count
        filled = Cast ones -- to=7
        all = Add filled one
        same = Equal wish minus
        both = Where same all wish
        y = Expand x both""",
        f("n", 1, 4), {"zero": ZERO, "one": ONE, "six": n(6), "minus": n(-1)}, ("n", 6, 4),
    ),
    "tf2onnx: Pack of a shape": (
        """sizes = Shape x
        small = Cast sizes -- to=6
        first = Slice small zero one zero
        scalar = Squeeze first zero
        row = Unsqueeze scalar zero
        wish = Concat row rest -- axis=0
        whole = Cast wish -- to=7
        y = Reshape x whole""",
        f("n", 4, 6), {"zero": ZERO, "one": ONE, "rest": np.array([24], np.int32)}, ("n", 24),
    ),
    "paddle2onnx: Split of a shape": (
        """sizes = Shape x
        a b c = Split sizes -- axis=0
        wish = Concat a rest -- axis=0
        y = Reshape x wish""",
        f("n", 3, 4), {"rest": n(-1)}, ("n", 12),
    ),
    "heads of attention": (
        """y = Reshape x wish
        z = Transpose y -- perm=0,2,1,3""",
        f("n", "t", 8), {"wish": n(0, 0, 2, 4)}, ("n", 2, "t", 4),
    ),
    "heads of attention, by sizes": (
        """sizes = Shape x -- end=2
        wish = Concat sizes heads -- axis=0
        y = Reshape x wish""",
        f("n", "t", 8), {"heads": n(2, 4)}, ("n", "t", 2, 4),
    ),
    "a product of sizes": (
        """sizes = Shape x -- start=1
        all = ReduceProd sizes -- keepdims=1
        wish = Concat rest all -- axis=0
        y = Reshape x wish""",
        f("n", 3, 4), {"rest": n(-1)}, ("n", 12),
    ),
    "positions": (
        """sizes = Shape x -- start=1
        ones = ConstantOfShape sizes
        true = Equal ones zero
        y = NonZero true""",
        f("n", 3), {"zero": s(0)}, (1, 3),
    ),
    "as many as there are": (
        """size = Size x
        y = Range zero size one""",
        f("n", 1), {"zero": np.int64(0), "one": np.int64(1)}, ("n",),
    ),
    "sizes that are not known": (
        """a = NonZero x
        sizes = Shape a
        y = ConstantOfShape sizes""",
        f("n", 3), {}, (2, "?"),
    ),
    "arithmetic with signs": (
        """a = Div minus three
        b = Mod minus three
        c = Sub b a
        d = Max c three
        e = Min d minus
        f = Neg e
        g = Abs e
        h = Add f g
        y = ConstantOfShape h""",
        f(1), {"minus": n(-7), "three": THREE}, (14,),
    ),
    "logic and choice": (
        """sizes = Shape x
        less = Less sizes three
        not = Not less
        either = Or less not
        both = And either less
        picked = Where both sizes three
        y = Tile x picked""",
        f(2, 5), {"three": THREE}, (4, 15),
    ),
    "moving numbers": (
        """a = Reshape five wish
        b = Transpose a -- perm=1,0
        c = Tile b repeats
        d = Expand c wide
        e = Gather d one -- axis=1
        f = Slice e last far zero minus
        g = Flatten f -- axis=0
        h = Squeeze g zero
        i = ReduceSum h -- keepdims=1
        y = ConstantOfShape i""",
        f(1), {"five": n(1, 2, 3, 4), "wish": n(2, 2), "repeats": n(1, 2), "wide": n(2, 4), "one": np.int64(1),
               "last": n(-1), "far": n(-9), "zero": ZERO, "minus": n(-1)}, (7,),
    ),
}  # fmt: skip
