"""Connections: a serial port (micro:bit, Arduino), an MQTT broker (SIoT), and HTTP."""

from __future__ import annotations

import threading
import time
from typing import Any, Dict, Optional, Tuple

from ..address import ask, failure, shown
from ..errors import DeviceError, QingzhouError, line
from . import sim
from .optional import need, tell

SPEED = 115200  # of a micro:bit; the Arduino sketches of the lessons use it too
PATIENCE = 5  # seconds for an answer
RETRY = 1.0  # seconds between two attempts to find a lost port
# SIoT's published settings; on the Unihiker it runs on the board itself
BROKER, PORT, USER, PASSWORD = "127.0.0.1", 1883, "siot", "dfrobot"


# -- serial ---------------------------------------------------------------------------------------------------------


class Serial:
    """One port, written to and read from by lines. A thread keeps the newest value of every name that comes in.

    A line is "name:value", "name=value" or "value" alone, whose name is then "".
    """

    def __init__(self, port: str) -> None:
        self.values: Dict[str, str] = {}
        self._name = port
        self._port: Any = None
        if not sim.active():
            self._port = self._opened()
            threading.Thread(target=self._listen, name="serial", daemon=True).start()

    def write(self, text: str) -> None:
        """One line."""
        if self._port is None:
            sim.tell("serial: " + text)
            return
        try:
            self._port.write((line(text) + "\n").encode("utf-8"))
        except Exception as err:  # pyserial's, and the system's when the cable is pulled
            raise self._gone(err) from None

    def value(self, name: str) -> Optional[str]:
        """The newest value of this name; None before the first."""
        if self._port is None:
            self._take(sim.line("serial.txt") or "")
        return self.values.get(name)

    def _opened(self) -> Any:
        package = need("serial", "A serial port", "串口")
        try:
            name = self._name or _first_port()
            return package.Serial(name, SPEED, timeout=0.5, write_timeout=1)
        except QingzhouError:
            raise
        except Exception as err:
            raise self._gone(err) from None

    def _listen(self) -> None:
        while self._port is not None:
            try:
                self._take(self._port.readline().decode("utf-8", "replace"))
            except Exception as err:
                if self._port is not None:  # else we closed it ourselves
                    self._find_again(err)

    def _find_again(self, err: Exception) -> None:
        """The cable was pulled: old values no longer count; waits until the port is there again."""
        wrong = self._gone(err)
        tell(wrong.en, wrong.zh)
        self.values.clear()
        while self._port is not None:
            time.sleep(RETRY)
            try:
                found = self._opened()
            except QingzhouError:
                continue
            if self._port is None:  # closed in the meantime
                found.close()
                return
            self._port = found
            tell("The serial port %s is back." % self._name, "串口 %s 恢复了。" % self._name)
            return

    def _take(self, text: str) -> None:
        name, mark, value = text.strip().replace("=", ":").partition(":")
        if mark or name:
            self.values[name.strip() if mark else ""] = (value if mark else name).strip()

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.close()

    def _gone(self, err: Exception) -> DeviceError:
        return DeviceError(
            en="The serial port %s cannot be used (%s). Is the cable in, and the port's name right? Your user must be "
            "in the group dialout." % (self._name, str(err)[:100]),
            zh="无法使用串口 %s（%s）。线插好了吗？端口名对吗？当前用户需要在 dialout 组里。"
            % (self._name, str(err)[:100]),
        )


def _first_port() -> str:
    """The first USB port; a micro:bit goes before others."""
    ports = list(need("serial.tools.list_ports", "A serial port", "串口").comports())
    usb = sorted((port for port in ports if port.vid), key=lambda port: port.vid != 0x0D28)
    if not usb:
        raise DeviceError(
            en='No micro:bit or Arduino was found on USB. Plug it in, or name its port: serial(label, "/dev/ttyUSB0").',
            zh='没有在 USB 上找到 micro:bit 或 Arduino。请插上，或写明端口：serial(label, "/dev/ttyUSB0")。',
        )
    return str(usb[0].device)


def serial(port: str = "") -> Serial:
    """The serial port of this name, opened once; by default the first USB port. DeviceError."""
    if port not in _ports:
        _ports[port] = Serial(port)
    return _ports[port]


# -- MQTT -----------------------------------------------------------------------------------------------------------


