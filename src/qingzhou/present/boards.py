"""What `qingzhou push` asks, shows, and prints for programs."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from ..bundle.forms import keep
from ..bundle.push import Pushed, push, run_main
from ..bundle.scan import scan
from ..bundle.ssh import UNIHIKER, UNIHIKER_PASSWORD, Board, Login, Target
from ..errors import BoardError, OptionError, say
from ..own_files import program_place
from ..report import read_all
from ..runtime.address import shown
from ..runtime.text import escaped, line, this_shell, word
from ..whole_file import fitting, output_path, write_text
from .pieces import as_json, busy, console, escape, note, notes
from .table import facts, table_of

PASSWORD = "QINGZHOU_PASSWORD"  # for programs: on a command line everybody on the computer could read it


def scan_shown(network: str, port: int, json_wanted: bool) -> None:
    """The machines that answer."""
    with busy(say("looking for boards", "查找中")):
        found = scan(network, port)
    if json_wanted:
        as_json({"boards": [dataclasses.asdict(one) for one in found]})
        return
    screen = console()
    if not found:
        screen.print(say("No machine with SSH answered.", "没有找到启用了 SSH 的设备。"))
        return
    table = table_of(say("address", "地址"), say("perhaps", "可能是"), "SSH")
    for one in found:
        table.add_row(one.address, escape(one.guess), escape(one.banner))
    screen.print(table)


def push_shown(bundle: Path | None, name: str | None, options: Mapping[str, Any], json_wanted: bool) -> int:
    """Push, and start main.py if wanted; the exit status."""
    if bundle is None:
        raise _no_bundle_given()
    target = _target(name, options)
    tell = _teller(json_wanted)
    if options["unihiker_default"]:
        note(
            say(
                "The Unihiker's published password is known to everybody; change it with passwd.",
                "行空板的默认密码人人都知道，建议用 passwd 修改。",
            )
        )
    tell(say(f"connecting to {target}", f"连接 {target}"))
    with Board(target, _login(target, options, json_wanted)) as board:
        done = push(bundle, board, options["folder"], tell, options["measure"])
        report = _keep(done, bundle, target, options["out"])
        done = _keep_winner(done, bundle, board, options, json_wanted)
        _show(done, report, json_wanted)
        return run_main(board, done.folder, _teller(False)) if options["start"] else 0


def _target(name: str | None, options: Mapping[str, Any]) -> Target:
    if name is None:
        if options["unihiker_default"]:
            return dataclasses.replace(UNIHIKER, port=options["port"])
        raise _no_target("")
    user, _, host = name.rpartition("@")
    if ":" in user:
        raise _password_given(host)
    user = user or (UNIHIKER.user if options["unihiker_default"] else "")
    if not user or not host or host.startswith("-") or any(c.isspace() or c in "/\\" for c in name):
        raise _no_target(name)
    return Target(user, host.strip("[]"), options["port"])


def _login(target: Target, options: Mapping[str, Any], json_wanted: bool) -> Login:
    """How to log in; questions only where a person can answer."""
    if sum(map(bool, (options["password"], options["key"], options["unihiker_default"]))) > 1:
        raise OptionError(
            en="Give one of --password, --key and --unihiker-default.",
            zh="--password、--key 和 --unihiker-default 只能给一个。",
        )
    key: Path | None = options["key"]
    if key is not None and not key.is_file():
        raise OptionError(en=f"There is no key file {key}. Check the name.", zh=f"没有私钥文件 {key}。请检查文件名。")
    person = sys.stdin.isatty() and not json_wanted
    password = UNIHIKER_PASSWORD if options["unihiker_default"] else None
    if options["password"]:
        password = os.environ.get(PASSWORD) or _asked(target, person)
    return Login(password, key, options["accept"], _question(target) if person else None)


def _asked(target: Target, person: bool) -> str:
    if not person:
        raise OptionError(
            en=f"--password asks a person, and there is none here. Set the variable {PASSWORD}, or use --key.",
            zh=f"--password 需要在终端里输入，这里不能输入。请设置环境变量 {PASSWORD}，或使用 --key。",
        )
    return str(click.prompt(say(f"Password of {target}", f"{target} 的密码"), hide_input=True, err=True))


def _question(target: Target) -> Callable[[str, str], bool]:
    """Whether this is the right board."""

    def ask(kind: str, fingerprint: str) -> bool:
        text = say(
            f"{target.host} is not known yet. Its host key is {kind}\n    {fingerprint}\nThe board itself says: "
            f"ssh-keygen -lf /etc/ssh/ssh_host_{kind.lower()}_key.pub\nIs it the same, and do you trust it?",
            f"还不认识 {target.host}。它的主机密钥是 {kind}\n    {fingerprint}\n板子自己可以这样显示："
            f"ssh-keygen -lf /etc/ssh/ssh_host_{kind.lower()}_key.pub\n两者一致、可以信任吗？",
        )
        return click.confirm(text, default=False, err=True)

    return ask


def _keep_winner(done: Pushed, bundle: Path, board: Board, options: Mapping[str, Any], json_wanted: bool) -> Pushed:
    """Of a bundle with several forms, leave the one that was the fastest there, here and on the board, if so wanted."""
    won = str((done.report or {}).get("won", ""))
    if not won:
        return done
    tell, wanted = _teller(json_wanted), options["keep"]
    if wanted is None and sys.stdin.isatty() and not json_wanted:
        question = say(
            f"{won} was the fastest. Keep only that, here and on the board?",
            f"{won} 最快。只保留它吗（这里和板子上）？",
        )
        wanted = click.confirm(question, default=False, err=True)
    if not wanted:
        tell(say(f"{won} was the fastest; to keep only that: --keep", f"{won} 最快；只保留它：--keep"))
        return done
    kept = keep(bundle, won)
    for text in (
        say(f"kept: {won}, {kept.freed / 1e6:.1f} MB less", f"已保留 {won}，减少 {kept.freed / 1e6:.1f} MB"),
        *kept.notes,
    ):
        tell(text)
    again = push(bundle, board, options["folder"], tell, measure=False)
    return dataclasses.replace(again, report=done.report, changed={**done.changed, **again.changed})


def _keep(done: Pushed, bundle: Path, target: Target, out: Path | None) -> Path | None:
    """Write the report that came home: beside the bundle, with the board's name, over nothing but such a report."""
    if done.report is None:
        return None
    host = "".join(c if c.isalnum() or c in ".-" else "_" for c in target.host[:60])
    board = host if target.port == 22 else f"{host}-{target.port}"
    here = bundle.resolve() if bundle.name in ("", "..") else bundle
    stem = here.stem if here.suffix == ".zip" else here.name
    usual = here.with_name(fitting(stem, f"-{board}.report.json"))
    path = output_path(bundle, out or program_place(usual, lambda there: not read_all([there])[1]), ".json")
    write_text(path, escaped(json.dumps(done.report, ensure_ascii=False, indent=2)) + "\n")
    return path


