"""How the command line is used, in the user's language: the list of verbs, and what was written wrongly."""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import IO, Any

import click

from .errors import language, say
from .runtime.text import line

HEADINGS = {"Options": "选项", "Commands": "命令"}  # of click; ours come in the language already
PLACES = {
    "OPTIONS": "选项",
    "COMMAND": "命令",
    "ARGS": "内容",
    "FILE": "文件",
    "FILES": "文件",
    "MODEL": "模型",
    "MODELS": "模型",
    "INPUTS": "输入",
    "DATA": "数据",
    "BUNDLE": "文件夹",
    "TARGET": "用户名@地址",
}


class _Formatter(click.HelpFormatter):
    """click's, with its own words in Chinese where that is the language."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The line with what can follow the verb."""
        if language() == "zh":
            args, prefix = _places(args), "用法："
        super().write_usage(prog, args, prefix)

    def write_heading(self, heading: str) -> None:
        """Of a section."""
        super().write_heading(say(heading, HEADINGS.get(heading, heading)))


class _Context(click.Context):
    formatter_class = _Formatter


class Verb(click.Command):
    """A verb. Its line in the list and the mistakes in how it was called are in the user's language."""

    context_class = _Context

    def get_short_help_str(self, limit: int = 45) -> str:
        """The English or the Chinese half of what it says of itself."""
        return super().get_short_help_str(limit) if language() == "en" else _chinese_half(self.help or "")

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the words behind its name."""
        with _in_their_language():
            return super().make_context(*args, **extra)


class Verbs(Verb, click.Group):
    """A group of verbs.

    homes     of those that are loaded when they are asked for, the module that defines each
    chapters  (English, Chinese) -> names, in the order in which a reader needs them; none: one list
    """

    command_class = Verb
    group_class = type
    homes: Mapping[str, str] = MappingProxyType({})
    chapters: Mapping[tuple[str, str], Sequence[str]] = MappingProxyType({})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of that name, which its module adds to the group."""
        if cmd_name in self.homes:
            importlib.import_module(self.homes[cmd_name], __package__)
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All their names."""
        return sorted({*super().list_commands(ctx), *self.homes})

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs by chapters."""
        if not self.chapters:
            super().format_commands(ctx, formatter)
            return
        room = formatter.width - 6 - max(map(len, self.list_commands(ctx)))
        for title, names in self.chapters.items():
            verbs = ((name, self.get_command(ctx, name)) for name in names)
            with formatter.section(say(*title)):
                formatter.write_dl([(name, verb.get_short_help_str(room)) for name, verb in verbs if verb is not None])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The verb that the first word names."""
        with _in_their_language():
            return super().resolve_command(ctx, args)


class ChineseUsageError(click.UsageError):
    """What was written wrongly, and how it is written."""

    def show(self, file: IO[Any] | None = None) -> None:
        """On stderr, as every other mistake."""
        lines = [f"错误：{self.message}"]
        if self.ctx is not None:
            lines += [self.ctx.get_usage(), f"说明：{self.ctx.command_path} --help"]
        click.echo("\n".join(lines), file=file, err=file is None)


@contextlib.contextmanager
def _in_their_language() -> Iterator[None]:
    """click speaks English; where that is not the user's language its UsageError becomes ours. Help stays help."""
    try:
        yield
    except click.UsageError as err:
        if err.message.startswith("No such command"):
            raise _no_such_verb(err) from None
        err.message = line(err.message)  # type: ignore[misc]  # final for click alone
        if language() == "en" or isinstance(err, ChineseUsageError) or type(err).__name__ == "NoArgsIsHelpError":
            raise
        raise ChineseUsageError(line(_what_was_wrong(err)), err.ctx) from None


def _what_was_wrong(err: click.UsageError) -> str:
    """One sentence or two."""
    if isinstance(err, click.NoSuchOption):
        like = f"，最接近的是 {'、'.join(sorted(err.possibilities))}" if err.possibilities else ""
        return f"没有选项 {err.option_name}{like}。"
    if isinstance(err, click.BadOptionUsage):
        return f"选项 {err.option_name} 的写法不对：它后面缺少值，或不该有值。"
    if isinstance(err, click.MissingParameter):
        return f"缺少{_name(err.param)}。"
    if isinstance(err, click.BadParameter):
        return _bad_value(err)
    word = next(iter(re.findall(r"\((.*)\)", err.message)), "")
    return f"多写了内容：{word}。" if "unexpected extra" in err.message else f"命令的写法不对：{err.message}"


def _no_such_verb(err: click.UsageError) -> click.UsageError:
    """In both languages. Click compares with the verbs that are loaded alone; most of ours are not, until asked for."""
    if err.ctx is None or not isinstance(err.ctx.command, click.Group):
        return err
    from difflib import get_close_matches

    word = line(next(iter(re.findall("'(.*)'", err.message)), ""))
    verbs = err.ctx.command.list_commands(err.ctx)
    near = get_close_matches(word.lower(), verbs)
    if language() == "en":
        like = f" Did you mean '{near[0]}'?" if near else ""
        return click.UsageError(f"No such command '{word}'.{like}", err.ctx)
    like = f"最接近的是 {near[0]}" if near else "可用的有：" + "、".join(verbs)
    return ChineseUsageError(f"没有命令 {word}，{like}。", err.ctx)


def _bad_value(err: click.BadParameter) -> str:
    """Which value, and what it can be. Messages of our own types are in the language already."""
    kind: Any = err.param.type if err.param is not None else None
    whole = isinstance(kind, click.types.IntParamType)
    if isinstance(kind, click.Choice):
        wanted = " " + " 或 ".join(map(str, kind.choices))
    elif isinstance(kind, click.IntRange | click.FloatRange):
        wanted = f" {kind.min} 到 {kind.max} 的{'整数' if whole else '数'}"
    elif whole or isinstance(kind, click.types.FloatParamType):
        wanted = "整数" if whole else "数"
    else:
        return f"{_name(err.param)}：{err.message}"
    return f"{_name(err.param)} 的值不对，应为{wanted}。"


def _name(param: click.Parameter | None) -> str:
    """Of an option as it is written, of another word what it stands for."""
    if isinstance(param, click.Option):
        return f"选项 {param.opts[-1]}"
    return PLACES.get(str(param.name).upper(), str(param.name)) if param is not None else ""


def _places(usage: str) -> str:
    """FILES... -> 文件..."""
    return re.sub(r"[A-Z]+", lambda found: PLACES.get(found[0], found[0]), usage)


def _chinese_half(text: str) -> str:
    """Of "Do it. 做。" the second sentence; of paragraphs the first one in Chinese."""
    first = next((at for at, letter in enumerate(text) if "\u4e00" <= letter <= "\u9fff"), 0)
    start = max(text.rfind(". ", 0, first) + 2, text.rfind("\n", 0, first) + 1)
    return re.split(r"\n|(?<=。)|：", text[start:].strip(), maxsplit=1)[0].rstrip("。") + "。"
