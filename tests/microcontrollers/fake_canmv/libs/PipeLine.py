"""A camera of two pictures, and a screen that prints."""

import ulab.numpy as np


class Drawn:
    def clear(self):
        print("screen: clear")

    def draw_string_advanced(self, x, y, size, text, color):
        assert len(color) == 4
        print("screen:", text)


class PipeLine:
    def __init__(self, rgb888p_size, display_mode):
        self.size, self.left, self.osd_img = rgb888p_size, 2, Drawn()
        print("camera:", rgb888p_size, display_mode)

    def create(self):
        pass

    def get_frame(self):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        wide, high = self.size
        levels = b"".join([bytes([channel]) * (wide * high) for channel in (10, 20, 30)])
        return np.ndarray(levels, (3, high, wide))

    def show_image(self):
        print("screen: shown")

    def destroy(self):
        print("camera: off")
