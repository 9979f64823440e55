"""The K230's image processor and network processor: they print what they are told."""

import ulab.numpy as np


class ai2d_format:
    NCHW_FMT = 0


class interp_method:
    tf_bilinear = 1


class interp_mode:
    half_pixel = 2


class Tensor:
    def __init__(self, array):
        self.array = array

    def to_numpy(self):
        return self.array


def from_numpy(array):
    return Tensor(array)


class Built:
    def __init__(self, source, target):
        self.source, self.target = source, target

    def run(self, given, out):
        assert list(given.array.shape) == self.source and list(out.array.shape) == self.target
        each = len(out.array.numbers) // 3
        every = given.array.numbers
        levels = b"".join([bytes([every[i * len(every) // 3]]) * each for i in range(3)])
        out.array = np.ndarray(levels, self.target)


class ai2d:
    def set_dtype(self, *kinds):
        assert kinds == (0, 0, np.uint8, np.uint8)

    def set_crop_param(self, *given):
        print("crop:", given)

    def set_resize_param(self, *given):
        assert given == (True, 1, 2)

    def set_pad_param(self, *given):
        print("pad:", given)

    def build(self, source, target):
        print("build:", source, target)
        return Built(source, target)


class kpu:
    def load_kmodel(self, path):
        print("model:", path)

    def set_input_tensor(self, i, tensor):
        size = len(tensor.array.numbers) // tensor.array.shape[1]
        print("given:", tensor.array.shape, [tensor.array.numbers[k * size] for k in range(tensor.array.shape[1])])

    def run(self):
        pass

    def get_output_tensor(self, i):
        return Tensor(np.ndarray([0.125, 2.0, 0.5], (1, 3)))
