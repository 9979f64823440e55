"""The command line: one function per verb, nothing else. What is heavy is imported inside the verb that needs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .cli_common import Numbers, common, exact_pictures, friendly, main
from .errors import NoCard, OptionError, QingzhouError, say

main.homes = {
    **dict.fromkeys(("bundle", "devices", "push", "report", "targets"), ".cli_boards"),
    **dict.fromkeys(("remote", "serve", "worker"), ".cli_web"),
    "teach": ".cli_teach",
}
on_device = click.option(
    "--device",
    default="",
    show_default="cpu; of TensorRT gpu",
    help="A provider of onnxruntime, or OpenVINO's device; see qingzhou engines. 运行设备。",
)


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
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--layout",
    type=click.Choice(["auto", "folders", "mmedu", "coco", "yolo", "voc", "csv", "npz"]),
    default="auto",
    show_default=True,
    help="How the data are laid out. 数据的存放格式。",
)
@on_device
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with pictures. 写成带图片的网页。")
@exact_pictures
@common
def evaluate(
    model: Path, data: Path, layout: str, device: str, html: Path | None, lang: str | None, as_json: bool
) -> None:
    """Say how often a model is right on data with answers; exit status 1 if any could not be judged.

    用带答案的数据评估模型：按类别分好的图片文件夹、MMEdu 数据集、COCO、YOLO 或 VOC 标注、CSV 表格、NPZ 数组。
    """
    with friendly(lang, as_json):
        from .evaluate import evaluate as judge
        from .model import load
        from .present.evaluation import evaluation
        from .present.pieces import busy
        from .whole_file import output_path

        page = None if html is None else output_path(model, html, ".html")  # before anybody waits
        with busy(say("evaluating", "评估中")):
            found = judge(load(model, device), data, layout)
        if page is not None:
            from .present.evaluation_page import evaluation_page

            evaluation_page(found, page)
        evaluation(found, as_json)
        if not found.complete:
            sys.exit(1)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--engine", required=True, help="openvino, ncnn, litert, tensorrt, onnxruntime (.ort); or rknn. 推理引擎。"
)
@click.option("--chip", default="", help="For rknn: rk3566, rk3568, rk3576, rk3588. 芯片型号。")
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

    把转换好的模型（或权重文件）编译成某个推理引擎的格式，并与 onnxruntime 的结果比较；或用芯片厂商的编译器，
    并用厂商的模拟器按数据评估。
    """
    with friendly(lang, as_json):
        from .deploy.export import export_any
        from .present.pieces import busy
        from .present.targets import exported

        with busy(say("compiling", "编译中")) as tell:
            made = export_any(model, engine, chip, out, precision, data, max_drop, tell)
        exported(made, as_json)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="To calibrate and judge with. 用于校准和评估的数据。")
@click.option("--precision", default="int8", show_default=True, help="int8, int8-weights or fp16. 精度。")
@click.option(
    "--max-drop", type=float, default=0.5, show_default=True, help="Points of accuracy to lose. 允许下降的百分点。"
)
@click.option(
    "--min-agreement",
    type=float,
    default=95.0,
    show_default=True,
    help="Percent of answers that stay, without labels. 无标注时保持一致的百分比。",
)
@click.option("--target", default="auto", show_default=True, help="auto, vnni, x86, arm or tensorrt. 目标设备。")
@click.option("--any-speed", is_flag=True, help="Write it even if it is not faster here. 即使没有更快也保存。")
@click.option("--calibration", type=int, default=100, show_default=True, help="Inputs to calibrate with. 校准数量。")
@click.option("--layout", default="auto", show_default=True, help="How the data are laid out. 数据的存放格式。")
@click.option("-o", "--out", type=click.Path(), help="A file or a folder. 输出文件或文件夹。")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page that explains it. 写成网页。")
@exact_pictures
@common
def quantize(model: Path, html: Path | None, lang: str | None, as_json: bool, **options: Any) -> None:
    """Make a converted model INT8 within a promised accuracy; exit status 3 if that cannot be, or it is not faster.

    把转换好的模型量化为 INT8，并保证准确率；做不到或没有变快时退出码为 3，原模型不变。
    """
    with friendly(lang, as_json):
        from .present.pieces import busy
        from .present.quantized import quantized
        from .quant import quantize as make
        from .whole_file import output_path

        page = None if html is None else output_path(model, html, ".html")  # before anybody waits
        with busy(say("quantising", "量化中")) as tell:
            found = make(model, tell=tell, **options)
        if page is not None:
            from .present.quantized_page import quantized_page

            quantized_page(found, page)
        quantized(found, as_json)
        if not found.better:
            sys.exit(3)


@main.command()
@click.argument("models", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--engines", default="", help="onnxruntime,openvino (default: all installed). 推理引擎。")
@click.option("--precision", default="", help="fp32,fp16,int8, which needs --data. 权重精度。")
@click.option("--data", type=click.Path(path_type=Path), help="Pictures or rows; with labels, accuracy too. 数据。")
@click.option("--threads", type=click.IntRange(1, 1024), help="Processor cores (default: all). 线程数。")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with plots. 写成带图表的网页。")
@click.option(
    "--json",
    "json_file",
    is_flag=False,
    flag_value="-",
    type=click.Path(path_type=Path),
    help="Write JSON, or print it without a name. 输出 JSON。",
)
@click.option("--lang", type=click.Choice(["zh", "en"]), help="Language of the texts. 文字的语言。")
def bench(
    models: tuple[Path, ...],
    engines: str,
    precision: str,
    data: Path | None,
    threads: int | None,
    html: Path | None,
    json_file: Path | None,
    lang: str | None,
) -> None:
    """Measure models on every engine here, side by side: speed, size, memory, accuracy; and say which to use.

    在这台机器上并排测量各个推理引擎：速度、大小、内存、准确程度，并说明该用哪一个。
    """
    printed = json_file is not None and str(json_file) == "-"
    with friendly(lang, printed):
        from .bench import bench as measure
        from .present.bench import bench as show
        from .present.bench import bench_json, bench_page
        from .present.pieces import busy
        from .whole_file import output_path

        page = None if html is None else output_path(models[0], html, ".html", *models)  # before anybody waits
        file = None if json_file is None or printed else output_path(models[0], json_file, ".json", *models)
        with busy(say("measuring", "测量中")) as tell:
            report = measure(models, _names(engines), _names(precision), data, threads, tell)
        if page is not None:
            bench_page(report, page)
        if printed or file is not None:
            bench_json(report, file)
        if not printed:
            show(report)
        if report.choice is None:
            sys.exit(1)


def _names(text: str) -> list[str]:
    """ "fp32, fp16" -> ["fp32", "fp16"]."""
    return [name.strip() for name in text.split(",") if name.strip()]


@main.command()
@common
def engines(lang: str | None, as_json: bool) -> None:
    """Say which engines are installed, how to install the others, and what the processor can. 查看可用的推理引擎。"""
    with friendly(lang, as_json):
        from .engines.machine import survey
        from .present.engines import engines

        engines(survey(), as_json)


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
