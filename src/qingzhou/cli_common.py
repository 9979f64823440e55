"""What every verb of the command line has: its group, two options, and messages instead of tracebacks."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

from .cli_usage import Verbs
from .endings import ending, tell
from .errors import QingzhouError, is_of_memory, memory_full, say, use_language
from .spelling import as_on_command_line
from .version import __version__

F = TypeVar("F", bound=Callable[..., Any])


class Numbers(click.ParamType):  # type: ignore[type-arg]  # generic only in the newest click
    """ "224,224" or "224x224" -> (224, 224)."""

    name = "H,W"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Parse; a clear usage error otherwise."""
        try:
            return tuple(int(part) for part in str(value).replace("x", ",").split(","))
        except ValueError:
            self.fail(say(f"{value!r} is not a size such as 224,224", f"{value!r} 不是尺寸，例如 224,224"), param, ctx)


def common(function: F) -> F:
    """The two options that every verb has."""
    chosen = click.option("--lang", type=click.Choice(["zh", "en"]), help="Language of the texts. 文字的语言。")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs. 输出 JSON。")
    return chosen(as_json(function))


on_device = click.option(
    "--device",
    default="",
    show_default="cpu; of TensorRT gpu",
    help="A provider of onnxruntime, or OpenVINO's device; see qingzhou engines. 运行设备。",
)
exact_pictures = click.option(
    "--exact",
    is_flag=True,
    expose_value=False,
    callback=lambda ctx, param, given: _exact(given),
    help="Decode large JPEGs whole: slower, more memory. 完整解码大幅 JPEG（更慢、更占内存）。",
)


def _exact(given: bool) -> None:
    """For this process and those that it starts."""
    if given:
        os.environ["QINGZHOU_EXACT"] = "1"


@contextlib.contextmanager
def friendly(lang: str | None, as_json: bool, *, stays: bool = False) -> Iterator[None]:
    """Choose the language; a user's mistake becomes a message and exit status 1, never a traceback. So does a full
    memory, whatever an engine called it. A signal takes back what was begun: exit status 128 and its number.

    stays   a server, which has its own way with signals
    """
    use_language(lang)
    signals: contextlib.AbstractContextManager[list[int]] = contextlib.nullcontext([]) if stays else ending()
    with signals as came, _messages(as_json, came), as_on_command_line():
        yield


@contextlib.contextmanager
def _messages(as_json: bool, came: list[int]) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, click.Abort) as err:  # Abort: at a question to the user
        if came:
            tell(came[0])
        elif isinstance(err, click.Abort):
            raise
        sys.exit(128 + (came[0] if came else 2))
    except Exception as err:
        found = memory_full() if is_of_memory(err) else err
        if not isinstance(found, QingzhouError):
            raise
        _fail(found, as_json)
        sys.exit(1)


def _fail(err: QingzhouError, as_json: bool) -> None:
    from .answers import failure
    from .present.pieces import as_json as shown_as_json
    from .present.pieces import error

    if as_json:
        shown_as_json(failure(err))
    else:
        error(err)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="qingzhou")
def main() -> None:
    """Bring a trained model to the device it is meant for.

    轻舟：把训练好的模型带到要用它的设备上。
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy, which starts threads that spin; none is needed
    gc.set_threshold(100_000)  # a verb is short; collecting in between cost it a tenth of its time
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console that cannot show Chinese
