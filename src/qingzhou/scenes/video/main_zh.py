"""逐帧识别一段视频，把结果存成表格。

用法：  python main.py 视频.mp4
        python main.py --sim    没有视频时：用文件夹里的图片
"""

import csv
import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.camera import Camera
    from qingzhou_runtime.draw import caption
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.screen import Screen
    from qingzhou_runtime.start import start
    from qingzhou_runtime.text import cell
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里
VIDEO = "auto"  # 视频文件；"auto" 表示摄像头
RESULT = "result.csv"  # 存到同一文件夹里的表格
ROTATE = 0  # 屏幕上的画面旋转 0、90、180 或 270 度
RULES = []  # 什么时候做什么，例如：'当 "小猫" 高于 0.8 连续 3 帧：打印(类别)'

words = start(__doc__)

# 1. 打开模型和视频；every 表示一帧也不漏
model = load(Path(__file__).with_name(MODEL))
video = Camera(words[0] if words else VIDEO, every=True)
table = open(str(Path(__file__).with_name(RESULT)), "w", newline="", encoding="utf-8-sig")

with video, table, Rules(RULES, model.labels) as rules, Screen(rotate=ROTATE) as screen:
    rows = csv.writer(table)
    rows.writerow(["帧", "类别", "置信度"])
    # 2. 一帧一帧地识别
    for number, picture in enumerate(video, start=1):
        answer = model.predict(picture)
        rules.check(answer)
        # 3. 检测模型找到的每样东西一行，分类模型每帧一行
        for one in answer if isinstance(answer, list) else answer.named or [answer]:
            rows.writerow([number, cell(one.label or caption(one)), "%.3f" % one.confidence])
        if not screen.show(picture, answer):
            break
print("表格已保存为 %s" % RESULT)
