"""Image registries: one question to one of them, and what it said.

Only the first request of a pull is made, anonymously: it tells apart a registry that cannot be
reached, one that refuses, and one that lacks an image, without reading anybody's error messages.
Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from hullwright.images import Reference

if TYPE_CHECKING:
    from email.message import Message

    from python_on_whales import SystemInfo


Verdict = Literal["present", "absent", "refused", "unreachable"]

# The registry of references that name none; the engine tells its address.
_DEFAULT_DOMAIN: Final = Reference.parse("default").domain
_TIMEOUT_S: Final = 5.0
MANIFESTS: Final = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
_CHALLENGE: Final = re.compile(r'(?P<name>\w+)="(?P<value>[^"]*)"')
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registry as it is asked: its address without a path, and the proxy on the way, if any."""

    address: str
    proxy: str = ""

    @property
    def host(self) -> str:
        """The name that messages use."""
        return urllib.parse.urlsplit(self.address).netloc


@dataclass(frozen=True, slots=True)
class Answer:
    """What a registry said about an image.

    Attributes:
        verdict: `refused` is every answer that is neither yes nor no: 401, 403, 429, 5xx, a
            certificate that is not trusted.
        host: the registry that was asked.
        words: what it said, or why nothing was heard.
        status: HTTP status; 0 without one.
    """

    verdict: Verdict
    host: str
    words: str = ""
    status: int = 0


def endpoints(reference: Reference, info: SystemInfo) -> tuple[Endpoint, ...]:
    """Return where the engine looks for an image: its mirrors first, as it is configured.

    Args:
        reference: the image.
        info: what the engine tells of itself; it knows the address of the default registry.
    """
    registries = info.registry_config or {}
    proxy = info.https_proxy or info.http_proxy or ""
    if reference.domain == _DEFAULT_DOMAIN:
        given = [*(registries.get("Mirrors") or []), info.index_server_address or ""]
        roots = [urllib.parse.urlsplit(address) for address in given if address]
        return tuple(Endpoint(f"{root.scheme}://{root.netloc}", proxy) for root in roots)
    known = (registries.get("IndexConfigs") or {}).get(reference.domain) or {}
    plain = known.get("Secure") is False or is_loopback(reference.domain)
    scheme = "http" if plain else "https"
    return (Endpoint(f"{scheme}://{reference.domain}", "" if plain else proxy),)


def is_loopback(domain: str) -> bool:
    """Return whether a registry is on this machine, which the engine asks without TLS."""
    host = urllib.parse.urlsplit(f"//{domain}").hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def ask(reference: Reference, endpoint: Endpoint) -> Answer:
    """Return what a registry says about an image, with an anonymous token where it wants one."""
    what = reference.digest or reference.tag or "latest"
    url = f"{endpoint.address}/v2/{reference.path}/manifests/{what}"
    try:
        status, headers = _head(url, endpoint, "")
        token = _token(headers.get("WWW-Authenticate", ""), endpoint) if status == 401 else ""
        if token:
            status, headers = _head(url, endpoint, token)
    except (urllib.error.URLError, OSError, ValueError) as error:
        return _unheard(endpoint, error)
    return _verdict(endpoint, status, anonymous=not token)


def _head(url: str, endpoint: Endpoint, token: str) -> tuple[int, Message]:
    request = urllib.request.Request(url, method="HEAD", headers={"Accept": MANIFESTS})  # noqa: S310  the engine's own configuration names the address
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with _opener(endpoint).open(request, timeout=_TIMEOUT_S) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers


def _token(challenge: str, endpoint: Endpoint) -> str:
    """Return the token that everybody gets; empty where the registry gives none."""
    fields = {match["name"]: match["value"] for match in _CHALLENGE.finditer(challenge)}
    realm = fields.pop("realm", "")
    if not challenge.lower().startswith("bearer") or not realm.startswith(("http://", "https://")):
        return ""
    try:
        query = urllib.parse.urlencode(fields)
        with _opener(endpoint).open(f"{realm}?{query}", timeout=_TIMEOUT_S) as answer:
            given = json.loads(answer.read(_MOST_BYTES))
    except (urllib.error.URLError, OSError, ValueError):
        return ""
    return str(given.get("token") or given.get("access_token") or "")


def _opener(endpoint: Endpoint) -> urllib.request.OpenerDirector:
    if not endpoint.proxy:
        return urllib.request.build_opener()
    proxies = {"http": endpoint.proxy, "https": endpoint.proxy}
    return urllib.request.build_opener(urllib.request.ProxyHandler(proxies))


def _unheard(endpoint: Endpoint, error: Exception) -> Answer:
    reason = getattr(error, "reason", error)
    words = f"{getattr(reason, 'strerror', None) or reason}"
    # Something answered and could not prove who it is: that is not the same as nobody being there.
    refused = isinstance(reason, ssl.SSLCertVerificationError)
    return Answer("refused" if refused else "unreachable", endpoint.host, words)


def _verdict(endpoint: Endpoint, status: int, *, anonymous: bool) -> Answer:
    if status < 400:
        return Answer("present", endpoint.host, f"{status}", status)
    if status == 404:
        return Answer("absent", endpoint.host, "404, it has no such image", status)
    told = {
        401: "401, it wants a login",
        403: "403, it does not let us",
        429: "429, too many requests",
    }.get(status, f"{status}, it cannot answer now")
    suffix = "" if anonymous else " (with an anonymous token)"
    return Answer("refused", endpoint.host, f"{told}{suffix}", status)
