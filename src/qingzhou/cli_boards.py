"""The verbs for boards: as cli.py, one function per verb, nothing else."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click

from .cli_common import common, friendly, main
from .cli_usage import Verbs
from .errors import OptionError, say


@main.command()
@click.argument("name", required=False)
@common
def devices(name: str | None, lang: str | None, as_json: bool) -> None:
    """List the devices that bundles can be made for, or show all that is known of one.

    查看支持的设备；写上名称（如 行空板）则显示它的处理器、内存、引脚、引擎等。
    """
    with friendly(lang, as_json):
        from .devices import all_devices, load
        from .present import devices as present

        if name is None:
            present.devices(all_devices(), as_json)
        else:
            present.device(load(name), as_json)


@main.command()
@common
def scenes(lang: str | None, as_json: bool) -> None:
    """List the programs that a bundle can have, and which models each is for. 查看可选的场景。"""
    with friendly(lang, as_json):
        from .present.bundle import scenes as show
        from .scenes import SCENES

        show(list(SCENES.values()), as_json)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--device", required=True, help="unihiker, pi4-64, pi5, pc, …: qingzhou devices. 设备：行空板、树莓派5……")
@click.option("--scene", default="basic", show_default=True, help="basic, camera, video, web, api, … 场景。")
@click.option("--action", "actions", multiple=True, help="speak, cat=pin:24, … 识别到时做什么：说、小猫=引脚:24……")
@click.option("--second", type=click.Path(path_type=Path), help="The scene cascade: its second model. 第二个模型。")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="Another constant of main.py. 其他常量。")
@click.option("--data", type=click.Path(path_type=Path), help="For INT8, and the sample. 量化用的数据。")
@click.option("--precision", default="auto", show_default=True, help="fp32, fp16 or int8. 精度。")
@click.option(
    "--engine", default="", show_default="the best there", help="onnxruntime, ncnn, litert, mnn, numpy. 推理引擎。"
)
@click.option("--max-drop", type=float, default=0.5, show_default=True, help="INT8: points to lose. 允许下降的百分点。")
@click.option(
    "--forms",
    type=click.Choice(["best", "all"]),
    default="best",
    show_default=True,
    help="all: every engine and precision, to be compared there by bench.py. 全部形式，由 bench.py 在板子上比较。",
)
@click.option("--offline", is_flag=True, help="Put the device's wheels in, with pip. 放入安装文件，设备不用联网。")
@click.option("--force", is_flag=True, help="Although it may be too slow or too large. 即使可能太慢或太大。")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="A folder, a .zip, or a .html. 文件夹、.zip 或单个 .html。"
)
@common
def bundle(model: Path, device: str, values: tuple[str, ...], as_json: bool, lang: str | None, **options: Any) -> None:
    """Make a folder or zip that runs a model on a device: program, runtime, packages, README.

    把模型做成在设备上直接运行的文件夹或压缩包：程序、运行库、安装脚本和说明。
    """
    with friendly(lang, as_json):
        from .bundle.build import build
        from .present.bundle import bundle as show
        from .present.pieces import busy

        with busy(say("bundling", "打包中")) as tell:
            made = build(model, device, lang=lang, constants=_constants(values), tell=tell, **options)
        show(made, as_json)


def _constants(values: tuple[str, ...]) -> dict[str, object]:
    """ "PORT=8001" -> {"PORT": 8001}: numbers and True or False are no texts."""
    found: dict[str, object] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            from .runtime.address import shown

            raise OptionError(
                en=f"--set {shown(value)} has no =; expected NAME=VALUE, for example --set PORT=8001",
                zh=f"--set {shown(value)} 里没有等号，应为 名称=值，例如 --set PORT=8001",
            )
        found[name] = _value(text)
    return found


def _value(text: str) -> object:
    if text.removeprefix("-").isdecimal():
        return int(text)
    if re.fullmatch(r"-?[0-9]*\.[0-9]+", text):
        return float(text)
    return {"True": True, "False": False}.get(text, text)


@main.command()
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@click.argument("target", required=False)
@click.option("--port", type=click.IntRange(1, 65535), default=22, show_default=True, help="Of SSH there. SSH 端口。")
@click.option("--password", is_flag=True, help="Ask for a password ($QINGZHOU_PASSWORD). 用密码登录。")
@click.option("--key", type=click.Path(path_type=Path), help="A private key file (default: those of ssh). 私钥文件。")
@click.option("--unihiker-default", is_flag=True, help="root@10.1.2.3 and its published password. 行空板默认账号。")
@click.option(
    "--accept-host-key", "accept", default="", metavar="SHA256:...", help="Of a new board. 新板子的密钥指纹。"
)
@click.option("--dir", "folder", default="", help="Folder there (default: qingzhou/NAME). 板子上的文件夹。")
@click.option("--run", "start", is_flag=True, help="Start main.py, and show what it prints. 运行 main.py。")
@click.option("--bench/--no-bench", "measure", default=True, help="Measure, and bring report.json. 测量并取回报告。")
@click.option("--keep/--no-keep", "keep", default=None, help="Of several forms keep the fastest. 只保留最快的形式。")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where report.json goes. 报告的位置。")
@click.option("--scan", "look", is_flag=True, help="Only look for boards in the local network. 查找局域网里的板子。")
@click.option("--network", default="", help="For --scan: 192.168.1.0/24. 要查找的网络。")
@common
def push(bundle: Path | None, target: str | None, lang: str | None, as_json: bool, **options: Any) -> None:
    """Bring a bundle to a board over SSH: copy what changed, install, self-test, measure.

    把 qingzhou bundle 生成的文件夹发送到板子上（SSH）：只传变化的文件，安装、自检、测量。
    TARGET: user@host, for example root@10.1.2.3.
    """
    with friendly(lang, as_json):
        from .present import boards

        if options["look"]:
            boards.scan_shown(options["network"], options["port"], as_json)
        else:
            sys.exit(boards.push_shown(bundle, target, options, as_json))


@main.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--reference", "with_reference", is_flag=True, help="Add published figures. 加上公布的参考数据。")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page. 写成网页。")
@click.option("--csv", "as_csv", is_flag=True, help="Print a CSV table. 输出 CSV 表格。")
@common
def report(
    files: tuple[Path, ...], with_reference: bool, html: Path | None, as_csv: bool, lang: str | None, as_json: bool
) -> None:
    """Put the report.json of many boards into one table; exit status 1 if one could not be read.

    把全班各块板子的 report.json 合成一张表：模型、设备、引擎、精度、速度、内存、温度。
    FILES: report files or folders of them.
    """
    with friendly(lang, as_json):
        from .present import figures as present
        from .report import merge, read_all, reference
        from .whole_file import output_path

        if as_csv and as_json:
            raise OptionError(
                en="--csv and --json were both given; only one can be printed. Leave one out.",
                zh="同时给了 --csv 和 --json，只能输出一种。请去掉一个。",
            )
        if not files and not with_reference:
            raise OptionError(
                en="Which reports? qingzhou report *.json, or --reference for the published figures alone.",
                zh="要合并哪些报告？qingzhou report *.json；或用 --reference 只看公布的数据。",
            )
        first = files[0] if files else Path("reference.json")
        page = None if html is None else output_path(first, html, ".html", *files)
        rows, bad = read_all(files)
        known, faults = reference() if with_reference else ([], {})
        merged = merge([*rows, *known])
        if page is not None:
            present.report_page(merged, bad, faults, page)
        if as_json:
            present.report_json(merged, bad, faults)
        elif as_csv:
            present.report_csv(merged)
        else:
            present.report(merged, bad, faults)
        if bad:
            sys.exit(1)


@main.group(cls=Verbs, invoke_without_command=True)
@common
@click.pass_context
def targets(context: click.Context, lang: str | None, as_json: bool) -> None:
    """List the compilers of chips' vendors (NPUs, microcontrollers), install one, remove it.

    查看、安装、删除芯片厂商的编译器（NPU、单片机）；每个都装在自己的环境里。
    """
    if context.invoked_subcommand is not None:
        return
    with friendly(lang, as_json):
        from .present.targets import targets as show
        from .targets import TARGETS

        show(TARGETS, as_json)


@targets.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask. 不再询问。")
@click.option("--python", default="", help="To make it with: a name or path. 用哪个 Python 建立环境。")
@common
def install(name: str, yes: bool, python: str, lang: str | None, as_json: bool) -> None:
    """Make the environment of a vendor's compiler: says what it brings and how large, and asks first.

    安装厂商的编译器：先说明内容和大小，询问后再下载。
    """
    with friendly(lang, as_json):
        from .present.pieces import busy
        from .present.targets import brings, installed
        from .targets.home import place_of
        from .targets.install import install as make
        from .targets.table import target_named

        target = target_named(name)
        if not as_json:
            brings(target, str(place_of(target).folder))
        if not yes:
            _ask(name)
        with busy(say("installing", "安装中")) as tell:
            versions = make(target, python, tell)
        installed(target, versions, as_json)


@targets.command()
@click.argument("name")
@common
def remove(name: str, lang: str | None, as_json: bool) -> None:
    """Remove the environment of a vendor's compiler. 删除厂商的编译器。"""
    with friendly(lang, as_json):
        from .present.pieces import as_json as show
        from .present.pieces import console
        from .targets.install import remove as take
        from .targets.table import target_named

        gone = take(target_named(name))
        if as_json:
            show({"target": name, "removed": gone})
        else:
            console().print(say("removed", "已删除") if gone else say("It was not there.", "本来就没有安装。"))


def _asks() -> bool:
    return sys.stdin.isatty()


def _ask(name: str) -> None:
    """OptionError where nobody can be asked."""
    if not _asks():
        raise OptionError(
            en=f"Nothing is fetched without being asked, and nobody can be asked here. Add --yes: qingzhou targets "
            f"install {name} --yes",
            zh=f"下载前需要确认，而这里无法询问。请加上 --yes：qingzhou targets install {name} --yes",
        )
    click.confirm(say("Install this?", "要安装吗？"), abort=True)
