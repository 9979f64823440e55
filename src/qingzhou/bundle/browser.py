"""The device "browser": a static page that runs a model with onnxruntime-web, on phones as well."""

from __future__ import annotations

import hashlib
import html
import json
import lzma
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from string import Template
from typing import Any

from ..errors import ModelError, OutputError
from ..onnxfile.facts import Facts
from ..runtime.engine.session import check_one_file
from ..runtime.model.card import Card
from ..runtime.text import line
from ..scenes.table import refuse_several
from .contents import sha256_of
from .download import Download, download_of
from .offline import WORKER, manifest_files, worker

PAGE = Path(__file__).with_name("page")  # the page's own files: ES modules without a framework
ENGINE = Path(__file__).with_name("onnxruntime_web")  # as scripts/vendor_onnxruntime_web has packed it
PLAIN = ("ort.js", "ort.wasm")  # for the processor
GRAPHICS = ("ort_gpu.js", "ort_gpu.wasm")  # the same with WebGPU and WebNN
LATER = ("faster.js", "offline.js", "qr.js", "share.js", "sw.js")  # asked for once the model has answered
LEAST_MACS = 20e6  # of a network that a graphics processor may answer sooner: below, the processor needs no 15 ms


def write_page(model: Path, card: Card, folder: Path, language: str) -> Download:
    """A page for an .onnx file and its card into a folder, which is made; ModelError, OptionError, OutputError.

    index.html, the page's modules and style, model.onnx, card.json, labels.txt, the engine (14 MB, and 17 for graphics
    processors where the network is large enough) with its licence, manifest, icons and service worker, and serve.py,
    which shows the folder to the browsers of a network. language: "zh" or "en". What a phone has to load for it.
    """
    if model.suffix.lower() != ".onnx":
        raise _not_onnx(model)
    refuse_several(card)
    check_one_file(str(model))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in PAGE.iterdir():
            if source.suffix in (".js", ".css", ".svg") and source.name != WORKER:
                shutil.copyfile(source, folder / source.name)
        graphics = _gains_by_graphics(model, card)
        _write_engine(folder, (*PLAIN, *GRAPHICS) if graphics else PLAIN)
        _write_model(model, card, folder / "model.onnx")
        sizes = download_of(folder / "model.onnx", engine_facts()["files"], graphics)
        _write(folder / "card.json", card.to_json())
        _write(folder / "labels.txt", "".join(f"{line(label)}\n" for label in card.labels))
        digest = sha256_of(folder / "model.onnx")[:16]
        _write(folder / "index.html", _index(model.stem, card, language, sizes, digest))
        serve = (PAGE / "serve.py").read_text("utf-8")
        _write(folder / "serve.py", serve.replace('LANGUAGE = "en"', f'LANGUAGE = "{_choose(language, "en", "zh")}"'))
        for name, data in manifest_files(PAGE, line(model.stem), language).items():
            (folder / name).write_bytes(data)
        _write(folder / WORKER, worker(PAGE, folder, GRAPHICS))
        return sizes
    except OSError as err:
        raise _cannot_write(folder, err) from None


def _gains_by_graphics(model: Path, card: Card) -> bool:
    """Whether the second engine is worth its place: a large network of pictures, in floats."""
    facts = Facts(model)
    return card.input.kind == "image" and not facts.quantized and facts.work.macs >= LEAST_MACS


def engine_facts() -> Mapping[str, Any]:
    """What is vendored: package, version, licence, and the size and SHA-256 of each file as it was published."""
    facts: Mapping[str, Any] = json.loads((ENGINE / "vendored.json").read_text("utf-8"))
    return facts


def engine_file(name: str) -> bytes:
    """A file of the engine, unpacked; OutputError if it is not the one that was published."""
    data = lzma.decompress((ENGINE / f"{name}.xz").read_bytes())
    if hashlib.sha256(data).hexdigest() != engine_facts()["files"][name]["sha256"]:
        raise OutputError(
            en=f"{name}, the engine for browsers that this package carries, is damaged. Install qingzhou again.",
            zh=f"安装包自带的浏览器推理引擎 {name} 已损坏。请重新安装轻舟（qingzhou）。",
        )
    return data


