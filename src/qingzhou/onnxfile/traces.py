"""What exporters leave at nodes of the program that made them: lines of code, and paths with people's names in them.

torch.onnx keeps whole stack traces, in NodeProto.metadata_props since torch 2.5 and in NodeProto.doc_string before
(onnx.proto): nothing needs them to run a model, and who passes it on passes them on.
"""

from __future__ import annotations

import re

from ..files.wire import BYTES, Field, Message

DOC, PROPS = 6, 9  # fields of a NodeProto
TRACES = (DOC, PROPS)
KEYS = re.compile(r"(^|\.)stack_trace$")
CODE = re.compile(r'File "|\.py[(:"]\d|\.py", line|(^|\s)(/home/|/Users/|/root/|[A-Za-z]:\\)')


def is_trace(m: Message, field: Field) -> bool:
    """Whether this field of a node tells where in a program it comes from."""
    if field.kind != BYTES:
        return False
    if field.number == DOC:
        return CODE.search(m.text(field)) is not None
    entry = m.inside(field)
    texts = {one.number: entry.text(one) for one in entry.fields() if one.number in (1, 2)}
    return KEYS.search(texts.get(1, "")) is not None or CODE.search(texts.get(2, "")) is not None
