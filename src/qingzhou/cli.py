"""The command line: one function per verb, nothing else. What is heavy is imported inside the verb that needs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .cli_common import Numbers, common, exact_pictures, friendly, main, on_device
from .errors import NoCard, OptionError, QingzhouError, say

main.homes = {
    **dict.fromkeys(("bundle", "devices", "push", "report", "scenes", "targets"), ".cli_boards"),
    **dict.fromkeys(("remote", "serve", "worker"), ".cli_web"),
    **dict.fromkeys(("bench", "engines", "evaluate", "quantize"), ".cli_measure"),
    "teach": ".cli_teach",
}
main.chapters = {
    ("Begin", "开始"): ("demo", "convert", "teach", "run", "info", "check"),
    ("Measure", "测量"): ("evaluate", "quantize", "bench", "engines"),
    ("Boards", "板子"): ("devices", "scenes", "bundle", "push", "report", "export", "targets"),
    ("School", "学校"): ("serve", "worker", "remote", "doors"),
}


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(), help="The .onnx, or a folder. 输出文件或文件夹。")
@click.option("--labels", help="cat,dog, a file that names them, or the data set. 类别名称、名称文件或数据集。")
@click.option(
    "--input-size",
    type=Numbers(),
    help="Height,width of the input, or one number for both. 输入尺寸（高,宽；正方形可只写一个数）。",
)
@click.option("--preprocess", metavar="WAY", help="Pictures: imagenet, 0-1, -1-1, raw, or a .toml. 图片的预处理方法。")
@click.option(
    "--input",
    "input_type",
    default="float32",
    show_default=True,
    help="Pictures: float32, or uint8 (bytes as they are, normalised inside). 图片输入的类型。",
)
@click.option("--opset", type=int, help="ONNX opset, 11-21 (default: 13).")
@click.option("--ir-version", type=int, help="ONNX IR version, 4-10 (default: 8).")
@click.option("--check/--no-check", default=True, help="Run the result on its sample. 转换后自检。")
@click.option("--network", help="The network you believe it is: an error if not. 你认为的网络名称。")
@click.option(
    "--set", "details", multiple=True, metavar="KEY=VALUE", help="What no tensor says: eps=0.001. 张量里看不出的设置。"
)
@click.option("--form", default="boxes", show_default=True, help="Detectors: boxes, or raw without NMS. 检测形式。")
@click.option("--score-threshold", type=float, help="Detectors: least score of a box. 最低得分。")
@click.option("--iou-threshold", type=float, help="Detectors: overlap that NMS allows. NMS 阈值。")
@click.option("--max-detections", type=int, help="Detectors: at most so many boxes. 最多框数。")
@click.option(
    "--head", type=click.Choice(["one2one", "one2many"]), help="YOLOv10, YOLO26: which head. 使用哪个检测头。"
)
@click.option(
    "--xeduhub-input", "xeduhub", is_flag=True, help="For the unchanged XEduHub (raw pixels). 供原版 XEduHub 使用。"
)
@common
def convert(files: tuple[Path, ...], out: str | None, lang: str | None, as_json: bool, **asked: Any) -> None:
    """Convert checkpoints (.pth) to checked ONNX models with code that runs them; give an .onnx of another tool a card.

    把训练得到的权重文件（.pth）转换成检查过的 ONNX 模型和可以直接运行的代码；为其他工具的 .onnx 补上说明卡。
    """
    with friendly(lang, as_json):
        from .batch import convert_all
        from .options import Options
        from .present.conversions import conversions
        from .present.pieces import busy

        with busy(say("converting", "转换中")):
            results = convert_all(files, out, Options(**asked))
        conversions(results, as_json)
        if any(isinstance(result, QingzhouError) for _, result in results):
            sys.exit(1)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--tree", is_flag=True, help="Every tensor by layer, with shapes. 逐层列出所有张量。")
@common
def info(file: Path, tree: bool, lang: str | None, as_json: bool) -> None:
    """Say what is inside a checkpoint or an ONNX model. 查看文件里有什么。"""
    with friendly(lang, as_json):
        from .info import read_info
        from .present.information import info

        info(read_info(file), tree, as_json)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("inputs", nargs=-1, type=click.Path(path_type=Path))
@click.option("--top", type=click.IntRange(1, 100), default=3, show_default=True, help="Labels to show. 显示前几名。")
@click.option("--save", type=click.Path(path_type=Path), help="Folder for pictures with the answer. 保存结果图。")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    help="Detectors, several classes: least confidence. 检测和一图多类模型的最低置信度。",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print a CSV table. 输出 CSV 表格。")
@click.option("--coco", type=click.Path(path_type=Path), help="Detectors: write a COCO file. 写成 COCO 格式。")
@on_device
@exact_pictures
@common
def run(
    model: Path,
    inputs: tuple[Path, ...],
    top: int,
    save: Path | None,
    threshold: float | None,
    as_csv: bool,
    coco: Path | None,
    device: str,
    lang: str | None,
    as_json: bool,
) -> None:
    """Predict for pictures, folders, CSV rows or NPZ arrays; without input, for the model's own sample.

    用模型识别图片、文件夹、CSV 表格或 NPZ 数组。
    """
    with friendly(lang, as_json):
        from .answers import write_coco
        from .model import load
        from .present.answers import as_csv as show
        from .present.answers import predictions
        from .present.pieces import busy, note
        from .run import built_in, note_of, run_all
        from .whole_file import output_path

        if as_csv and as_json:
            raise OptionError(
                en="--csv and --json were both given; only one can be printed. Leave one out.",
                zh="同时给了 --csv 和 --json，只能输出一种。请去掉一个。",
            )
        boxes = None if coco is None else output_path(model, coco, ".coco.json", *inputs)  # before anybody waits
        try:
            opened = load(model, device)
        except NoCard:
            from .present.bare import run_shown

            return run_shown(model, inputs, save, as_json)
        with busy(say("predicting", "识别中")):
            results = run_all(opened.predictor, inputs, save, threshold)
        least = built_in(opened.card, results)
        if threshold is not None and threshold < least:
            note(
                say(
                    f"The model keeps nothing below {least}; convert with --score-threshold {threshold} for more.",
                    f"模型内部已去掉低于 {least} 的结果；要保留更多，请用 --score-threshold {threshold} 重新转换。",
                )
            )
        if opened.card.input.kind == "image" and (left := note_of(inputs)):
            note(left)
        if boxes is not None:
            write_coco(boxes, results, opened.card.labels)
        if as_csv:
            show(results)
        else:
            predictions(results, top, opened.card, as_json)
        if any(isinstance(result.answer, QingzhouError) for result in results):
            sys.exit(1)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@on_device
@common
def check(model: Path, device: str, lang: str | None, as_json: bool) -> None:
    """Run the sample inside a model, and compare with the answer recorded there. 模型自检。"""
    with friendly(lang, as_json):
        from .model import load
        from .present.answers import check

        try:
            check(model, load(model, device).check(), as_json)
        except NoCard:
            from .present.bare import check_shown

            if not check_shown(model, as_json):
                sys.exit(1)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--engine",
    required=True,
    help="openvino, ncnn, litert, mnn, numpy, …: qingzhou engines; rknn, k230, esp32. 推理引擎。",
)
@click.option(
    "--chip", default="", help="For rknn: rk3566, rk3568, rk3576, rk3588; for esp32: esp32s3, esp32p4. 芯片型号。"
)
@click.option("--precision", default="", show_default="fp32; chips: int8", help="fp32, fp16 or int8. 精度。")
@click.option("--data", type=click.Path(path_type=Path), help="For int8: to calibrate and judge with. 量化用的数据。")
@click.option(
    "--max-drop", type=float, default=0.5, show_default=True, help="For int8: points to lose. 允许下降的百分点。"
)
@click.option("-o", "--out", type=click.Path(), help="A file or a folder. 输出文件或文件夹。")
@common
def export(
    model: Path,
    engine: str,
    chip: str,
    precision: str,
    data: Path | None,
    max_drop: float,
    out: str | None,
    lang: str | None,
    as_json: bool,
) -> None:
    """Compile a converted model, or a checkpoint, for an engine, and compare its answer with onnxruntime's; or for a
    chip, by its vendor's compiler (qingzhou targets), judged by the vendor's simulator on the data.

    把转换好的模型（或权重文件）编译成某个推理引擎的格式，并与 onnxruntime 的结果比较。
    也可用芯片厂商的编译器，并用厂商的模拟器按数据评估。
    """
    with friendly(lang, as_json):
        from .deploy.export import export_any
        from .present.pieces import busy
        from .present.targets import exported

        with busy(say("compiling", "编译中")) as tell:
            made = export_any(model, engine, chip, out, precision, data, max_drop, tell)
        exported(made, as_json)


@main.command()
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder to work in (default: a new temporary one).")
@common
def demo(out: Path | None, lang: str | None, as_json: bool) -> None:
    """Convert a small real checkpoint that the package carries, and run the result. 演示。"""
    with friendly(lang, as_json):
        from .demo import run_demo
        from .present.conversions import demo

        demo(run_demo(out), as_json)


@main.command()
@common
def doors(lang: str | None, as_json: bool) -> None:
    """Say whose MMEdu, BaseNN and XEdu a program would import. 查看 import 会用到谁的 MMEdu、BaseNN、XEdu。"""
    with friendly(lang, as_json):
        from .doors import which
        from .present.information import doors

        doors(which(), as_json)
