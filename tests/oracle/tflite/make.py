"""Answers of ai-edge-litert to the operators of tests/sources/tflite_cases.py, by its plain kernels.

    python -m venv env && env/bin/pip install ai-edge-litert==2.3.0 numpy
    PYTHONPATH=src:tests:tests/sources env/bin/python tests/oracle/tflite/make.py

Needs no TensorFlow. A case whose file the interpreter refuses is an error, named.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tflite_case import Case
from tflite_cases import CASES

KINDS = (OpResolverType.BUILTIN_REF, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)


def asked(case: Case, kind: OpResolverType) -> list[np.ndarray]:
    interpreter = Interpreter(model_content=case.file(), experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), case.inputs.values(), strict=True):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()]


def main() -> None:
    answers: dict[str, np.ndarray] = {}
    for name, case in CASES.items():
        for kind in KINDS[name == "lrn" :]:  # whose plain kernel forgets the last of the neighbouring channels
            try:
                found = asked(case, kind)
                break
            except (ValueError, RuntimeError) as err:
                told = err
        else:
            print("REFUSED", name, str(told)[:200])
            continue
        answers |= {f"{name}.{i}": one for i, one in enumerate(found)}
    np.savez_compressed(Path(__file__).parent / "operators.npz", **answers)
    print(len(CASES), "cases")


if __name__ == "__main__":
    main()
