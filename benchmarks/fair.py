"""How long an honest upload takes while four looks at other people's files do not end. Linux.

    python benchmarks/fair.py

Those looks only sleep; each is ended when its time is over, 30 seconds. Prints the seconds of a small upload without
them, and the longest of ten while they last, by whom they were sent: one client, or four.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/web"))

from clients import client_at, served_here, upload

from qingzhou.web import process
from qingzhou.web.settings import Settings

SLEEPING = """
import time
from qingzhou.web import task
honest = task._info
def sleepy(order, tell):
    if "sleepy" in order["model"]:
        time.sleep(60)
    return honest(order, tell)
task._info = sleepy
"""


def seconds(server: str) -> float:
    """Of one honest upload."""
    start = time.perf_counter()
    told = upload(client_at(server, "127.0.0.9"))
    assert told.json()["info"]["network"] == "LeNet-5", told.text
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print."""
    before, call, after = process.START_FORKS.rpartition("main(")
    process.START_FORKS = f"{before.rstrip('; ')}\n{SLEEPING}\n{call}{after}"
    for who, addresses in (("one client", ["127.0.0.2"] * 4), ("four clients", [f"127.0.0.{n}" for n in range(2, 6)])):
        with tempfile.TemporaryDirectory() as name, served_here(Settings(Path(name), workers=0)) as server:
            seconds(server)
            alone = min(seconds(server) for _ in range(5))
            with ThreadPoolExecutor(4) as crowd:
                for address in addresses:
                    crowd.submit(upload, client_at(server, address), b"\x80\x02].", "sleepy.pth")
                time.sleep(0.3)
                waits = [seconds(server) for _ in range(10)]
                print(
                    f"four looks of {who}: {max(waits):.2f} s at most, the first {waits[0]:.2f} s; alone {alone:.2f} s"
                )


if __name__ == "__main__":
    main()
