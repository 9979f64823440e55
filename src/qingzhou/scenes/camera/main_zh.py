"""实时识别摄像头看到的东西，并做出反应。

用法：  python main.py          按 q、Esc 或板子上的按钮结束
        python main.py --sim    没有摄像头、引脚和语音时：用文件夹里的图片，把动作打印出来
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.camera import Camera
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.screen import Screen
    from qingzhou_runtime.start import start
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里
CAMERA = "auto"  # "auto"（自动）、编号、网络地址 "http://..."、视频文件，或图片文件夹
SIZE = "640x480"  # 向摄像头请求的画面大小：小的更快，大的看得更清楚
FULL_SCREEN = False  # True：画面铺满屏幕
ROTATE = 0  # 屏幕上的画面旋转 0、90、180 或 270 度
RULES = []  # 什么时候做什么，例如：'当 "小猫" 高于 0.8 连续 3 帧：说("小猫")，引脚(24, 开)'

start(__doc__)

# 1. 打开模型、规则、屏幕和摄像头
model = load(Path(__file__).with_name(MODEL))
with Rules(RULES, model.labels) as rules, Screen(FULL_SCREEN, ROTATE) as screen:
    with Camera(CAMERA, idle=screen.alive, size=SIZE) as camera:
        # 2. 不断地取最新的一张画面，让模型识别
        for picture in camera:
            answer = model.predict(picture)
            # 3. 按规则做出反应，并显示结果
            rules.check(answer)
            if not screen.show(picture, answer):
                break
