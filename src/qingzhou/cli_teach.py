"""The verb that teaches: as cli.py, nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from .cli_common import Numbers, common, friendly, main
from .errors import OptionError, say


@main.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--from", "backbone", required=True, type=click.Path(path_type=Path), help="Any classifier. 任意分类模型。"
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The .onnx. 输出文件。")
@click.option("--camera", is_flag=False, flag_value="auto", help="Take the pictures now: 0, auto, … 现在用摄像头拍。")
@click.option("--classes", help="With --camera: cup,pen. 用摄像头时的类别：杯子,笔。")
@click.option("--each", type=int, default=20, show_default=True, help="With --camera: pictures of a class. 每类几张。")
@click.option("--unknown/--no-unknown", default=True, help="Whether it may answer “unknown”. 能否回答“不认识”。")
@click.option("--input-size", type=Numbers(), help="Where the backbone leaves it open: 224,224. 输入尺寸。")
@click.option("--preprocess", metavar="WAY", help="Where the backbone does not say it. 图片的预处理方法。")
@common
def teach(
    data: Path,
    backbone: Path,
    out: Path | None,
    camera: str | None,
    classes: str | None,
    each: int,
    unknown: bool,
    input_size: tuple[int, ...] | None,
    preprocess: str | None,
    lang: str | None,
    as_json: bool,
) -> None:
    """Teach a model new classes in seconds, from a few pictures of each: DATA/cup/*.jpg, DATA/pen/*.jpg.

    几秒钟教会模型新的类别：每类几张图片，放在 DATA/杯子、DATA/笔 这样的文件夹里，或用 --camera 现拍。
    """
    with friendly(lang, as_json):
        from .options import Options
        from .present.pieces import busy
        from .present.taught import taught
        from .teaching import teach as do
        from .teaching.backbone import open_backbone

        if camera is None and classes is not None:
            raise OptionError(
                en="--classes is for --camera; the classes of pictures that are there are the names of their folders. "
                "Leave it out, or add --camera.",
                zh="--classes 只和 --camera 一起用；已有图片的类别就是文件夹的名称。请去掉它，或加上 --camera。",
            )
        options = Options(input_size=input_size, preprocess=preprocess)
        if camera is not None:
            names = _names(classes, each)
            open_backbone(backbone, options)  # before anybody poses
            _take(data, camera, names, each)
        with busy(say("teaching", "教学中")) as tell:
            found = do(data, backbone, out, unknown=unknown, options=options, tell=tell)
        taught(found, as_json)


def _names(classes: str | None, each: int) -> list[str]:
    """What --classes names: cup,pen."""
    from .teaching.camera import refuse_wrong

    names = [name.strip() for name in (classes or "").replace("，", ",").split(",") if name.strip()]
    refuse_wrong(names, each)
    return names


def _take(folder: Path, camera: str, names: list[str], each: int) -> None:
    """Ask for each class to be shown."""
    from .present.pieces import busy
    from .teaching.camera import shown, take

    def ready(name: str) -> None:
        click.prompt(shown(name), default="", show_default=False, prompt_suffix=" … ", err=True)

    with busy(say("taking pictures", "拍照中")) as tell:
        take(folder, names, camera, each, ready, tell)
