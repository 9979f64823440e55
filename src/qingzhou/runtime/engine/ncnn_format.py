"""ncnn's two files as plain facts: what is written by engines/ncnn/emitter.py, and read by ncnn_file.py.

Both files are described in ncnn's docs/developer-guide/param-and-model-file-structure.md; which numbers carry a tag is
from load_model() in its src/layer.
"""

from __future__ import annotations

MAGIC = 7767517
CARD = "# qingzhou.card "  # begins the line after the last layer; ncnn reads as many layers as it was told, and no more
# What ModelBin::load(…, 0) reads before the numbers (src/modelbin.cpp)
TAG_FLOAT32, TAG_FLOAT16, TAG_INT8 = 0, 0x01306B47, 0x000D4B38
STORED = {TAG_FLOAT32: "<f4", TAG_FLOAT16: "<f2", TAG_INT8: "i1"}  # numpy's names of them
MOST_AXES = 4  # of a blob
# Permute's order_type by the axes that become w, h, …, as operators.md writes them.
ORDERS = {
    1: ["W"],
    2: ["WH", "HW"],
    3: ["WHC", "HWC", "WCH", "CWH", "HCW", "CHW"],
    4: [
        "WHDC", "HWDC", "WDHC", "DWHC", "HDWC", "DHWC", "WHCD", "HWCD", "WCHD", "CWHD", "HCWD", "CHWD",
        "WDCH", "DWCH", "WCDH", "CWDH", "DCWH", "CDWH", "HDCW", "DHCW", "HCDW", "CHDW", "DCHW", "CDHW",
    ],
}  # fmt: skip
SIZES = {1: (0,), 2: (1, 0), 3: (2, 1, 0), 4: (2, 11, 1, 0)}  # Reshape's and Input's numbers for the sizes
