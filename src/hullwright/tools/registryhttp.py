"""HTTP as registries speak it: one request, one answer, over connections that are kept.

The one module that knows urllib3. It tries nothing twice and judges no status: that is the
client's business, and tests of the client put something else in this place.
"""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from urllib.parse import unquote, urlsplit

from hullwright.errors import UsageError
from hullwright.tools.registry import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    import urllib3

Silence = Literal["unreachable", "untrusted", "plain", "cut"]

_CONNECT_TIMEOUT_S: Final = 10.0
_READ_TIMEOUT_S: Final = 60.0
_MOST_REDIRECTS: Final = 5
_CONNECTIONS: Final = 16
_SHOWN_CHARACTERS: Final = 300
# What OpenSSL says of an answer that is no TLS; the name differs by its version.
_NO_TLS: Final = re.compile("WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|RECORD_LAYER")
# Where the engine looks for the authority of a registry's certificate.
_CERTIFICATES: Final = Path("/etc/docker/certs.d")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; `most_bytes` is how much of an answer's body is read."""

    method: str
    url: str
    # They may hold a login, which a traceback has no business with.
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    most_bytes: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered.

    Attributes:
        headers: by their names in lower case; what was repeated is joined with commas.
        content: the body, as far as the request wanted to read it.
        whole: whether that is all of it.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    whole: bool = True

    @property
    def errors(self) -> tuple[tuple[str, str], ...]:
        """The registry's own errors as (code, message); none where it wrote no such body."""
        try:
            told = json.loads(self.content)["errors"]
            return tuple((f"{e.get('code', '')}", f"{e.get('message') or ''}") for e in told)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return ()

    @property
    def codes(self) -> frozenset[str]:
        """The codes of its errors."""
        return frozenset(code for code, _ in self.errors)

    @property
    def words(self) -> str:
        """What it said, in one line: the status, then its errors or its text."""
        from http.client import responses

        told = "; ".join(": ".join(filter(None, error)) for error in self.errors)
        if not told and self.headers.get("content-type", "").startswith("text/plain"):
            told = " ".join(self.content.decode("utf-8", "replace").split())
        parts = (f"{self.status}", told or responses.get(self.status, ""))
        return " ".join(filter(None, parts))[:_SHOWN_CHARACTERS]


class UnheardError(Exception):
    """Nothing was answered.

    Attributes:
        kind: `unreachable`, `untrusted` (its certificate), `plain` (no TLS where some was
            wanted), or `cut`: the connection ended first.
        words: why, as the system says it.
    """

    def __init__(self, kind: Silence, words: str) -> None:
        super().__init__(words)
        self.kind = kind
        self.words = words


class Transport(Protocol):
    """What sends a request."""

    def send(self, request: Request) -> Answer:
        """Return the answer to a request.

        Raises:
            UnheardError: there was none.
        """
        ...


