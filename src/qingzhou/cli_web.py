"""The verbs for a school: as cli.py, one function per verb, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .cli_common import Numbers, common, friendly, main
from .errors import ExtraMissing

if TYPE_CHECKING:
    from .web.settings import Settings

queued = click.option(
    "--queue",
    default="",
    envvar="QINGZHOU_QUEUE",
    metavar="URL",
    help="redis://host:6379/0 (default: SQLite). 任务队列。",
)
stored = click.option(
    "--store", default="", envvar="QINGZHOU_STORE", metavar="URL", help="file:///… or s3://… 文件存放位置。"
)
at_once = click.option(
    "--workers", type=click.IntRange(0, 256), help="Jobs at once (default: processor cores). 同时进行的任务数。"
)
kept_in = click.option("--folder", type=click.Path(path_type=Path), help="Of records and files. 数据文件夹。")
language = click.option("--lang", type=click.Choice(["zh", "en"]), help="Language of the texts. 文字的语言。")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 opens it to the network. 监听地址。")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="端口。")
@at_once
@queued
@stored
@kept_in
@click.option(
    "--max-size",
    type=click.IntRange(1, 100_000),
    default=512,
    show_default=True,
    metavar="MB",
    help="Of an upload. 上传文件的上限。",
)
@click.option(
    "--keep",
    type=click.FloatRange(0.01, 10_000),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="Until uploads and results are deleted. 文件保留多少小时。",
)
@click.option("--code", default="", envvar="QINGZHOU_CODE", help="A class code that is asked for. 班级口令。")
@click.option("--name", "names", multiple=True, help="A host name that it is called by. 服务器的域名。")
@click.option("--behind-proxy", is_flag=True, help="Believe X-Forwarded-For of a proxy here. 位于反向代理之后。")
@language
def serve(lang: str | None, **options: Any) -> None:
    """Serve the converter as a web page for a class: upload, convert, try, download.

    把转换器开成网页，供全班使用：上传、转换、试用、下载。
    """
    with friendly(lang, False, stays=True):
        _need_web()
        from .web.serve import serve as run

        run(_settings(options))


@main.command()
@click.option(
    "--queue",
    required=True,
    envvar="QINGZHOU_QUEUE",
    metavar="URL",
    help="redis://host:6379/0, the server's. 任务队列。",
)
@click.option(
    "--store",
    required=True,
    envvar="QINGZHOU_STORE",
    metavar="URL",
    help="file:///… or s3://…, the server's. 文件存放位置。",
)
@at_once
@kept_in
@language
def worker(lang: str | None, **options: Any) -> None:
    """Do the jobs of a server on another machine. 在另一台机器上执行网页服务器的任务。"""
    with friendly(lang, False, stays=True):
        _need_web()
        from .web.serve import work

        work(_settings({"keep": 24.0, "max_size": 512, **options}))


def _settings(options: dict[str, Any]) -> Settings:
    import os

    from .web.serve import default_folder
    from .web.settings import MB, Settings

    options["folder"] = (options["folder"] or default_folder()).absolute()
    options["max_size"] *= MB
    options["keep"] *= 3600.0
    if options["workers"] is None:
        options["workers"] = os.cpu_count() or 1
    return Settings(**options)


def _need_web() -> None:
    """ExtraMissing with the install line, where a package of [web] is missing."""
    import importlib.util

    names = ("fastapi", "uvicorn", "python_multipart", "huey", "redis", "fsspec", "segno")
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise ExtraMissing(
            en=f'The web page needs {", ".join(missing)}, not installed here: pip install "qingzhou[web]"',
            zh=f'网页服务需要 {"、".join(missing)}，这里没有安装：pip install "qingzhou[web]"',
        )


@main.group()
def remote() -> None:
    """Let a server do the work. 让服务器来做。"""


@remote.command("convert")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--server", required=True, metavar="URL", help="http://192.168.1.10:8000 服务器地址。")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder for the results (default: beside FILE).")
@click.option("--device", help="Make a bundle for it: unihiker, pi5, … 设备。")
@click.option("--scene", help="basic, camera, … 场景。")
@click.option("--action", "actions", multiple=True, help="speak, pin:24, … 识别到时做什么。")
@click.option("--data", type=click.Path(path_type=Path), help="A .zip of pictures, for INT8. 图片压缩包。")
@click.option("--precision", type=click.Choice(["fp32", "int8"]), default="fp32", show_default=True, help="精度。")
@click.option("--max-drop", type=float, default=0.5, show_default=True, help="INT8: points to lose. 允许下降的百分点。")
@click.option("--preprocess", type=click.Choice(["imagenet", "0-1", "-1-1", "raw"]), help="Pixels. 像素的预处理。")
@click.option("--input-size", type=Numbers(), help="Height,width of the input. 输入尺寸（高,宽）。")
@click.option("--code", default="", envvar="QINGZHOU_CODE", help="The class code. 班级口令。")
@common
def remote_convert(file: Path, lang: str | None, as_json: bool, **options: Any) -> None:
    """Upload FILE to a server, wait, and download what it made. 上传到服务器转换，再下载结果。"""
    with friendly(lang, as_json):
        from .errors import say
        from .present.pieces import busy
        from .present.remote import shown, shown_as_json
        from .web.remote import convert

        with busy(say("the server is converting", "服务器正在转换")):
            done = convert(file, lang=say("en", "zh"), **options)
        if as_json:
            shown_as_json(done.job, done.files, done.notes)
        else:
            shown(f"{file.name} → {done.network}", done.files, done.notes, done.explanation)
