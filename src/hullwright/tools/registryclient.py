"""A client of one image registry: manifests, tags and blobs by the distribution specification.

It asks with the login that Docker has stored, keeps its connections, and asks again where that may
help. Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from hullwright.images import DIGEST, TAG, Reference
from hullwright.tools.credentials import stored
from hullwright.tools.registry import MANIFESTS, is_loopback
from hullwright.tools.registryauth import TokenRefusedError
from hullwright.tools.registryblobs import BlobReader
from hullwright.tools.registryerrors import RegistryError
from hullwright.tools.registryhttp import Answer, Request, Transport, UnheardError, Wire
from hullwright.tools.registrysending import Patience, Sending

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.run import Runner
    from hullwright.tools.credentials import Credential
    from hullwright.workspace import Workspace

__all__ = [
    "Descriptor",
    "Manifest",
    "Patience",
    "RegistryClient",
    "RegistryError",
    "connect",
    "connect_as",
    "is_insecure",
]

_DEFAULT_DOMAIN: Final = Reference.parse("default").domain
_DEFAULT_HOST: Final = "registry-1.docker.io"
# Registries refuse manifests above 4 MiB.
_MANIFEST_BYTES: Final = 4 << 20
_TAGS_A_PAGE: Final = 1000
# What a web server that is no registry answers to a question for one.
_STRANGE: Final = frozenset({200, 204, 301, 302, 307, 308, 404, 405})
_PATH: Final = re.compile("/v2/(?P<name>.+)/(?:manifests|blobs|tags)/")
_NEXT: Final = re.compile(r'<(?P<address>[^>]+)>\s*;\s*rel="?next"?')


@dataclass(frozen=True, slots=True)
class Manifest:
    """The exact bytes of a manifest or index, with their media type and digest."""

    media_type: str
    content: bytes
    digest: str

    def document(self) -> Mapping[str, Any]:
        """Return what it says; empty where it is no JSON table."""
        try:
            told = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a registry says of a manifest without sending it."""

    digest: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True)
