"""两个模型接力：第一个找到东西，第二个仔细看每一样是什么。

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

MODEL = "model.onnx"  # 找东西的模型（目标检测），和本程序放在同一个文件夹里
SECOND = "second.onnx"  # 仔细看的模型（图像分类），也放在同一个文件夹里
FIND = ""  # 只仔细看这一类东西；"" 表示全部
CAMERA = "auto"  # "auto"（自动）、编号、网络地址 "http://..."、视频文件，或图片文件夹
SIZE = "640x480"  # 向摄像头请求的画面大小：小的更快，大的看得更清楚
FULL_SCREEN = False  # True：画面铺满屏幕
ROTATE = 0  # 屏幕上的画面旋转 0、90、180 或 270 度
RULES = []  # 什么时候做什么，两个模型的类别都能用：'当 "小猫" 高于 0.8：说("小猫")'

start(__doc__)

# 1. 打开两个模型、规则、屏幕和摄像头
finder = load(Path(__file__).with_name(MODEL))
judge = load(Path(__file__).with_name(SECOND))
with Rules(RULES, finder.labels + judge.labels) as rules, Screen(FULL_SCREEN, ROTATE) as screen:
    with Camera(CAMERA, idle=screen.alive, size=SIZE) as camera:
        for picture in camera:
            # 2. 找东西
            things = finder.predict(picture)
            for place, thing in enumerate(things):
                if FIND in ("", thing.label):
                    # 3. 把每样东西从画面里剪下来，问第二个模型它是什么
                    x1, y1, x2, y2 = (int(corner) for corner in thing.box)
                    closer = judge.predict(picture[y1 : y2 + 1, x1 : x2 + 1])
                    things[place] = thing._replace(label=closer.label, confidence=closer.confidence)
            # 4. 按规则做出反应，并显示结果
            rules.check(things)
            if not screen.show(picture, things):
                break
