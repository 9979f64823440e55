"""Converting several files: one failure is a row of its own and does not stop the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .conversion import CARDED, Conversion, run_conversion
from .errors import CheckpointMissing, OptionError, QingzhouError
from .files.sniff import HEAD, model_suffix
from .options import Options
from .runtime.file import open_file
from .sources.table import CHECKPOINTS, HALVES, is_model_folder
from .whole_file import fitting, one_name

Outcome = Conversion | QingzhouError
Result = tuple[Path, Outcome]  # a checkpoint, and what became of it


def convert_all(files: Sequence[Path], out: str | Path | None, options: Options = Options()) -> list[Result]:  # noqa: B008  # frozen
    """Convert every file, and every checkpoint inside the folders among them."""
    sources = dict(_checkpoints(_once(files)))
    if len(sources) > 1 and out is not None and Path(out).suffix.lower() == ".onnx":
        raise OptionError(
            en=f"-o {out} is one file, but there are {len(sources)} checkpoints. Give a folder instead.",
            zh=f"-o {out} 是一个文件，但有 {len(sources)} 个权重文件。请改为一个文件夹。",
        )
    targets = _targets(sources, out, any(file.is_dir() for file in files))
    return [(source, _convert(source, targets[source], options)) for source in sources]


def _convert(source: Path, out: str | Path | None, options: Options) -> Outcome:
    try:
        return run_conversion(source, out, options)
    except QingzhouError as err:
        return err


def _once(files: Sequence[Path]) -> list[Path]:
    """Without the second half of a model whose first is named, too: each finds the other by itself."""
    firsts = {file.with_suffix("") for file in files if file.suffix in CHECKPOINTS}
    return [file for file in files if file.suffix not in HALVES or file.with_suffix("") not in firsts]


def _checkpoints(files: Sequence[Path]) -> Iterable[tuple[Path, Path]]:
    """Every checkpoint, with its path inside the folder that was named (its own name if it was named itself)."""
    for file in files:
        if not file.is_dir() or is_model_folder(file):
            yield file, Path(file.name)
            continue
        found = sorted(path for path in file.rglob("*") if path.is_file() and _is_checkpoint(path))
        if not found:
            raise CheckpointMissing(
                en=f"The folder {file} holds no checkpoint ({', '.join(CHECKPOINTS)}). Name the .pth file itself.",
                zh=f"文件夹 {file} 里没有权重文件（{'、'.join(CHECKPOINTS)}）。请直接指定 .pth 文件。",
            )
        yield from ((path, path.relative_to(file)) for path in found)


def _is_checkpoint(path: Path) -> bool:
    """By its name, or else by its content: model_best.pth.tar, best.pth.1, a name without an ending."""
    if path.suffix.lower() in CHECKPOINTS:
        return True
    try:
        with open_file(path) as file:
            return model_suffix(file.read(HEAD), path.stat().st_size) in CHECKPOINTS
    except (OSError, QingzhouError):  # one that cannot be opened is none that was meant
        return False


def _targets(sources: Mapping[Path, Path], out: str | Path | None, folders: bool) -> dict[Path, str | Path | None]:
    """Where each model goes: several into the folder `out`, as they lay; OptionError if two would be one file."""
    if len(sources) == 1 and (out is None or not folders or Path(out).suffix.lower() == ".onnx"):
        return dict.fromkeys(sources, out)
    targets: dict[Path, Path] = {
        source: (source if out is None else Path(out) / inside).with_name(
            fitting(source.stem, CARDED if out is None and source.suffix.lower() == ".onnx" else ".onnx")
        )
        for source, inside in sources.items()
    }
    first = {one_name(target): source for source, target in reversed(targets.items())}
    for source, target in targets.items():
        other = first[one_name(target)]
        if other != source:
            raise OptionError(
                en=f"{other} and {source} would both become {target}, at least on systems that take capital and "
                "small letters for the same. Rename one, or convert them one by one.",
                zh=f"{other} 和 {source} 都会写成 {target}（至少在不区分大小写的系统上）。请改名，或分别转换。",
            )
    return dict(targets)
