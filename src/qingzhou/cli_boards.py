"""The verbs for boards: as cli.py, one function per verb, nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .cli_common import common, friendly, main


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
