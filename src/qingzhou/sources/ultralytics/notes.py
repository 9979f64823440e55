"""What is said of a file of Ultralytics beside its card: notes, and why it is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import OptionError, UnsupportedCheckpoint, say
from ...runtime.errors import spaced
from ...spelling import option
from .heads import MANY, ONE, Head, held

NETWORKS = ("DetectionModel", "SegmentationModel", "PoseModel", "OBBModel", "ClassificationModel")


def said_of_heads(head: Head) -> list[str]:
    there, other = held(head.module), MANY if head.which == ONE else ONE
    if len(there) == 2:
        en, zh = ("needs no NMS", "不需要 NMS") if head.which == ONE else ("is followed by NMS", "之后要做 NMS")
        return [
            say(
                f"The network has two heads; {head.which} was taken, which {en}. {option('head', other)} takes the "
                "other.",
                f"网络有两个检测头；采用了 {head.which}，它{spaced(zh)}。用 {option('head', other)} 可以换另一个。",
            )
        ]
    children = head.module.get("_modules")
    if (isinstance(children, Mapping) and "one2one_cv2" in children) or head.module.kind == "v10Detect":
        text = f"The file was saved fused and holds only one of the network's two heads, {head.which}."
        return [say(text, f"文件是融合后保存的，两个检测头中只有 {head.which}。")]
    return []


def said_of_letterbox(size: Sequence[int]) -> list[str]:
    if size[0] != size[1]:
        return []
    side, wide = size[0], f"{size[0] * 3 // 4 // 32 * 32 or 32},{size[0]}"
    return [
        say(
            f"Pictures are fitted into the whole {side} x {side} and filled up with grey, as Ultralytics does with "
            "exported models. With a .pt it fills up to a multiple of 32 only, and its boxes differ a little; for "
            f"pictures of one shape {option('input_size', wide)} (for 4:3) does the same.",
            f"图片按比例放入 {side} x {side}，其余部分填灰色，与 Ultralytics 使用导出模型时相同。"
            "Ultralytics 直接用 .pt 时只补到 32 的倍数，框略有不同；"
            f"图片形状固定时可以用 {option('input_size', wide)}（4:3）得到同样的结果。",
        )
    ]


# -- what is refused ---------------------------------------------------------------------------------------------------


def other_repository(name: str) -> UnsupportedCheckpoint:
    return UnsupportedCheckpoint(
        en=f"The file holds a {name}, a class of the older repositories of YOLOv5, YOLOv6, YOLOv7 or YOLOv9, which "
        "is another program than Ultralytics' package; expected a file of that. Train with the package (yolov5nu.pt is "
        "its YOLOv5), or export to ONNX in that repository: python export.py --include onnx.",
        zh=f"文件里是 {name}，属于 YOLOv5、YOLOv6、YOLOv7 或 YOLOv9 的旧代码仓库，与 ultralytics 软件包不同；"
        "需要后者保存的文件。请用软件包训练（yolov5nu.pt 是其中的 YOLOv5），或在该仓库里导出 ONNX："
        "python export.py --include onnx。",
    )


def other_network(name: str) -> UnsupportedCheckpoint:
    return UnsupportedCheckpoint(
        en=f"The file holds a {name} of Ultralytics, which cannot be converted; expected {', '.join(NETWORKS)}. Export "
        "it to ONNX there: yolo export format=onnx model=….pt",
        zh=f"文件里是 Ultralytics 的 {name}，无法转换；应为 {'、'.join(NETWORKS)}。"
        "请用 Ultralytics 导出 ONNX：yolo export format=onnx model=….pt",
    )


def no_heads() -> OptionError:
    return OptionError(
        en=f"{option('head')} is for detectors with two heads, but the file holds a classifier. Leave it out.",
        zh=f"{option('head')} 用于有两个检测头的网络，而文件里是分类网络。请去掉这个选项。",
    )


def no_nms() -> OptionError:
    """A threshold for what is not done."""
    return OptionError(
        en=f"{option('iou_threshold')} is for NMS, which the head {ONE} does not need. Leave it out, or take the other "
        f"head with {option('head', MANY)}.",
        zh=f"{option('iou_threshold')} 用于 NMS，而检测头 {ONE} 不需要 NMS。请去掉它，"
        f"或用 {option('head', MANY)} 换另一个检测头。",
    )