@dataclass
class Wire:
    """Sends requests over the network; used by several threads at once.

    Attributes:
        environ: names proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) and further
            authorities (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
        domain: the registry, whose own authority the engine may know.
        verify: off for a registry that the engine takes without a certificate.
    """

    environ: Mapping[str, str]
    domain: str
    verify: bool = True
    _managers: dict[tuple[str, bool], urllib3.PoolManager] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def send(self, request: Request) -> Answer:
        """Return the answer; redirects of what only reads are followed, without the login.

        Raises:
            UnheardError: there was none.
        """
        from urllib3.exceptions import HTTPError

        try:
            return self._sent(request)
        except HTTPError as error:
            raise _unheard(error) from None

    def _sent(self, request: Request) -> Answer:
        import urllib3

        follows = request.method in {"GET", "HEAD"}
        response = self._manager(request.url).request(
            request.method,
            request.url,
            body=request.body,
            headers={"User-Agent": "hullwright", **request.headers},
            redirect=follows,
            retries=urllib3.Retry(
                total=None,
                connect=0,
                read=0,
                other=0,
                status=0,
                redirect=_MOST_REDIRECTS,
                respect_retry_after_header=False,
            ),
            timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=_READ_TIMEOUT_S),
            preload_content=False,
            decode_content=False,
        )
        try:
            content = response.read(request.most_bytes + 1)
            whole = len(content) <= request.most_bytes
            if whole:
                # Only the read at its end finds that an answer was cut short.
                response.read(1)
            else:
                # What was not read would stand before the next answer.
                response.close()
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, content[: request.most_bytes], whole)
        finally:
            response.release_conn()

    def _manager(self, url: str) -> urllib3.PoolManager:
        key = (proxy_for(url, self.environ), url.startswith("https:"))
        with self._lock:
            if key not in self._managers:
                self._managers[key] = self._made(*key)
            return self._managers[key]

    def _made(self, proxy: str, tls: bool) -> urllib3.PoolManager:  # noqa: FBT001  one half of the key
        import urllib3

        # Loading the system's authorities takes 20 ms, which a registry of this machine is spared.
        settings: dict[str, Any] = {
            "maxsize": _CONNECTIONS,
            "ssl_context": self._context if tls else None,
        }
        if not self.verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        if not proxy:
            return urllib3.PoolManager(**settings)
        address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if address.username:
            login = f"{unquote(address.username)}:{unquote(address.password or '')}"
            settings["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=login)
        host = address.netloc.rpartition("@")[2]
        return urllib3.ProxyManager(f"{address.scheme}://{host}", **settings)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        file, folder = self.environ.get("SSL_CERT_FILE"), self.environ.get("SSL_CERT_DIR")
        own = sorted((_CERTIFICATES / self.domain).glob("*.crt"))
        try:
            if file or folder:
                context.load_verify_locations(file or None, folder or None)
            for each in own:
                context.load_verify_locations(each)
        except OSError as error:
            named = ", ".join(filter(None, (file, folder, *(f"{each}" for each in own))))
            raise UsageError(
                f"the authorities of certificates in {named} cannot be read",
                why=error.strerror or f"{error}",
                next_step="correct SSL_CERT_FILE or SSL_CERT_DIR, or repair the file",
            ) from None
        return context


def proxy_for(url: str, environ: Mapping[str, str]) -> str:
    """Return the proxy that the environment names for an address; empty for none.

    Like the engine, it asks nobody else for a registry of this machine.
    """
    parts = urlsplit(url)
    named = {
        name.lower(): value
        for name, value in sorted(environ.items())
        if name.lower() in {"http_proxy", "https_proxy", "all_proxy", "no_proxy"} and value
    }
    proxy = named.get(f"{parts.scheme}_proxy") or named.get("all_proxy") or ""
    if not proxy or is_loopback(parts.netloc):
        return ""
    exempt = [each.strip() for each in named.get("no_proxy", "").split(",")]
    host = parts.hostname or ""
    return "" if any(_covers(each, parts.netloc, host) for each in exempt) else proxy


def _covers(entry: str, netloc: str, host: str) -> bool:
    """Return whether an entry of NO_PROXY names a host: itself, a domain above it, its network."""
    if entry in {"*", host, netloc}:
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        name = entry.lstrip(".")
        return bool(name) and host.endswith(f".{name}")


def _unheard(error: Exception) -> UnheardError:
    """Return what became of a request, from the innermost reason that urllib3 gives."""
    from urllib3 import exceptions as e

    while isinstance(error, e.MaxRetryError) and error.reason is not None:
        error = error.reason
    inner = next((each for each in _chain(error) if isinstance(each, OSError)), None)
    words = (inner.strerror if inner is not None else None) or f"{error}"
    kind: Silence = "cut"
    if isinstance(inner, ssl.SSLCertVerificationError):
        kind, words = "untrusted", inner.verify_message or words
    elif isinstance(error, e.SSLError) and _NO_TLS.search(f"{error}"):
        kind, words = "plain", "it answers without TLS"
    elif isinstance(error, e.ProxyError):
        kind, words = "unreachable", f"the proxy: {words}"
    elif isinstance(error, e.NewConnectionError | e.LocationValueError | e.ResponseError):
        kind = "unreachable"
    elif isinstance(error, e.ConnectTimeoutError):
        kind, words = "unreachable", f"no connection within {_CONNECT_TIMEOUT_S:.0f} s"
    elif isinstance(error, e.ReadTimeoutError):
        words = f"no answer within {_READ_TIMEOUT_S:.0f} s"
    elif inner is None or not inner.strerror:
        words = "it ended before its answer was whole"
    return UnheardError(kind, words)


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        wrapped = next((each for each in error.args if isinstance(each, BaseException)), None)
        error = wrapped or error.__cause__ or error.__context__
    return found
