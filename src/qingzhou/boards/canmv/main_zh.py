"""看摄像头，说出看到了什么，结果显示在屏幕上。用于 K230 开发板（CanMV 固件）。

把 main.py 和模型文件复制到板子的 SD 卡里，用 CanMV IDE 打开 main.py 并运行；按停止键结束。
"""

import gc

import nncase_runtime as nn
import ulab.numpy as np
from libs.PipeLine import PipeLine

MODEL = "/sdcard/model.kmodel"  # 模型文件在 SD 卡里的位置
NNCASE = "2.11.0"  # 固件里的 nncase 必须是这个版本，否则模型打不开
LABELS = ["cat", "dog"]  # 类别名称，顺序与模型一致
SCREEN = "lcd"  # "lcd"（自带屏幕）或 "hdmi"
CAMERA = [640, 360]  # 摄像头画面：宽、高
CROP = [140, 0, 360, 360]  # 从画面中取哪一块：左、上、宽、高
SIZE = [224, 224]  # 缩小到模型要的尺寸：宽、高
PAD = [0, 0, 0, 0]  # 四周补多少：上、下、左、右（SIZE 是补之前的尺寸）
PAD_COLOR = [0, 0, 0]  # 用什么颜色补
COLOR = "RGB"  # 模型要的颜色："RGB"、"BGR" 或 "GRAY"（灰度）
SOFTMAX = False  # True：模型给出的还不是概率

# 1. 打开摄像头、屏幕和模型
camera = PipeLine(rgb888p_size=CAMERA, display_mode=SCREEN)
camera.create()
kpu = nn.kpu()
kpu.load_kmodel(MODEL)

# 2. 告诉图像处理器：怎样把画面变成模型要的图片。减均值、除标准差在模型文件里完成
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
        # 3. 拍一张，变成模型要的图片
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

        # 4. 让模型看，得到每个类别的得分
        kpu.set_input_tensor(0, given)
        kpu.run()
        scores = kpu.get_output_tensor(0).to_numpy().flatten()
        if SOFTMAX:
            scores = np.exp(scores - np.max(scores))
            scores = scores / np.sum(scores)

        # 5. 得分最高的就是回答
        best = int(np.argmax(scores))
        text = "%s  %d%%" % (LABELS[best], round(100 * scores[best]))
        print(text)
        camera.osd_img.clear()
        camera.osd_img.draw_string_advanced(16, 16, 48, text, color=(255, 255, 220, 0))
        camera.show_image()
        gc.collect()
finally:
    camera.destroy()
