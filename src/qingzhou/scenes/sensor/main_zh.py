"""把传感器的数值作为一行数据，不断送进模型，再按规则做出反应。

micro:bit 或 Arduino 通过 USB 线发来  temperature:25  这样的一行，也可以由别的板子用 MQTT 发来。

用法：  python main.py          按 Ctrl+C 结束
        python main.py --sim    用 sim/serial.txt 和 sim/mqtt.txt 里的内容，或模型自带的示例
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.draw import caption
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.sensors import rows
    from qingzhou_runtime.start import start
except ImportError as err:
    sys.exit("请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）" % err)

MODEL = "model.onnx"  # 模型文件，和本程序放在同一个文件夹里
SENSORS = []  # 按顺序，每列一个传感器：['serial("temperature")', 'mqtt("siot/light")']
SECONDS = 1.0  # 两次读取之间停多少秒
RULES = []  # 什么时候做什么，例如：'当 "太干" 高于 0.8：引脚(24, 开)，说("该浇水了")'

start(__doc__)

# 1. 打开模型和规则
model = load(Path(__file__).with_name(MODEL))
with Rules(RULES, model.labels) as rules:
    # 2. 每当所有传感器都有了数值，就问模型
    for row in rows(SENSORS, SECONDS, model.sample_input):
        answer = model.predict(row)
        # 3. 显示结果，并按规则做出反应
        print(row, "->", caption(answer))
        rules.check(answer)