class Broker:
    """A connection that comes back by itself when the broker does; lost messages are said, never kept."""

    def __init__(self, address: str) -> None:
        self.values: Dict[str, str] = {}
        self.host, self.port, user, password = parse_address(address)
        self._client: Any = None
        self._lost = self._asked = False
        if not sim.active():
            self._client = self._connected(user, password)

    def publish(self, topic: str, text: str) -> None:
        """Send a message. DeviceError while there is no connection."""
        if self._client is None:
            sim.tell("mqtt: %s %s" % (topic, text))
        elif not self._wait():
            raise self.gone()
        else:
            self._client.publish(line(topic), text)

    def value(self, topic: str) -> Optional[str]:
        """The newest message on a topic; None before the first."""
        if self._client is None:
            name, _, text = (sim.line("mqtt.txt") or "").partition(" ")
            self.values[name] = text
        elif topic not in self.values:
            self.values[topic] = ""
            self._client.subscribe(topic)
        return self.values.get(topic) or None

    def _connected(self, user: str, password: str) -> Any:
        package = need("paho.mqtt.client", "MQTT", "MQTT")
        versions = getattr(package, "CallbackAPIVersion", None)  # from paho 2 on it asks which one is meant
        client = package.Client(versions.VERSION2) if versions else package.Client()
        client.username_pw_set(user, password)
        client.on_connect, client.on_disconnect, client.on_message = self._on_connect, self._on_lost, self._on_message
        client.reconnect_delay_set(1, 5)
        client.connect_async(self.host, self.port, keepalive=20)
        client.loop_start()
        return client

    def _wait(self) -> bool:
        """Whether the connection is there; the first one is waited for."""
        end = time.monotonic() + (0 if self._asked else PATIENCE)
        self._asked = True
        while not self._client.is_connected() and time.monotonic() < end:
            time.sleep(0.05)
        return bool(self._client.is_connected())

    def _on_connect(self, client: Any, data: object, flags: object, code: Any, *_: object) -> None:
        if _failed(code):
            tell(
                'The MQTT broker %s refuses this user (%s). Write mqtt(topic, text, "user:password@host").'
                % (self.host, code),
                'MQTT 服务器 %s 拒绝了这个用户（%s）。请写 mqtt(主题, 内容, "用户:密码@地址")。' % (self.host, code),
            )
            return
        for topic in list(self.values):
            client.subscribe(topic)
        if self._lost:
            tell("The MQTT broker %s is back." % self.host, "MQTT 服务器 %s 恢复了。" % self.host)
        self._lost = False

    def _on_lost(self, client: Any, data: object, *codes: Any) -> None:
        # paho 1 gives the code alone; paho 2 gives it between flags and properties
        if self._client is not None and not self._lost and _failed(codes[0] if len(codes) == 1 else codes[1]):
            self._lost = True
            tell(
                "The MQTT broker %s is gone; trying again … messages until then are lost." % self.host,
                "MQTT 服务器 %s 断开了，正在重新连接……期间的消息会丢失。" % self.host,
            )

    def _on_message(self, client: Any, data: object, message: Any) -> None:
        self.values[message.topic] = message.payload.decode("utf-8", "replace").strip()

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def gone(self) -> DeviceError:
        return DeviceError(
            en="The MQTT broker %s:%d does not answer. Is it switched on (SIoT, mosquitto), and is the address right? "
            'mqtt(topic, text, "192.168.1.5") names another.' % (self.host, self.port),
            zh="MQTT 服务器 %s:%d 没有回应。它（SIoT、mosquitto）启动了吗？地址对吗？"
            '换地址请写 mqtt(主题, 内容, "192.168.1.5")。' % (self.host, self.port),
        )


def _failed(code: Any) -> bool:
    """Whether a code of paho's is one of failure: a number, or from paho 2 on an object that knows."""
    return bool(getattr(code, "is_failure", code))


def parse_address(text: str) -> Tuple[str, int, str, str]:
    """ "user:password@host:port" with SIoT's settings for what is left out."""
    who, _, where = text.partition("//")[2].rpartition("@") if "//" in text else text.rpartition("@")
    host, _, port = where.partition(":")
    user, _, password = who.partition(":")
    return host or BROKER, int(port) if port.isdigit() else PORT, user or USER, password or PASSWORD


def broker(address: str = "") -> Broker:
    """The broker at this address, connected once. DeviceError without the package."""
    if address not in _brokers:
        _brokers[address] = Broker(address)
    return _brokers[address]


_ports: Dict[str, Serial] = {}
_brokers: Dict[str, Broker] = {}


# -- HTTP -----------------------------------------------------------------------------------------------------------


def post(address: str, text: str) -> None:
    """Send a text by HTTP POST; DeviceError if nobody takes it."""
    if sim.active():
        sim.tell("http: %s %s" % (shown(address), text))
        return
    try:
        with ask(address, PATIENCE, text.encode("utf-8"), {"Content-Type": "text/plain; charset=utf-8"}) as answer:
            answer.read(1 << 16)
    except Exception as err:  # OSError, ValueError, and what http.client raises, which is neither
        raise failure(err, address).error(
            "%s does not take the message: it" % shown(address),
            "%s 没有接收消息：它" % shown(address),
            "Check the address, and that the other program runs.",
            "请检查地址，以及对方的程序是否在运行。",
        ) from None


def close() -> None:
    """Close all connections."""
    for opened in (_ports, _brokers):
        for one in opened.values():
            one.close()
    _ports.clear()
    _brokers.clear()
