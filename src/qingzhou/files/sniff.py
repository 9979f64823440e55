"""What a file is, by its first bytes, never by its name."""

from __future__ import annotations

import re

from ..errors import QingzhouError
from .refusals import damaged, wrong_type

HEAD = 512
PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
}
OTHERS = {
    b"\x89HDF": ("a Keras or HDF5 file (.h5)", "Keras 或 HDF5 文件（.h5）"),
    b"GGUF": ("a GGUF language model", "GGUF 语言模型"),
    b"\x93NUMPY": ("a numpy array (.npy)", "numpy 数组文件（.npy）"),
    b"\x89PNG": ("a PNG picture", "PNG 图片"),
    b"\xff\xd8\xff": ("a JPEG picture", "JPEG 图片"),
    b"%PDF": ("a PDF document", "PDF 文档"),
    b"\x7fELF": ("a Linux program", "Linux 程序"),
    b"MZ": ("a Windows program", "Windows 程序"),
}


def sniff(head: bytes, size: int) -> str:
    """ "zip", "pickle" or "safetensors"; "" for anything else."""
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(b"\x80") and len(head) > 1 and head[1] <= 5:
        return "pickle"
    if _is_safetensors(head, size):
        return "safetensors"
    return ""


TORCH = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"  # torch/serialization.py: MAGIC_NUMBER, as pickle writes it
# The first member of what torch.save, torch.jit.save and torch.export.save write
TORCH_ZIP = re.compile(
    rb"[^/]+/(data\.pkl|\.format_version|\.storage_alignment|byteorder|version|data/\d+|constants\.pkl"
    rb"|data/weights/\w+|data/constants/\w+|archive_format|models/\w+\.json|constants/\d+)"
)


def model_suffix(head: bytes, size: int) -> str:
    """Of a model, by its first bytes alone: ".pth", ".safetensors", ".tflite", ".mindir", ".onnx"; "" for others."""
    if head.startswith(b"PK\x03\x04"):
        return ".pth" if TORCH_ZIP.fullmatch(head[30 : 30 + int.from_bytes(head[26:28], "little")]) else ""
    if head.startswith(b"\x80"):
        return ".pth" if TORCH in head[:32] else ""
    if head[4:8] == b"TFL3":
        return ".tflite"
    if b"\x12\x09MindSpore" in head[:32]:  # the producer of a ModelProto of its own
        return ".mindir"
    if _is_onnx(head):
        return ".onnx"
    return ".safetensors" if _is_safetensors(head, size) else ""


def _is_safetensors(head: bytes, size: int) -> bool:
    return size > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= size


def _is_onnx(head: bytes) -> bool:
    """It begins with its ir_version, a small number, and one of the fields of text or a graph: onnx.proto."""
    fields = b"\x12\x1a\x22\x32\x3a\x42"
    return head[:1] == b"\x08" and b"\0" < head[1:2] < b" " and bool(head[2:3]) and head[2:3] in fields


def something_else(head: bytes, size: int) -> QingzhouError:
    """The error that names what a file is which cannot be read."""
    if size == 0:
        return damaged("it is empty (0 bytes)", "文件为空（0 字节）")
    if not head.strip(b"\0"):
        return damaged("it begins with nothing but zeros", "文件开头全是零")
    for magic, name in PACKED.items():
        if head.startswith(magic):
            return _packed(name)
    if head[257:262] == b"ustar":
        return _packed("tar")
    if head[4:8] == b"ORTM":
        return wrong_type(
            "a model in onnxruntime's own form (.ort), which is compiled",
            "onnxruntime 自己的格式（.ort），是编译后的模型",
            "Take the .onnx that it was made of: qingzhou convert model.onnx",
            "请使用生成它的 .onnx：qingzhou convert model.onnx",
        )
    for magic, (en, zh) in OTHERS.items():
        if head.startswith(magic):
            return wrong_type(en, zh)
    return _onnx_or_text(head)


def _packed(name: str) -> QingzhouError:
    return wrong_type(
        f"a packed archive ({name})",
        f"压缩包（{name}）",
        "Unpack it, and give the .pth inside",
        "请解压后使用其中的 .pth",
    )


def _onnx_or_text(head: bytes) -> QingzhouError:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"version https://git-lfs"):
        return wrong_type(
            "a git-lfs pointer, not the file itself",
            "git-lfs 指针，不是文件本身",
            "Run `git lfs pull`, or download the file from its web page",
            "请运行 git lfs pull，或从网页下载该文件",
        )
    if text.startswith(b"<?xml") and b"<net " in text:
        return wrong_type(
            "an OpenVINO model already",
            "OpenVINO 模型",
            "It needs no conversion: use it as it is, with the suffix .xml",
            "不用转换，直接使用即可（后缀 .xml）",
        )
    if text.startswith(b"7767517\n"):
        return wrong_type(
            "an ncnn model already",
            "ncnn 模型",
            "It needs no conversion: use it as it is, with the suffix .param",
            "不用转换，直接使用即可（后缀 .param）",
        )
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        return wrong_type(
            "a web page, often what a failed download leaves",
            "网页，通常是下载失败的结果",
            "Download the file again, in the browser",
            "请用浏览器重新下载",
        )
    if _is_onnx(head):
        return wrong_type(
            "an ONNX model already",
            "ONNX 模型",
            "It needs no conversion: use it as it is, with the suffix .onnx",
            "不用转换，直接使用即可（后缀 .onnx）",
        )
    if text and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in text):
        return wrong_type("a text file", "文本文件")
    return wrong_type(
        f"no file that we know (it begins with {head[:8].hex(' ')})", f"未知文件（开头是 {head[:8].hex(' ')}）"
    )
