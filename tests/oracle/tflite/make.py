"""Answers of ai-edge-litert to the operators of tests/sources/tflite_cases.py, by its plain kernels.

    python -m venv env && env/bin/pip install ai-edge-litert==2.3.0 numpy
    PYTHONPATH=src:tests:tests/sources env/bin/python tests/oracle/tflite/make.py

Needs no TensorFlow. A case whose file the interpreter refuses is an error, named.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from flatbuffers import flexbuffers
from tflite_case import Case
from tflite_cases import CASES

from tflite_files import Op, const, flow, model

FOLDER = Path(__file__).parent
KINDS = (OpResolverType.BUILTIN_REF, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)


def asked(case: Case, kind: OpResolverType) -> list[np.ndarray]:
    interpreter = Interpreter(model_content=case.file(), experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), case.inputs.values(), strict=True):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()]


def make_detector(regular: bool) -> None:
    """A picture of 8 x 6 to 48 boxes of 4 classes: random weights, anchors on a grid, the operator of SSDs."""
    draw = np.random.default_rng(3 + regular)
    high, wide, each, classes = 6, 8, 3, 4
    rows, columns = (np.arange(3) + 0.5) / 3, (np.arange(4) + 0.5) / 4
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 1, 2)
    sizes = np.array([[0.3, 0.3], [0.5, 0.25], [0.2, 0.6]])
    anchors = np.concatenate([np.broadcast_to(grid, (12, 3, 2)), np.broadcast_to(sizes, (12, 3, 2))], -1).reshape(-1, 4)
    settings = {
        "max_detections": 10, "max_classes_per_detection": 1, "detections_per_class": 100, "use_regular_nms": regular,
        "nms_score_threshold": 0.1, "nms_iou_threshold": 0.45, "num_classes": classes,
        "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0,
    }  # fmt: skip
    tensors = {
        "picture": flow(1, high, wide, 3),
        "a": flow(1), "b": flow(1), "c": flow(1), "codes": flow(1), "logits": flow(1), "scores": flow(1),
        "wa": const(draw.normal(0, 2, (4 * each, 2, 2, 3)).astype("f4")), "ba": const(np.zeros(4 * each, "f4")),
        "wb": const(draw.normal(0, 2, ((classes + 1) * each, 2, 2, 3)).astype("f4")),
        "bb": const(np.zeros((classes + 1) * each, "f4")),
        "four": const(np.array([1, 36, 4], "i4")), "five": const(np.array([1, 36, classes + 1], "i4")),
        "anchors": const(anchors.astype("f4")),
        "boxes": flow(1), "labels": flow(1), "points": flow(1), "count": flow(1),
    }  # fmt: skip
    window = {"padding": 0, "stride_w": 2, "stride_h": 2}
    ops = [
        Op("CONV_2D", ["picture", "wa", "ba"], ["a"], window), Op("RESHAPE", ["a", "four"], ["codes"]),
        Op("CONV_2D", ["picture", "wb", "bb"], ["b"], window), Op("RESHAPE", ["b", "five"], ["logits"]),
        Op("LOGISTIC", ["logits"], ["scores"]),
        Op("TFLite_Detection_PostProcess", ["codes", "scores", "anchors"], ["boxes", "labels", "points", "count"],
           custom=bytes(flexbuffers.Dumps(settings))),
    ]  # fmt: skip
    file = model(tensors, ops, ["picture"], ["boxes", "labels", "points", "count"])
    name = "detector_regular" if regular else "detector"
    (FOLDER / f"{name}.tflite").write_bytes(file)
    interpreter = Interpreter(model_content=file)
    interpreter.allocate_tensors()
    x = draw.random((1, high, wide, 3), np.float32)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    found = [interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()]
    np.savez_compressed(FOLDER / f"{name}.npz", x0=x, **{f"y{i}": one for i, one in enumerate(found)})
    print(name, int(found[3][0]), "boxes", found[2].round(3).tolist(), found[1].tolist())


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
    np.savez_compressed(FOLDER / "operators.npz", **answers)
    for regular in (False, True):
        make_detector(regular)
    print(len(CASES), "cases")


if __name__ == "__main__":
    main()
