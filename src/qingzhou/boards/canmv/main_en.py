"""Looks through the camera and says what it sees, on the screen. For boards with a K230 (CanMV firmware).

Copy main.py and the model's file to the board's SD card, open main.py in CanMV IDE and run it; the stop button ends it.
"""

import gc

import nncase_runtime as nn
import ulab.numpy as np
from libs.PipeLine import PipeLine

MODEL = "/sdcard/model.kmodel"  # where the model's file is on the SD card
NNCASE = "2.11.0"  # the nncase in the firmware must be this version, or the model does not open
LABELS = ["cat", "dog"]  # the classes, in the model's order
SCREEN = "lcd"  # "lcd" (the board's own) or "hdmi"
CAMERA = [640, 360]  # the camera's picture: width, height
CROP = [140, 0, 360, 360]  # which part of it is taken: left, top, width, height
SIZE = [224, 224]  # made as small as the model wants it: width, height
PAD = [0, 0, 0, 0]  # how much is added around it: top, bottom, left, right (SIZE is before that)
PAD_COLOR = [0, 0, 0]  # in which colour
COLOR = "RGB"  # what the model wants: "RGB", "BGR" or "GRAY"
SOFTMAX = False  # True: what the model gives are no probabilities yet

# 1. Open the camera, the screen and the model
camera = PipeLine(rgb888p_size=CAMERA, display_mode=SCREEN)
camera.create()
kpu = nn.kpu()
kpu.load_kmodel(MODEL)

# 2. Tell the image processor how a picture becomes the model's. Mean and deviation are taken off inside the file
wide, high = SIZE[0] + PAD[2] + PAD[3], SIZE[1] + PAD[0] + PAD[1]
eye = nn.ai2d()
eye.set_dtype(nn.ai2d_format.NCHW_FMT, nn.ai2d_format.NCHW_FMT, np.uint8, np.uint8)
eye.set_crop_param(True, CROP[0], CROP[1], CROP[2], CROP[3])
eye.set_resize_param(True, nn.interp_method.tf_bilinear, nn.interp_mode.half_pixel)
eye.set_pad_param(sum(PAD) > 0, [0, 0, 0, 0] + PAD, 0, PAD_COLOR)
shrink = eye.build([1, 3, CAMERA[1], CAMERA[0]], [1, 3, high, wide])
small = nn.from_numpy(np.zeros((1, 3, high, wide), dtype=np.uint8))

try:
    while True:
        # 3. Take a picture and make it the model's
        picture = camera.get_frame().reshape((1, 3, CAMERA[1], CAMERA[0]))
        shrink.run(nn.from_numpy(picture), small)
        given = small
        if COLOR != "RGB":
            red, green, blue = [small.to_numpy()[0][i] for i in range(3)]
            if COLOR == "GRAY":
                channels = [np.array(0.299 * red + 0.587 * green + 0.114 * blue + 0.5, dtype=np.uint8)]
            else:
                channels = [blue, green, red]
            given = nn.from_numpy(np.concatenate(channels).reshape((1, len(channels), high, wide)))

        # 4. Let the model look: a score for each class
        kpu.set_input_tensor(0, given)
        kpu.run()
        scores = kpu.get_output_tensor(0).to_numpy().flatten()
        if SOFTMAX:
            scores = np.exp(scores - np.max(scores))
            scores = scores / np.sum(scores)

        # 5. The highest score is the answer
        best = int(np.argmax(scores))
        text = "%s  %d%%" % (LABELS[best], round(100 * scores[best]))
        print(text)
        camera.osd_img.clear()
        camera.osd_img.draw_string_advanced(16, 16, 48, text, color=(255, 255, 220, 0))
        camera.show_image()
        gc.collect()
finally:
    camera.destroy()
