"""Ultralytics' own way on a board: YOLO("x.onnx").predict(frame), with onnxruntime on one thread.

python yolo_way.py MODEL.onnx FRAME.npy SIDE TIMES    # a frame of (H, W, 3) uint8, B, G, R, as OpenCV gives it
"""

import os
import sys

os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false")

import numpy as np
import onnxruntime
import torch  # noqa: TID251 - of the board

torch.set_num_threads(1)
opened = onnxruntime.InferenceSession


def on_one_thread(path, options=None, **more):
    options = options or more.pop("sess_options", None) or onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return opened(path, options, **more)


onnxruntime.InferenceSession = on_one_thread

from ultralytics import YOLO  # noqa: E402

if __name__ == "__main__":
    model, frame = YOLO(sys.argv[1], task="detect"), np.load(sys.argv[2])
    for _ in range(int(sys.argv[4])):
        found = model.predict(frame, imgsz=int(sys.argv[3]), verbose=False, device="cpu")
    print(len(found[0].boxes), "boxes")
