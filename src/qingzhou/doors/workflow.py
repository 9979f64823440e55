"""XEduHub's Workflow for converted models: tasks mmedu, basenn and custom, fed as each model's own card says."""

from __future__ import annotations

import pprint
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import (
    CheckpointMissing,
    CheckpointTypeError,
    FileMissing,
    InputError,
    ShowBeforeInference,
    TaskError,
    say,
)
from ..runtime.read import is_picture
from .answers import (
    CONFIDENCE,
    Array,
    as_array,
    check_img_type,
    classified,
    detected,
    listed,
    save_picture,
    show_picture,
    to_picture,
    translated,
)
from .common import hint, tell
from .engine import Engine, Raw

TASKS = ("mmedu", "basenn", "custom")


class Workflow:
    """Run a converted model.

    >>> from XEdu.hub import Workflow as wf
    >>> mm = wf(task="mmedu", checkpoint="cats.onnx")
    >>> result, img = mm.inference(data="cat.jpg", img_type="cv2")
    >>> mm.format_output(lang="en")
    """

    def __init__(
        self,
        task: str | None = None,
        checkpoint: str | Path | None = None,
        download_path: str | None = None,
        repo: str | None = None,
        **kwargs: Any,
    ) -> None:
        """`task` is mmedu, basenn or custom, `checkpoint` an .onnx file; nothing is ever downloaded."""
        self.task = _task(task if repo is None else f"repo={repo}")
        path = _onnx_file(checkpoint, self.task)
        self.model: Any = Raw(path) if self.task == "custom" else Engine(path)
        self._result: Any = None
        self._img_type: str | None = None
        tell(say(en=f"The model for task {self.task} is loaded.", zh=f"{self.task}任务模型加载成功！"))

    @classmethod
    def support_task(cls) -> list[str]:
        """The tasks that this version has."""
        return list(TASKS)

    def inference(
        self,
        data: Any = None,
        show: bool = False,
        img_type: str | None = None,
        thr: float = 0.3,
        bbox: Any = None,
        target_class: Any = None,
        erase: bool = False,
        preprocess: Callable[[Any], Any] | None = None,
        postprocess: Callable[[Any, Any], Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """The result; with img_type "cv2" or "pil", the pair (result, picture with the result on it).

        mmedu: {'标签', '置信度', '预测结果'}, a list of those with '坐标' for detectors, from the confidence `thr` on,
        a list of those that are there for models of several classes; a list of results for a folder.
        basenn: [array of outputs].
        custom: postprocess(outputs, fed) if given, else [arrays].
        """
        chosen = check_img_type(img_type)
        if data is None:
            raise InputError(
                en="inference() got no data; expected a picture's path, an array or a list. Write inference(data=...).",
                zh="inference() 没有收到数据，应为图片路径、数组或列表。请写成 inference(data=...)。",
            )
        if self.task == "custom":
            self._result = self._custom(data, preprocess, postprocess)
            return self._result
        self._result = self._mmedu(data, thr) if self.task == "mmedu" else self._basenn(data)
        self._img_type = chosen or ("pil" if show else None)
        if not self._img_type:
            return self._result
        picture = self._drawn(data, thr)
        if show:
            show_picture(picture)
        return (self._result, as_array(picture, chosen)) if chosen else self._result

    def format_output(self, lang: str = "zh", isprint: bool = True, **kwargs: Any) -> Any:
        """The last result as plain values with keys in zh, en, ru, de or fr; printed unless isprint=False."""
        if self._result is None:
            raise _too_early("format_output()")
        plain = listed(self._result[0], self.model.card) if self.task == "basenn" else self._result
        answer = translated(plain, lang)
        if isprint:
            tell(pprint.pformat(answer, sort_dicts=False))
        return answer

    def show(self, img: Any) -> None:
        """Show a picture that inference(img_type=...) returned."""
        show_picture(self._picture(img, "show()"))

    def save(self, img: Any, save_path: str | Path) -> None:
        """Save a picture that inference(img_type=...) returned."""
        save_picture(self._picture(img, "save()"), save_path)

    def _picture(self, img: Any, verb: str) -> Image.Image:
        if self._img_type is None or img is None:
            raise _too_early(verb)
        return to_picture(img, self._img_type)

    def _mmedu(self, data: Any, thr: float) -> Any:
        """One answer, or a list for a folder or a list of pictures."""
        if isinstance(data, (str, Path)) and Path(data).is_dir():
            data = sorted(path for path in Path(data).iterdir() if is_picture(path))
        if isinstance(data, list) and all(isinstance(one, (str, Path, Image.Image)) for one in data):
            return [self._mmedu(one, thr) for one in data]
        self._check_file(data)
        if self.model.card.task == "detection":
            return detected(self.model.detections(data, thr))
        return classified(self.model.outputs(data)[0], self.model.card)

    def _basenn(self, data: Any) -> list[Array]:
        if self.model.card.input.kind != "tokens":
            self._check_file(data)
        return [np.asarray(self.model.outputs(data)[0])]

    def _custom(
        self,
        data: Any,
        preprocess: Callable[[Any], Any] | None = None,
        postprocess: Callable[[Any, Any], Any] | None = None,
    ) -> Any:
        fed = data if preprocess is None else preprocess(data)
        result = self.model.outputs(fed)
        return result if postprocess is None else postprocess(result, fed)

    def _check_file(self, data: Any) -> None:
        if isinstance(data, (str, Path)) and not Path(data).exists():
            raise FileMissing(
                en=f"There is no file {data}; expected an existing picture or data file. Check name and folder.",
                zh=f"文件 {data} 不存在，应为已有的图片或数据文件。请检查文件名和所在的文件夹。",
            )

    def _drawn(self, data: Any, thr: float) -> Image.Image:
        """The picture with the answer on it, or without, where the confidence is below the threshold."""
        answer = self._result if isinstance(self._result, dict) else {}
        sure = float(answer.get(CONFIDENCE, 1.0))
        if sure < thr:
            hint(
                en=f"the confidence {sure:.2f} is below thr={thr}, so nothing is drawn.",
                zh=f"置信度 {sure:.2f} 低于 thr={thr}，所以不在图片上标出结果。",
            )
        picture: Image.Image = self.model.drawn(data, sure >= thr)
        return picture


def _task(task: object) -> str:
    chosen = task.strip().lower() if isinstance(task, str) else task
    if isinstance(chosen, str) and chosen in TASKS:
        return chosen
    more_en = more_zh = ""
    if chosen == "baseml":
        more_en = " A BaseML .pkl runs code when it is opened, so use the original XEduHub for it."
        more_zh = "BaseML 的 .pkl 文件打开时会运行其中的代码，请用原版 XEduHub。"
    raise TaskError(
        en=f"task is {task!r}; Qingzhou's Workflow has {', '.join(TASKS)}.{more_en} "
        "For other tasks install the original: pip install xedu-python.",
        zh=f"task 的值是 {task!r}，轻舟的 Workflow 支持 {'、'.join(TASKS)}。{more_zh}"
        "其他任务请安装原版：pip install xedu-python。",
    )


def _onnx_file(checkpoint: object, task: str) -> Path:
    """The path of an existing .onnx file: CheckpointMissing or CheckpointTypeError otherwise."""
    if not isinstance(checkpoint, (str, Path)) or not Path(checkpoint).is_file():
        raise CheckpointMissing(
            en=f"checkpoint is {checkpoint!r}, where there is no file; expected a converted .onnx model. "
            f"Write Workflow(task='{task}', checkpoint='best.onnx').",
            zh=f"checkpoint 的值是 {checkpoint!r}，那里没有文件，应为转换后的 .onnx 模型。"
            f"请写成 Workflow(task='{task}', checkpoint='best.onnx')。",
        )
    path = Path(checkpoint)
    if path.suffix.lower() != ".onnx":
        raise CheckpointTypeError(
            en=f"{path.name} is no .onnx file. Convert it first: qingzhou convert {path.name}",
            zh=f"{path.name} 不是 .onnx 文件。请先转换：qingzhou convert {path.name}",
        )
    return path


def _too_early(verb: str) -> ShowBeforeInference:
    return ShowBeforeInference(
        en=f"{verb} was called, but there is no result with a picture yet. First inference(data=..., img_type='cv2').",
        zh=f"调用了 {verb}，但还没有推理结果。请先 inference(data=..., img_type='cv2')。",
    )
