"""What the onnx package itself takes to look through a model and write it again: `onnx_copy.py IN.onnx OUT.onnx`; with
`bare`, OUT.onnx is IN.onnx without what we wrote into it, as another tool would have made it.
"""

from __future__ import annotations

import sys

import onnx


def main(source: str, target: str, bare: str = "") -> None:
    model = onnx.load(source)
    if bare:
        del model.metadata_props[:]
        model.producer_name = "pytorch"
    else:
        onnx.checker.check_model(model)
    onnx.save(model, target)


main(*sys.argv[1:])
