"""Rockchip's library as it is called on a board (rknn_lite.py of rknn-toolkit-lite2 2.5.0), for a computer without an
NPU: the network is $PRETENDED, which takes pixels as bytes and normalises them itself.
"""

import os

import numpy as np


class RKNNLite:
    NPU_CORE_AUTO = 0
    NPU_CORE_0_1 = 3
    NPU_CORE_0_1_2 = 7

    def __init__(self, verbose=False):
        self._session = None

    def load_rknn(self, path):
        return 0 if os.path.exists(path) else -1

    def init_runtime(self, target=None, core_mask=NPU_CORE_AUTO):
        import onnxruntime

        if "FAILS" in os.environ:
            return -1
        assert core_mask == int(os.environ["CORES"]), core_mask
        self._session = onnxruntime.InferenceSession(os.environ["PRETENDED"])
        return 0

    def inference(self, inputs, data_type=None, data_format=None):
        (picture,) = inputs
        assert data_format == ["nhwc"] and picture.dtype == np.uint8 and picture.ndim == 4, picture.shape
        entry = self._session.get_inputs()[0].name
        return self._session.run(None, {entry: np.ascontiguousarray(picture.transpose(0, 3, 1, 2))})
