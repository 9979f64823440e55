"""把摄像头的画面和识别结果做成网页，同一网络里的手机和电脑都能看。

用法：  python main.py          按 Ctrl+C 结束
        python main.py --sim    没有摄像头、引脚和语音时：用文件夹里的图片，把动作打印出来
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.camera import Camera
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.start import start
    from qingzhou_runtime.stream import Page
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里
CAMERA = "auto"  # "auto"（自动）、编号、网络地址 "http://..."、视频文件，或图片文件夹
SIZE = "640x480"  # 向摄像头请求的画面大小：小的更快，大的看得更清楚
PORT = 8080  # 网页地址是 http://（板子的地址）:8080
RULES = []  # 什么时候做什么，例如：'当 "小猫" 高于 0.8 连续 3 帧：说("小猫")，引脚(24, 开)'

start(__doc__)

# 1. 打开模型、规则、网页和摄像头。网页的地址会打印出来
model = load(Path(__file__).with_name(MODEL))
with Rules(RULES, model.labels) as rules, Page(PORT) as page, Camera(CAMERA, size=SIZE) as camera:
    # 2. 不断地取最新的一张画面，识别，放到网页上
    for picture in camera:
        answer = model.predict(picture)
        rules.check(answer)
        page.show(picture, answer)