def _write_engine(folder: Path, names: Collection[str]) -> None:
    for name in names:
        (folder / name).write_bytes(engine_file(name))
    shutil.copyfile(ENGINE / "LICENSE", folder / "ort.LICENSE.txt")
    notices = lzma.decompress((ENGINE / "ThirdPartyNotices.txt.xz").read_bytes())
    (folder / "ort.ThirdPartyNotices.txt").write_bytes(notices)


def _write_model(model: Path, card: Card, target: Path) -> None:
    """The model as it is; of text generators with the state as inputs, since onnxruntime-web sets no initialisers."""
    if card.task != "generation":
        shutil.copyfile(model, target)
        return
    import onnx

    proto = onnx.load(str(model), load_external_data=False)
    inputs = {entry.name for entry in proto.graph.input}
    for tensor in [tensor for tensor in proto.graph.initializer if tensor.name in inputs]:
        proto.graph.initializer.remove(tensor)
    target.write_bytes(proto.SerializeToString())


def _index(title: str, card: Card, language: str, sizes: Download, digest: str) -> str:
    """index.html: what a name holds is text and never markup."""
    version = engine_facts()["version"]
    texts = {
        "lang": _choose(language, "en", "zh-CN"),
        "title": title,
        "model": digest,
        "graphics": "yes" if sizes.graphics else "",
        "size": sizes.said(language),
        "facts": _facts(card, language),
        "waiting": _choose(
            language,
            "Starting … If this stays, the page was opened as a file: start python serve.py in its folder, and open "
            "http://localhost:8000",
            "正在启动…… 如果一直停在这里，说明页面是作为文件直接打开的：请在它的文件夹里运行 python serve.py，"
            "再打开 http://localhost:8000",
        ),
        "noscript": _choose(language, "JavaScript runs the model; allow it.", "模型由 JavaScript 运行，请允许它。"),
        "footer": _choose(
            language,
            f"Made by Qingzhou. ONNX Runtime Web {version} runs the model here; nothing is sent anywhere.",
            f"由轻舟生成。模型由 ONNX Runtime Web {version} 在本机运行，不会发送任何数据。",
        ),
    }
    template = Template((PAGE / "index.html").read_text("utf-8"))
    return template.substitute({name: html.escape(line(text)) for name, text in texts.items()})


def _facts(card: Card, language: str) -> str:
    """MobileNetV2 · image classification · 3 classes."""
    kinds = {
        "classification": ("classification", "分类"),
        "detection": ("object detection", "目标检测"),
        "regression": ("regression", "回归"),
        "generation": ("text generation", "文本生成"),
        "values": ("values", "数值"),
    }
    count = len(card.labels)
    labels = _choose(language, f"{count} classes", f"{count} 个类别") if count else ""
    return " · ".join(filter(None, [card.network, _choose(language, *kinds[card.task]), labels]))


def _choose(language: str, en: str, zh: str) -> str:
    return zh if language == "zh" else en


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))


def _not_onnx(model: Path) -> ModelError:
    return ModelError(
        en=f"Browsers run .onnx models, not {model.name}. Give the converted model: qingzhou convert best.pth",
        zh=f"浏览器运行的是 .onnx 模型，不是 {model.name}。请给出转换好的模型：qingzhou convert best.pth",
    )


def _cannot_write(folder: Path, err: OSError) -> OutputError:
    reason = err.strerror or str(err)
    return OutputError(
        en=f"Cannot write the page into {folder}: {reason}. Choose another folder, or make room there.",
        zh=f"无法把网页写入 {folder}：{reason}。请换一个文件夹，或清理磁盘空间。",
    )
