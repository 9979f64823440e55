"""看摄像头，说出看到了什么。用于装有 ESP-VISION 固件的 ESP32-S3 或 ESP32-P4 开发板。

把 main.py 和模型文件复制到板子的 SD 卡里，重新上电就会运行。
"""

import math
import struct

import espdl
import image
import sensor

MODEL = "/sdcard/model.espdl"  # 模型文件在 SD 卡里的位置
LABELS = ["cat", "dog"]  # 类别名称，顺序与模型一致
CROP = [40, 0, 240, 240]  # 从 320 x 240 的画面中取哪一块：左、上、宽、高
SIZE = [224, 224]  # 模型要的尺寸：宽、高
MEAN = [123.675, 116.28, 103.53]  # 每个颜色减去多少
STD = [58.395, 57.12, 57.375]  # 再除以多少
GRAY = False  # True：模型要灰度图片
SOFTMAX = False  # True：模型给出的还不是概率
FLOAT, INT8 = 1, 3  # ESP-DL 的数字类型

# 1. 打开模型和摄像头
model = espdl.Model(MODEL, mean=MEAN, std=STD, letterbox=False)
sensor.reset()
sensor.set_pixformat(sensor.GRAYSCALE if GRAY else sensor.RGB565)
sensor.set_framesize(sensor.QVGA)
sensor.skip_frames(time=1000)

try:
    while True:
        # 2. 拍一张，取中间一块，缩小到模型要的尺寸
        picture = sensor.snapshot()
        part = picture.copy(roi=CROP, x_scale=SIZE[0] / CROP[2], y_scale=SIZE[1] / CROP[3], hint=image.AREA)

        # 3. 让模型看，得到每个类别的得分
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

        # 4. 得分最高的就是回答
        best = max(range(len(LABELS)), key=lambda i: scores[i])
        print("%s  %d%%" % (LABELS[best], round(100 * scores[best])))
        picture.draw_rectangle(CROP[0], CROP[1], CROP[2], CROP[3])
        picture.draw_string(4, 4, "%d  %d%%" % (best, round(100 * scores[best])), scale=3)
        picture.flush()
finally:
    model.deinit()
