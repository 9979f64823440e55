"""The self-test on a board:  python -m qingzhou_runtime best.onnx"""

from __future__ import annotations

import sys

from .errors import QingzhouError, line, say
from .predict import load


def main(names: list[str]) -> int:
    """Check every model named; 1 if one does not answer its own sample as recorded."""
    if not names:
        print(say("Usage: python -m qingzhou_runtime best.onnx", "用法：python -m qingzhou_runtime best.onnx"))
        return 2
    failed = 0
    for name in names:
        try:
            worst = load(name).check()
            print(say("OK    %s (largest difference %.2g)", "通过  %s（最大差异 %.2g）") % (line(name), worst))
        except QingzhouError as err:
            failed = 1
            print(say("FAIL  %s: %s", "失败  %s：%s") % (line(name), line(err)))
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
