"""Shows this folder to the browsers of the local network. Python 3.7, nothing to install.

python serve.py              on this computer and, for pictures, on phones
python serve.py --https      also for the live camera of phones; needs the program openssl
"""

import argparse
import functools
import gzip
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from io import BytesIO
from typing import Any, ClassVar, List, Mapping

HERE = os.path.dirname(os.path.abspath(__file__))
LANGUAGE = "en"  # "zh" or "en"
MOST_WAITING = 64  # connections that nobody has taken yet: the page asks for all of its files at once
# Windows may call .js something else, and browsers refuse it then.
TYPES = {
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


PACKED = (".wasm", ".js", ".css", ".json", ".html", ".txt")  # a model's numbers would not become fewer


@functools.lru_cache(maxsize=None)
def packed(path: str, changed: float) -> bytes:
    """A file as browsers take it, too: the engine has 4 MB instead of 14. Kept, since packing it takes a second."""
    with open(path, "rb") as file:
        return gzip.compress(file.read(), 6)


def say(en: str, zh: str) -> str:
    return zh if LANGUAGE == "zh" else en


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of this folder, with what lets the engine use more than one processor core."""

    addresses: ClassVar[List[str]] = []  # under which other devices find the page, which makes a QR code of the first

    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, **TYPES}

    def send_head(self) -> Any:
        """The file, packed where the browser knows how to unpack it and has none yet."""
        if self.path.partition("?")[0] == "/address.json":
            return self.told(json.dumps(self.addresses).encode("ascii"), "application/json")
        path = self.translate_path(self.path)
        asked = "gzip" in self.headers.get("Accept-Encoding", "") and "If-Modified-Since" not in self.headers
        if not asked or not path.endswith(PACKED) or not os.path.isfile(path):
            return super().send_head()
        changed = self.date_time_string(int(os.path.getmtime(path)))
        headers = {"Content-Encoding": "gzip", "Last-Modified": changed}
        return self.told(packed(path, os.path.getmtime(path)), self.guess_type(path), headers)

    def told(self, data: bytes, kind: str, headers: Mapping[str, str] = {}) -> BytesIO:
        """An answer that is no file as it lies there."""
        self.send_response(200)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        return BytesIO(data)

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def list_directory(self, path: str) -> None:  # type: ignore[override]
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """One that says nothing of connections that a browser breaks off, over an unknown certificate say."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until Ctrl+C."""
    parser = argparse.ArgumentParser(description=say("Show this folder to browsers.", "让浏览器可以打开这个文件夹。"))
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--https", action="store_true")
    parser.add_argument("--only-here", action="store_true", help=say("not to other devices", "只限本机"))
    args = parser.parse_args()
    handler = functools.partial(Handler, directory=HERE)
    address = "127.0.0.1" if args.only_here else "0.0.0.0"
    try:
        server = Server((address, args.port), handler)
    except (OSError, OverflowError) as err:
        sys.exit(
            say("Port %d cannot be used: %s. Try --port 8001.", "端口 %d 无法使用：%s。请试试 --port 8001。")
            % (args.port, err)
        )
    addresses = ["localhost"] + ([] if args.only_here else own_addresses())
    server.socket.listen(MOST_WAITING)
    if args.https:
        server.socket = secured(server.socket, addresses)
    port = server.server_address[1]
    Handler.addresses = ["%s://%s:%d/" % ("https" if args.https else "http", name, port) for name in addresses[1:]]
    tell(addresses, port, args.https)
    engine = os.path.join(HERE, "ort.wasm")
    threading.Thread(target=packed, args=(engine, os.path.getmtime(engine)), daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


def tell(addresses: List[str], port: int, secure: bool) -> None:
    print(say("Open in a browser:", "请在浏览器中打开："))
    for address in addresses:
        print("    %s://%s:%d" % ("https" if secure else "http", address, port))
    if secure:
        print(
            say(
                "The browser warns, since nobody has signed for this computer: choose Advanced, then Continue.",
                "浏览器会提示证书不受信任，因为它由这台电脑自己生成：请选择“高级”，再选“继续前往”。",
            )
        )
    else:
        print(
            say(
                "The live camera works on localhost only; on phones choose a picture, or use --https.",
                "实时摄像头只能在 localhost 上使用；手机上请拍照或选择图片，或用 --https 启动。",
            )
        )
    print(say("Stop with Ctrl+C.", "按 Ctrl+C 停止。"), flush=True)


def own_addresses() -> List[str]:
    """Of this computer in its network; a UDP socket is told where to send, and sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation: nobody's
            return [probe.getsockname()[0]]
        except OSError:
            return []


def secured(plain: socket.socket, addresses: List[str]) -> socket.socket:
    """The same with a certificate that this computer has made for itself; its key is in no folder that is shown."""
    openssl = shutil.which("openssl")
    if openssl is None:
        sys.exit(
            say(
                "--https needs the program openssl. Debian: sudo apt install openssl; Windows: it comes with Git.",
                "--https 需要 openssl。Debian：sudo apt install openssl；Windows 随 Git 安装",
            )
        )
    names = ",".join(("IP:%s" if name[0].isdigit() else "DNS:%s") % name for name in addresses)
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "certificate.pem")
        subprocess.run([openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", key, "-out",
                        certificate, "-subj", "/CN=qingzhou", "-addext", "subjectAltName=" + names],
                       check=True, stderr=subprocess.DEVNULL)  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    # Each connection is greeted in a thread of its own: one after the other takes too long for all that a page needs.
    return context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)


if __name__ == "__main__":
    main()
