"""Which machines of the local network answer to SSH: asked only when somebody wants to know."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..errors import OptionError

MOST = 1024  # addresses that are asked
PATIENCE = 1.0  # seconds for one of them
# Who made the network card (IEEE's first three bytes).
MAKERS = {
    "b8:27:eb": "Raspberry Pi",
    "dc:a6:32": "Raspberry Pi",
    "e4:5f:01": "Raspberry Pi",
    "d8:3a:dd": "Raspberry Pi",
    "2c:cf:67": "Raspberry Pi",
    "28:cd:c1": "Raspberry Pi",
}


@dataclass(frozen=True)
class Answer:
    """A machine that answered: its address, what its SSH server says of itself, and what it may be."""

    address: str
    banner: str
    guess: str


def scan(network: str = "", port: int = 22) -> Sequence[Answer]:
    """The machines with SSH in a network such as "192.168.1.0/24", by default this computer's own; OptionError."""
    addresses = list(_addresses(network))
    with ThreadPoolExecutor(64) as pool:
        banners = pool.map(lambda address: _banner(address, port), addresses)
    cards = _cards()
    return [
        Answer(address, banner, _guess(address, banner, cards))
        for address, banner in zip(addresses, banners, strict=True)
        if banner
    ]


def _addresses(network: str) -> Sequence[str]:
    """All machines of a network; this computer's with the Unihiker's own over USB."""
    extra = []
    if not network:
        network, extra = f"{_own()}/24", ["10.1.2.3"]
    try:
        found = ipaddress.ip_network(network, strict=False)
    except ValueError:
        raise _odd(network) from None
    local = found.is_private or found.is_loopback or found.is_link_local
    if not local or found.version != 4 or found.num_addresses > MOST:
        raise _odd(network)
    hosts = [str(address) for address in found.hosts()]
    return [*hosts, *(address for address in extra if address not in hosts)]


def _own() -> str:
    """This computer's address; a UDP socket is told where to send, and sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation: nobody's
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _banner(address: str, port: int) -> str:
    """What an SSH server says first; "" for silence, and for anything else."""
    try:
        with socket.create_connection((address, port), PATIENCE) as line:
            line.settimeout(PATIENCE)
            text = line.recv(255).split(b"\n")[0].decode("ascii", "replace").strip()
    except OSError:
        return ""
    return re.sub(r"[^\x20-\x7e]", "?", text)[:100] if text.startswith("SSH-") else ""


def _cards() -> dict[str, str]:
    """Address -> the first bytes of its network card, as Linux remembers them from talking to it."""
    try:
        lines = Path("/proc/net/arp").read_text("ascii").splitlines()[1:]
    except (OSError, UnicodeDecodeError):
        return {}
    rows = [line.split() for line in lines]
    return {row[0]: row[3][:8].lower() for row in rows if len(row) > 3}


def _guess(address: str, banner: str, cards: dict[str, str]) -> str:
    if address == "10.1.2.3":
        return "Unihiker"
    maker = MAKERS.get(cards.get(address, ""), "")
    return maker or ("Raspberry Pi" if "Raspbian" in banner else "")


def _odd(network: str) -> OptionError:
    return OptionError(
        en=f"{network!r} is no local IPv4 network of at most {MOST} addresses. Give one such as 192.168.1.0/24.",
        zh=f"{network!r} 不是最多 {MOST} 个地址的本地 IPv4 网络。请给出例如 192.168.1.0/24。",
    )