def _show(done: Pushed, report: Path | None, json_wanted: bool) -> None:
    if json_wanted:
        as_json({**dataclasses.asdict(done), "report_file": None if report is None else str(report)})
        return
    screen = console()
    sent = say(f"{done.sent} files, {done.bytes / 1e6:.1f} MB", f"{done.sent} 个文件，{done.bytes / 1e6:.1f} MB")
    screen.print(f"[green]✓[/] {say('on the board, installed and tested', '已发送、安装并通过自检')}")
    screen.print(
        facts(
            (say("folder", "文件夹"), escape(done.folder)),
            (say("sent", "发送"), sent),
            (say("already there", "已有"), str(done.kept)),
            (say("figures", "测量结果"), escape(str(report)) if report else ""),
        )
    )
    notes(screen, [_kept(name, now) for name, now in done.changed.items()])
    if report is not None:
        screen.print(f"[dim]qingzhou report {escape(word(report.name, this_shell()))}[/]")


def _kept(name: str, now: str) -> str:
    """What somebody had changed on the board."""
    return say(
        f"{line(name)} was changed on the board: it is {line(now)} there now; {line(name)} is what was sent.",
        f"板子上的 {line(name)} 被修改过：已改名为 {line(now)}，现在的 {line(name)} 是刚发送的。",
    )


def _teller(json_wanted: bool) -> Callable[[str], None]:
    """Steps and what the board prints: on stderr where stdout is for a program."""
    stream = sys.stderr if json_wanted else sys.stdout
    return lambda text: print(_plain(text), file=stream, flush=True)


def _plain(text: str) -> str:
    """Of a progress bar the last state, and nothing that steers the terminal."""
    return line(text.rstrip("\r").rpartition("\r")[2])


def _password_given(host: str) -> OptionError:
    return OptionError(
        en=f"There is a password before @{host}, where the terminal's history keeps it; expected user@host, such as "
        f"root@{host}. Give --password, which asks for it, or set {PASSWORD}.",
        zh=f"@{host} 前面写了密码，会留在终端的历史记录里；应为 用户名@地址，例如 root@{host}。"
        f"请用 --password 输入密码，或设置环境变量 {PASSWORD}。",
    )


def _no_target(name: str) -> BoardError:
    name = shown(name)
    return BoardError(
        en=f"{name!r} says not which board; expected user@host, such as root@10.1.2.3 or pi@raspberrypi.local. "
        "qingzhou push --scan looks for boards.",
        zh=f"{name!r} 没有说明是哪一块板子，应为 用户名@地址，例如 root@10.1.2.3 或 pi@raspberrypi.local。"
        "qingzhou push --scan 可以查找板子。",
    )


def _no_bundle_given() -> OptionError:
    return OptionError(
        en="What shall be brought to the board? qingzhou push BUNDLE user@host; or --scan to look for boards.",
        zh="要发送哪个文件夹？qingzhou push 文件夹 用户名@地址；或用 --scan 查找板子。",
    )
