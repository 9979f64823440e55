"""The names of the packages efficientnet_pytorch and efficientnet_lite_pytorch, whose weights came from TensorFlow: its
padding and its eps.
"""

from __future__ import annotations

from collections.abc import Iterator

from .layouts import Layout, Rules
from .pages import EFFICIENTNET_OF_TENSORFLOW
from .shapes import Shapes, children, size

ENDS: Rules = (
    *(
        ("_conv_stem", "conv_stem"),
        ("_bn0", "bn1"),
        ("_conv_head", "conv_head"),
        ("_bn1", "bn2"),
        ("_fc", "classifier"),
    ),
)
GATE = (("_se_reduce", "se.conv_reduce"), ("_se_expand", "se.conv_expand"))
# With an expansion, and without
BLOCKS = {
    True: (
        *(("_expand_conv", "conv_pw"), ("_bn0", "bn1"), ("_depthwise_conv", "conv_dw"), ("_bn1", "bn2")),
        *(("_project_conv", "conv_pwl"), ("_bn2", "bn3")),
    ),
    False: (("_depthwise_conv", "conv_dw"), ("_bn1", "bn1"), ("_project_conv", "conv_pw"), ("_bn2", "bn2")),
}


def rules(shapes: Shapes) -> Rules:
    """Blocks are numbered through all stages; one begins where they give another number of channels."""
    return (*ENDS, *_blocks(shapes)) if "_blocks.0._depthwise_conv.weight" in shapes else ()


def _blocks(shapes: Shapes) -> Iterator[tuple[str, str]]:
    stage, place, before = -1, 0, 0
    for i in children(shapes, "_blocks."):
        channels = size(shapes, f"_blocks.{i}._project_conv.weight")
        stage, place = (stage, place + 1) if channels == before else (stage + 1, 0)
        before = channels
        wide = f"_blocks.{i}._expand_conv.weight" in shapes
        for theirs, ours in (*BLOCKS[wide], *GATE):
            yield f"_blocks.{i}.{theirs}", f"blocks.{stage}.{place}.{ours}"


EFFICIENTNET_PYTORCH = (Layout("efficientnet_pytorch", (EFFICIENTNET_OF_TENSORFLOW,), rules, interpolation="bicubic"),)
