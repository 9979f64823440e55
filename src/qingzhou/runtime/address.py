"""Addresses on the network: asked with the name and password that they hold, and shown to people without them."""

from __future__ import annotations

import re
from typing import Any, List, Mapping, NamedTuple, Optional, Tuple

from .errors import DeviceError

ADDRESS = re.compile(r"""//[^"'“”‘’\n]*""")  # in a text, up to the end of what it is quoted in
LOGIN = re.compile(r"""(["'“‘])[^"'“”‘’\s:]+:(?!//)[^"'“”‘’\n]*@""")  # "user:password@host", as MQTT brokers are named
HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(:\d*)?")


def shown(address: str) -> str:
    """An address for people: without a name, a password, and the values that follow names in it."""
    before, slashes, rest = address.partition("//")
    if not slashes:
        return re.sub(r"(?s)^[^/\\\s:@]{2,}:.*@", "…@", address)
    if "@" in rest:
        rest = "…@" + rest.rpartition("@")[2]
    elif not HOST.fullmatch(re.split("[/?#]", rest)[0]):
        rest = "…"  # perhaps a name and a password, and the host left out
    return before + slashes + re.sub(r"=[^&/\s]*", "=…", rest)


def hidden(text: str) -> str:
    """A line that may have addresses in it, in quotes or at its end, each as shown() gives it."""
    return LOGIN.sub(r"\1…@", ADDRESS.sub(lambda found: shown(found.group()), text))


def parts(address: str) -> Tuple[str, Optional[str], str]:
    """The address without its name and password; the two, decoded, or None and ""."""
    scheme, _, rest = address.partition("://")
    end = re.match(r"[^/?#]*", rest).end()  # type: ignore[union-attr]  # it matches everything
    at = rest.rfind("@", 0, end)
    if at + 1 == end or not HOST.fullmatch(rest[at + 1 : end]):
        at = rest.rfind("@")  # a password with a "/", "?" or "#" in it, which should be written as %2F, %3F, %23
    if at < 0:
        return address, None, ""
    from urllib.parse import unquote

    user, _, password = rest[:at].partition(":")
    return "%s://%s" % (scheme, rest[at + 1 :]), unquote(user), unquote(password)


def quoted(address: str) -> str:
    """The same address, its name and password written as the standard wants them (RFC 3986, 3.2.1)."""
    bare, user, password = parts(address)
    if user is None:
        return address
    from urllib.parse import quote

    return bare.replace("://", "://%s:%s@" % (quote(user, ""), quote(password, "")), 1)


def ask(
    address: str, patience: float, body: Optional[bytes] = None, headers: Optional[Mapping[str, str]] = None
) -> Any:
    """The open answer to GET, or to POST of a body; name and password are sent to a host that asks (Basic, Digest).

    Raises OSError, ValueError or http.client's HTTPException, of which failure() says what they mean.
    """
    import urllib.request as urllib  # here, since it brings 3 MB that few programs need

    class Stay(urllib.HTTPRedirectHandler):
        """A POST that is sent on would arrive as a GET, without its body."""

        def redirect_request(self, *_: object) -> None:
            return None

    url, user, password = parts(address.strip())
    request = urllib.Request(url, body, dict(headers or {}))
    known = urllib.HTTPPasswordMgrWithDefaultRealm()
    more: List[Any] = [] if body is None else [Stay()]
    if user is not None:
        known.add_password(None, "%s://%s/" % (request.type, request.host), user, password)
        more += [urllib.HTTPBasicAuthHandler(known), urllib.HTTPDigestAuthHandler(known)]
    return urllib.build_opener(*more).open(request, timeout=patience)


class Failure(NamedTuple):
    """What is wrong at an address, after its name in a sentence; and what to do, "" where only the caller knows."""

    en: str
    zh: str
    todo_en: str = ""
    todo_zh: str = ""

    def error(self, en: str, zh: str, todo_en: str, todo_zh: str) -> DeviceError:
        """A sentence that begins with who it is about; and what to do, where that is not known better."""
        return DeviceError(
            en="%s %s. %s" % (en, self.en, self.todo_en or todo_en),
            zh="%s%s。%s" % (zh, self.zh, self.todo_zh or todo_zh),
        )


def failure(err: Exception, address: str) -> Failure:
    """What an error of ask() means, or of reading its answer; nothing secret is in it."""
    from http.client import HTTPException, InvalidURL

    code = getattr(err, "code", None)
    if isinstance(err, OSError) and isinstance(code, int):
        return _refused(code, parts(address)[1] is not None)
    if isinstance(err, OSError):  # urllib's errors are OSErrors
        why = hidden(str(getattr(err, "reason", err)))[:100]
        return Failure("does not answer (%s)" % why, "没有回应（%s）" % why)
    if isinstance(err, HTTPException) and not isinstance(err, InvalidURL):
        name = type(err).__name__
        return Failure(
            "answers, but not as HTTP does (%s)" % name,
            "有回应，但不是 HTTP 的回答（%s）" % name,
            "Check the port, and that it is no rtsp:// address.",
            "请检查端口，以及它是不是 rtsp:// 地址。",
        )
    if (
        isinstance(err, ValueError) and "auth" in str(err).lower()
    ):  # urllib's, of a scheme or an algorithm that it has not
        return Failure(
            "asks for the password in a way that is not known here",
            "要求用这里不支持的方式验证密码",
            "Choose Basic or Digest (MD5) in its settings.",
            "请在它的设置里选择 Basic 或 Digest（MD5）认证。",
        )
    return Failure(
        "is no address that can be asked",
        "不是可以访问的地址",
        'Expected one such as "http://192.168.1.5:8080/video", without spaces.',
        "应为 “http://192.168.1.5:8080/video” 这样的地址，没有空格。",
    )


def _refused(code: int, with_name: bool) -> Failure:
    if code == 401 and with_name:
        return Failure(
            "refuses this name or password (401)",
            "不接受这个用户名或密码（401）",
            "Check both; in an address @ is written as %40, # as %23, / as %2F, % as %25.",
            "请检查这两项；在地址里 @ 写作 %40，# 写作 %23，/ 写作 %2F，% 写作 %25。",
        )
    return OTHERS.get(code) or Failure("answers with the status %d" % code, "的回答是状态 %d" % code)


_SENT_ON = Failure(
    "sends us on to another address",
    "要求转到另一个地址",
    "Write the address that a browser ends at.",
    "请写浏览器最后打开的地址。",
)
OTHERS = {
    401: Failure(
        "asks for a name and a password (401)",
        "需要用户名和密码（401）",
        'Write them into the address: "http://name:password@192.168.1.5/video".',
        "请写在地址里：“http://用户名:密码@192.168.1.5/video”。",
    ),
    403: Failure(
        "is there, but does not let us in (403)",
        "存在，但不允许访问（403）",
        "Allow it in its settings, or take a user who may.",
        "请在它的设置里允许访问，或换一个有权限的用户。",
    ),
    404: Failure(
        "is there, but has nothing at this path (404)",
        "存在，但没有这个路径（404）",
        "Check what follows the host in the address.",
        "请检查地址里主机后面的部分。",
    ),
    407: Failure(
        "is asked through a proxy, which wants a name and a password (407)",
        "经过代理访问，而代理需要用户名和密码（407）",
        "For the local network no proxy is needed: set NO_PROXY=*.",
        "局域网不需要代理，请设置 NO_PROXY=*。",
    ),
    **dict.fromkeys((301, 302, 303, 307, 308), _SENT_ON),
}
