"""XEdu's way to ask MobileNet about a frame, as XEduHub 0.2 does it: for benchmarks/board.py.

RGB, normalised in float over the whole picture, then resized without keeping the ratio, then cropped; onnxruntime in
FP32. (docs: formats, "What XEduHub accepts".)
"""

import sys

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options)
name = session.get_inputs()[0].name
frame = np.load(sys.argv[2])
MEAN = np.array([[123.675, 116.28, 103.53]], "d")  # OpenCV takes doubles, and the inverse to multiply with
INVERSE = 1 / np.array([[58.395, 57.12, 57.375]], "d")


def prepare(picture):
    """(H, W, 3) uint8 in BGR, as OpenCV reads it -> (1, 3, 224, 224) float32."""
    import cv2  # noqa: TID251 - it is what theirs takes

    picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.float32)
    cv2.subtract(picture, MEAN, picture)  # in place and by OpenCV, as theirs: numpy takes 17 M instructions more
    cv2.multiply(picture, INVERSE, picture)
    picture = cv2.resize(picture, (256, 256))[16:240, 16:240]
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None])


def main():
    """`net` runs the network on what was prepared before; `all` prepares each time."""
    what, times = sys.argv[3], int(sys.argv[4])
    ready = prepare(frame)
    for _ in range(times):
        if what == "all":
            ready = prepare(frame)
        scores = session.run(None, {name: ready})[0]
        scores.argmax()


main()
