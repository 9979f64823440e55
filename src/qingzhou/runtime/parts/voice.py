"""Sound: texts spoken, files played. A recorded file beside the program goes before a machine's voice."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import wave
from typing import Dict, List, Optional

import numpy as np

from ..errors import DeviceError, FileMissing, line
from ..whole import replacing, working_folder
from . import sim
from .optional import board, there

LONGEST = 200  # characters that are spoken
PATIENCE = 30  # seconds for a sound
MOST_KEPT = 50  # spoken texts that are kept as files
SPEAKERS = ("espeak-ng", "espeak")
PLAYERS = (["aplay", "-q"], ["paplay"], ["pw-play"], ["afplay"])
_spoken: Dict[str, str] = {}  # text -> its sound, kept while the program runs
_folder: List[str] = []  # where they are
_kept, _numbers = contextlib.ExitStack(), itertools.count()  # that folder, and its files' names


def speak(text: str) -> None:
    """Say it: voice/TEXT.wav beside the program, else espeak-ng, else the computer's own voice. DeviceError."""
    text = line(text).strip()[:LONGEST]
    if sim.active():
        sim.tell("speak: " + text)
        return
    recorded = sim.beside(os.path.join("voice", "%s.wav" % text.replace("/", "_").replace("\\", "_")))
    if os.path.isfile(recorded):
        play(recorded)
    elif _speaker() is not None:
        play(_synthesised(text))
    elif there("pyttsx3") is not None:
        _pyttsx3(text)
    else:
        raise _no_voice()


def save(text: str, path: str) -> None:
    """The spoken text as a .wav file, by espeak-ng. DeviceError, OutputError."""
    with replacing(path) as part:
        _espeak(text, part)


def _espeak(text: str, path: str) -> None:
    command = _speaker()
    if command is None:
        raise _no_voice()
    language = "cmn" if any("\u4e00" <= letter <= "\u9fff" for letter in text) else "en"
    if command.endswith("espeak"):
        language = language.replace("cmn", "zh")
    try:
        # the text comes after "--", so that none of it is taken for an option
        done = subprocess.run(
            [command, "-v", language, "-w", path, "--", text],
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
        problem = _text(done.stderr)
    except (OSError, subprocess.SubprocessError) as err:
        problem = str(err)
    if not os.path.isfile(path) or os.path.getsize(path) <= 44:  # a header without a sound, for example on a full disk
        raise DeviceError(
            en="espeak-ng could not write the sound %s (%s). Is the disk full? Make room with df -h as a guide."
            % (path, problem[:100] or "no sound"),
            zh="espeak-ng 无法写入声音文件 %s（%s）。磁盘满了吗？可用 df -h 查看并清理。"
            % (path, problem[:100] or "无声"),
        )


def play(path: str) -> None:
    """Play a .wav file to its end; "beep" is a short tone. DeviceError without a speaker, FileMissing."""
    if sim.active():
        sim.tell("sound: " + path)
        return
    if path == "beep":
        path = _beep()
    if not os.path.isfile(path):
        path = sim.beside(path)
    if not os.path.isfile(path):
        raise FileMissing(
            en='There is no sound %s; expected a .wav file beside the program, or "beep".' % path,
            zh='没有声音文件 %s，应为程序旁边的 .wav 文件，或者 "beep"。' % path,
        )
    if sys.platform == "win32":
        _windows(path)
        return
    command = _player()
    if command is None:
        raise DeviceError(
            en="Nothing here can play sounds. Install a player: sudo apt install alsa-utils",
            zh="没有播放声音的程序。请安装：sudo apt install alsa-utils",
        )
    done = subprocess.run(
        [*command, path], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False
    )
    if done.returncode:
        raise no_speaker("%s: %s" % (command[0], _text(done.stderr)))


def _windows(path: str) -> None:
    import winsound

    try:
        winsound.PlaySound(path, winsound.SND_FILENAME)  # type: ignore[attr-defined,unused-ignore]
    except RuntimeError as err:
        raise no_speaker(str(err)) from None


def _pyttsx3(text: str) -> None:
    """The voice of Windows or macOS."""
    try:
        engine = there("pyttsx3").init()
        engine.say(text)
        engine.runAndWait()
        engine.stop()
    except Exception as err:  # of its many drivers
        raise no_speaker(str(err)) from None


def _synthesised(text: str) -> str:
    """The path of the spoken text."""
    if len(_spoken) > MOST_KEPT:
        forget()
    if text not in _spoken or not os.path.isfile(_spoken[text]):
        path = _temporary()
        _espeak(text, path)
        _spoken[text] = path
    return _spoken[text]


def _beep() -> str:
    if "\0beep" not in _spoken:
        path, time = _temporary(), np.arange(4800) / 16000
        with wave.open(path, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes((12000 * np.sin(2 * np.pi * 880 * time)).astype("<i2").tobytes())
        _spoken["\0beep"] = path
    return _spoken["\0beep"]


def _temporary() -> str:
    """The path of a new sound, in a folder that forget() removes; where a program was killed, the next one does."""
    try:
        if not _folder:
            _folder.append(_kept.enter_context(working_folder(tempfile.gettempdir(), "sounds")))
    except OSError as err:
        raise DeviceError(
            en="No file for a sound could be made: %s. Make room on the disk." % err,
            zh="无法建立声音文件：%s。请清理磁盘空间。" % err,
        ) from None
    return os.path.join(_folder[0], "%d.wav" % next(_numbers))


def forget() -> None:
    """Removes the sounds that were made."""
    _spoken.clear()
    _folder.clear()
    _kept.close()


def _speaker() -> Optional[str]:
    return next((path for path in map(shutil.which, SPEAKERS) if path), None)


def _player() -> Optional[List[str]]:
    return next((command for command in PLAYERS if shutil.which(command[0])), None)


def _text(data: Optional[bytes]) -> str:
    """The last line of what a program said."""
    lines = (data or b"").decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def no_speaker(reason: str) -> DeviceError:
    return DeviceError(
        en="No sound came out (%s). Is a speaker connected, by cable or Bluetooth? aplay -l lists them." % reason[:120],
        zh="声音无法播放（%s）。连接扬声器了吗（有线或蓝牙）？用 aplay -l 可以查看。" % reason[:120],
    )


def _no_voice() -> DeviceError:
    command = "pip install pyttsx3" if sys.platform in ("win32", "darwin") else "sudo apt install espeak-ng"
    where = "voice/<text>.wav" if board() != "unihiker" else "voice/<text>.wav (Bluetooth speaker)"
    return DeviceError(
        en="There is no voice here. Install one: %s; or record what shall be said as %s." % (command, where),
        zh="这里没有语音程序。请安装：%s；或把要说的话录成 %s。" % (command, where),
    )
