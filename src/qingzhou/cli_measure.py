"""The verbs that measure: as cli.py, one function per verb, nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .cli_common import common, exact_pictures, friendly, main, on_device
from .errors import say


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
@click.option(
    "--min",
    "least",
    type=click.FloatRange(0, 1),
    help="Exit status 1 below this top-1, mAP or R2: 0.97. 低于它时退出状态为 1。",
)
@exact_pictures
@common
def evaluate(
    model: Path,
    data: Path,
    layout: str,
    device: str,
    html: Path | None,
    least: float | None,
    lang: str | None,
    as_json: bool,
) -> None:
    """Say how often a model is right on data with answers; exit status 1 if any could not be judged.

    用带答案的数据评估模型：按类别分好的图片文件夹、MMEdu 数据集、COCO、YOLO 或 VOC 标注、CSV 表格、NPZ 数组。
    """
    with friendly(lang, as_json):
        from .evaluate import evaluate as judge
        from .model import load
        from .present.evaluation import evaluation, is_enough
        from .present.pieces import busy
        from .whole_file import output_path

        page = None if html is None else output_path(model, html, ".html")  # before anybody waits
        with busy(say("evaluating", "评估中")):
            found = judge(load(model, device), data, layout)
        if page is not None:
            from .present.evaluation_page import evaluation_page

            evaluation_page(found, page)
        evaluation(found, as_json)
        enough = least is None or is_enough(found, least)
        if not found.complete or not enough:
            sys.exit(1)


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
