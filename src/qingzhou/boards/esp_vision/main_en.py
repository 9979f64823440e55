"""Looks through the camera and says what it sees. For boards with an ESP32-S3 or ESP32-P4 and the firmware ESP-VISION.

Copy main.py and the model's file to the board's SD card; it runs when the board is switched on.
"""

import math
import struct

import espdl
import image
import sensor

MODEL = "/sdcard/model.espdl"  # where the model's file is on the SD card
LABELS = ["cat", "dog"]  # the classes, in the model's order
CROP = [40, 0, 240, 240]  # which part of the 320 x 240 picture is taken: left, top, width, height
SIZE = [224, 224]  # what the model wants: width, height
MEAN = [123.675, 116.28, 103.53]  # what is taken off each colour
STD = [58.395, 57.12, 57.375]  # and what it is divided by then
GRAY = False  # True: the model wants grey pictures
SOFTMAX = False  # True: what the model gives are no probabilities yet
FLOAT, INT8 = 1, 3  # kinds of numbers in ESP-DL

# 1. Open the model and the camera
model = espdl.Model(MODEL, mean=MEAN, std=STD, letterbox=False)
sensor.reset()
sensor.set_pixformat(sensor.GRAYSCALE if GRAY else sensor.RGB565)
sensor.set_framesize(sensor.QVGA)
sensor.skip_frames(time=1000)

try:
    while True:
        # 2. Take a picture, and of it the middle, as small as the model wants it
        picture = sensor.snapshot()
        part = picture.copy(roi=CROP, x_scale=SIZE[0] / CROP[2], y_scale=SIZE[1] / CROP[3], hint=image.AREA)

        # 3. Let the model look: a score for each class
        for _, shape, kind, exponent, data in model.predict(part).values():
            if kind == FLOAT:
                scores = struct.unpack("<%df" % len(LABELS), data)
            elif kind == INT8:
                scores = [one * 2.0**exponent for one in struct.unpack("<%db" % len(LABELS), data)]
            else:
                raise ValueError("unknown numbers: %d" % kind)
            if SOFTMAX:
                powers = [math.exp(one - max(scores)) for one in scores]
                scores = [one / sum(powers) for one in powers]

        # 4. The highest score is the answer
        best = max(range(len(LABELS)), key=lambda i: scores[i])
        print("%s  %d%%" % (LABELS[best], round(100 * scores[best])))
        picture.draw_rectangle(CROP[0], CROP[1], CROP[2], CROP[3])
        picture.draw_string(4, 4, "%d  %d%%" % (best, round(100 * scores[best])), scale=3)
        picture.flush()
finally:
    model.deinit()