class RegistryClient:
    """Asks one registry; used by several threads at once.

    Repositories are paths in it (`team/app`); with its own name before them they are understood
    too. Every method raises `RegistryError` (exit code 3) where the registry cannot or will not.

    Attributes:
        sending: sends its requests.
    """

    sending: Sending

    @property
    def domain(self) -> str:
        """The registry as references name it."""
        return self.sending.domain

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return a manifest by tag or digest, or None where there is no such one."""
        path, doing = self._manifest(repository, reference, "read")
        answer = self._read("GET", path, doing, most_bytes=_MANIFEST_BYTES)
        if answer is None:
            return None
        digest = _digest_of(answer.content)
        manifest = Manifest(_media_type(answer), answer.content, digest)
        if not answer.whole or "schemaVersion" not in manifest.document():
            raise self.sending.foreign(doing, answer, "what it sent is no manifest")
        told = reference if DIGEST.fullmatch(reference) else _told_digest(answer)
        if told and told != digest:
            raise self.sending.mistaken(doing, f"what it sent has the digest {digest}, not {told}")
        return manifest

    def describe(self, repository: str, reference: str) -> Descriptor | None:
        """Return digest, media type and size of a manifest, or None where there is no such one."""
        path, doing = self._manifest(repository, reference, "read")
        answer = self._read("HEAD", path, doing)
        if answer is None:
            return None
        digest, size = _told_digest(answer), answer.headers.get("content-length", "")
        if digest and size.isdecimal():
            return Descriptor(digest, _media_type(answer), int(size))
        # Both are optional for registries; the manifest itself tells.
        found = self.manifest(repository, reference)
        if found is None:
            return None
        return Descriptor(found.digest, found.media_type, len(found.content))

    def put_manifest(self, repository: str, reference: str, manifest: Manifest) -> str:
        """Put the very bytes of a manifest under a tag or its digest; returns that digest."""
        path, doing = self._manifest(repository, reference, "push")
        request = Request("PUT", path, {"Content-Type": manifest.media_type}, manifest.content)
        answer = self.sending.send(request, _scope(path, "pull,push"), doing)
        if answer.status not in {200, 201, 202, 204}:
            raise self.sending.refused(doing, answer)
        told = _told_digest(answer)
        if told and told != manifest.digest:
            raise self.sending.mistaken(doing, f"it took {told}, and {manifest.digest} was sent")
        return manifest.digest

    def delete_tag(self, repository: str, tag: str) -> bool:
        """Remove one tag, and nothing else; returns False where the registry cannot do that.

        A tag that is not there counts as removed. A digest is refused, since some registries
        remove every tag of a manifest with it.

        Raises:
            ValueError: `tag` is none.
        """
        if not TAG.fullmatch(tag):
            raise ValueError(f"{tag!r} is not a tag")
        path, doing = self._manifest(repository, tag, "remove")
        answer = self.sending.send(Request("DELETE", path), _scope(path, "delete"), doing)
        if answer.status < 300:
            return True
        if answer.status == 404:
            return bool(answer.codes & {"MANIFEST_UNKNOWN", "NAME_UNKNOWN"})
        if answer.status in {400, 405, 501}:
            return False
        raise self.sending.refused(doing, answer)

    def blob(self, repository: str, digest: str, most_bytes: int) -> bytes:
        """Return the content of a blob of at most so many bytes; it is what its digest says."""
        name = self._name(repository)
        doing = f"read {name}@{digest}"
        answer = self._read("GET", f"/v2/{name}/blobs/{digest}", doing, most_bytes=most_bytes)
        if answer is None:
            raise self.sending.mistaken(doing, "it does not have it any more")
        if not answer.whole:
            raise self.sending.mistaken(doing, f"it is larger than {most_bytes:,} bytes")
        if _digest_of(answer.content) != digest:
            raise self.sending.mistaken(doing, "what it sent has another digest")
        return answer.content

    def open_blob(self, repository: str, digest: str, size_bytes: int) -> BlobReader:
        """Return a source of a blob's content, which asks for it piece by piece.

        So nothing is kept whole, and what is cut off is asked for again from there. Whether the
        content is what its digest says, its reader checks.
        """
        name = self._name(repository)
        path, doing = f"/v2/{name}/blobs/{digest}", f"read {name}@{digest}"
        return BlobReader(self.sending, path, _scope(path, "pull"), doing, size_bytes)

    def tags(self, repository: str, *, page: int = _TAGS_A_PAGE) -> tuple[str, ...]:
        """Return all tags of a repository, page by page; none where there is no repository."""
        name = self._name(repository)
        doing = f"list the tags of {name}"
        found: dict[str, None] = {}
        asked: set[str] = set()
        path = f"/v2/{name}/tags/list?n={page}"
        while path and path not in asked:
            asked.add(path)
            answer = self._read("GET", path, doing, most_bytes=_MANIFEST_BYTES)
            if answer is None:
                break
            try:
                found.update(dict.fromkeys(json.loads(answer.content).get("tags") or ()))
            except (ValueError, AttributeError, TypeError):
                raise self.sending.foreign(doing, answer, "what it sent is no list") from None
            path = self._following(answer, path)
        return tuple(found)

    def check_push(self, repository: str) -> None:
        """Return where a push would be let in: an upload is begun, and given up again."""
        name = self._name(repository)
        path, doing = f"/v2/{name}/blobs/uploads/", f"push to {name}"
        scope = _scope(path, "pull,push")
        answer = self.sending.send(Request("POST", path, {"Content-Length": "0"}), scope, doing)
        if answer.status != 202:
            if answer.status in _STRANGE:
                self.sending.check_registry(answer, doing)
            raise self.sending.refused(doing, answer)
        place = self._own(answer.headers.get("location", ""), path)
        if place not in {"", path}:
            # An upload that cannot be given up is forgotten by the registry in time.
            try:
                self.sending.once(Request("DELETE", place), scope)
            except (UnheardError, TokenRefusedError):
                return

    def check_login(self) -> None:
        """Return where the registry can be reached, is one, and takes the login."""
        doing = "log in"
        answer = self.sending.send(Request("GET", "/v2/"), "", doing)
        if answer.status in _STRANGE - {200}:
            self.sending.check_registry(answer, doing)
        if answer.status != 200:
            raise self.sending.refused(doing, answer)

    def _manifest(self, repository: str, reference: str, verb: str) -> tuple[str, str]:
        """Return the path of a manifest, and what is done with it."""
        name = self._name(repository)
        sign = "@" if DIGEST.fullmatch(reference) else ":"
        return f"/v2/{name}/manifests/{reference}", f"{verb} {name}{sign}{reference}"

    def _read(
        self, method: str, path: str, doing: str, *, most_bytes: int = 1 << 20
    ) -> Answer | None:
        """Return the answer to a question, None where it is that there is no such thing."""
        headers = {"Accept": MANIFESTS} if "/manifests/" in path else {}
        request = Request(method, path, headers, most_bytes=most_bytes)
        answer = self.sending.send(request, _scope(path, "pull"), doing)
        if answer.status == 404:
            self.sending.check_registry(answer, doing)
            return None
        if answer.status != 200:
            raise self.sending.refused(doing, answer)
        return answer

    def _following(self, answer: Answer, path: str) -> str:
        match = _NEXT.search(answer.headers.get("link", ""))
        return self._own(match["address"], path) if match else ""

    def _own(self, address: str, path: str) -> str:
        """Return the path that an answer names; nothing in another place, which gets no login."""
        root = urlsplit(self.sending.root)
        place = urlsplit(urljoin(f"{self.sending.root}{path}", address))
        if (place.scheme, place.netloc) != (root.scheme, root.netloc):
            return ""
        return f"{place.path}?{place.query}" if place.query else place.path

    def _name(self, repository: str) -> str:
        if repository.startswith(f"{self.domain}/") or self.domain == _DEFAULT_DOMAIN:
            return Reference.parse(repository).path
        return repository


def connect(ws: Workspace, domain: str, *, patience: Patience | None = None) -> RegistryClient:
    """Return a client of a registry with the login that Docker has for it.

    Raises:
        UsageError: Docker's file of logins cannot be read.
        UnavailableError: the program that keeps the login is missing, or fails.
    """
    credential = stored(ws.runner, ws.environ, domain)
    return connect_as(ws, domain, credential, patience=patience)


def connect_as(
    ws: Workspace, domain: str, credential: Credential | None, *, patience: Patience | None = None
) -> RegistryClient:
    """Return a client of a registry with a given login, or without one."""
    insecure = is_insecure(ws, domain)
    wire = Wire(ws.environ, domain, verify=not insecure)
    sending = Sending(
        domain,
        _root(domain, wire, insecure=insecure),
        wire,
        credential,
        patience or Patience(),
        ws.console.note,
        ws.runner.secrets.add,
    )
    return RegistryClient(sending)


def is_insecure(ws: Workspace, domain: str) -> bool:
    """Return whether a registry of another machine may be asked without a trusted certificate."""
    return not is_loopback(domain) and _is_insecure(ws.runner, domain)


def _root(domain: str, wire: Transport, *, insecure: bool) -> str:
    """Return the address of a registry; the engine asks an insecure one by TLS first, too."""
    if is_loopback(domain):
        return f"http://{domain}"
    host = _DEFAULT_HOST if domain == _DEFAULT_DOMAIN else domain
    if insecure:
        try:
            wire.send(Request("GET", f"https://{host}/v2/"))
        except UnheardError:
            return f"http://{host}"
    return f"https://{host}"


def _is_insecure(runner: Runner, domain: str) -> bool:
    """Return whether the engine is configured to ask a registry without a certificate."""
    if domain == _DEFAULT_DOMAIN or runner.find("docker") is None:
        return False
    asked = ("docker", "info", "--format", "{{json .RegistryConfig}}")
    try:
        told = json.loads(runner.read(*asked, check=False).stdout or "null") or {}
        return bool((told.get("IndexConfigs") or {}).get(domain, {}).get("Secure") is False)
    except (ValueError, AttributeError):
        return False


def _scope(path: str, actions: str) -> str:
    """Return what a token for a path of the registry must allow."""
    match = _PATH.match(path)
    return f"repository:{match['name']}:{actions}" if match else ""


def _digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _told_digest(answer: Answer) -> str:
    told = answer.headers.get("docker-content-digest", "")
    return told if DIGEST.fullmatch(told) else ""


def _media_type(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip()
