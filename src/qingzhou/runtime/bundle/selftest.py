"""A bundle's self-test on its device: the model's own, then the sample file through all that main.py imports."""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any, Dict, List

from ..errors import FileMissing, QingzhouError, SelfTestFailed, line, say
from .given import predict_file
from .place import FOLDER, read_bundle

CLOSE = 0.02  # of scores, 0 to 1: another processor may round a number to the next of 256 steps
FAR = 0.05  # of a box, as a share of the picture's larger side


def main() -> int:
    """Prints a line for each test; 0 if all went well."""
    bundle = read_bundle() or {}
    failed = 0
    elsewhere = bundle.get("model_files") == []  # another machine runs the model
    for name, test in TESTS[-1:] if elsewhere else TESTS:
        try:
            print(say("OK    %s  %s", "通过  %s  %s") % (say(*name), line(test(bundle))))
        except (QingzhouError, ImportError) as err:
            failed = 1
            print(say("FAIL  %s: %s", "失败  %s：%s") % (say(*name), line(err)))
    return failed


def check_model(bundle: Dict[str, Any]) -> str:
    """The model answers the sample in its card as recorded."""
    worst = _load(bundle).check()
    return str(say("largest difference %.2g", "最大差异 %.2g") % worst)


def check_sample(bundle: Dict[str, Any]) -> str:
    """The sample file is answered as on the computer that made the bundle."""
    sample = bundle.get("sample") or {}
    if not sample.get("file"):
        return say("(no sample file)", "（没有示例文件）")
    model = _load(bundle)
    found, wanted = summary(predict_file(model, os.path.join(FOLDER, sample["file"]))), sample["answer"]
    if not agree(found, wanted):
        raise SelfTestFailed(
            en="%s gives %s, but gave %s where the bundle was made. Copy the bundle again, or install again."
            % (sample["file"], shown(found), shown(wanted)),
            zh="%s 的结果是 %s，而做包时是 %s。请重新复制这个包，或重新安装。"
            % (sample["file"], shown(found), shown(wanted)),
        )
    return shown(found)


def check_program(bundle: Dict[str, Any]) -> str:
    """main.py finds everything that it imports: it is asked for its help, which it prints before anything else."""
    path, words, out = os.path.join(FOLDER, "main.py"), sys.argv, sys.stdout
    if "start(__doc__)" not in _text(path):
        return say("(nothing to try)", "（无需检查）")
    sys.argv = [path, "--help"]
    try:
        with open(os.devnull, "w") as sys.stdout:
            runpy.run_path(path, run_name="__main__")
    except SystemExit:
        pass
    finally:
        sys.argv, sys.stdout = words, out
    return "main.py"


TESTS = (
    (("the model", "模型"), check_model),
    (("the sample", "示例"), check_sample),
    (("the program", "程序"), check_program),
)


def summary(answer: Any) -> List[List[Any]]:
    """An answer as plain values: [label, score, box] of each thing found; or one row of label and score, or values."""
    answers = answer if isinstance(answer, list) else [answer]
    return [_plain(one) for one in answers]


def _plain(one: Any) -> List[Any]:
    if hasattr(one, "box"):
        return [one.label, round(float(one.confidence), 4), [round(float(side), 1) for side in one.box]]
    if one.confidence == one.confidence and one.named is None:  # not NaN: there are classes, of which one is right
        return [one.label, round(float(one.confidence), 4)]
    return ["", *(round(float(value), 5) for value in one.scores.reshape(-1)[:20])]


def agree(found: List[List[Any]], wanted: List[List[Any]]) -> bool:
    """Whether two summaries say the same, as far as two processors can; another label only where both are unsure."""
    if len(found) != len(wanted):
        unsure = [row for row in (*found, *wanted) if len(row) > 1 and row[1] < 0.5]
        return abs(len(found) - len(wanted)) <= len(unsure) // 2
    return all(_agree(a, b) for a, b in zip(found, wanted))


def _agree(a: List[Any], b: List[Any]) -> bool:
    if a[0] != b[0]:
        return bool(a[0] != "" and a[1] < 0.5 and abs(a[1] - b[1]) <= CLOSE)
    if len(a) != len(b):
        return False
    if len(a) == 3 and isinstance(a[2], list):
        side = max(1.0, *map(abs, b[2]))
        return abs(a[1] - b[1]) <= 2 * CLOSE and all(abs(x - y) <= FAR * side for x, y in zip(a[2], b[2]))
    scale = max([1.0, *(abs(value) for value in b[1:])])
    return all(abs(x - y) <= CLOSE * scale for x, y in zip(a[1:], b[1:]))


def shown(rows: List[List[Any]]) -> str:
    """A summary in a few words."""
    words = [" ".join(line(part) for part in (row[:2] if row[0] else row[1:6])) for row in rows[:5]]
    return ", ".join(words) + (" …" if len(rows) > 5 else "") if words else say("nothing found", "没有发现目标")


def _load(bundle: Dict[str, Any]) -> Any:
    """The bundle's model, opened once."""
    if not _opened:
        name = bundle.get("model")
        if not name:
            raise FileMissing(
                en="bundle.json is missing or damaged, so the model is not known. Copy the whole bundle again.",
                zh="bundle.json 缺失或损坏，不知道模型是哪一个。请重新复制整个包。",
            )
        from ..predict import load

        _opened.append(load(os.path.join(FOLDER, name)))
    return _opened[0]


_opened: List[Any] = []


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
