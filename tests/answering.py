"""A transport that plays back what a registry answers, so that unit tests open no connection."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullwright.tools.registryclient import Manifest, Patience, RegistryClient
from hullwright.tools.registryhttp import Answer, Request, UnheardError
from hullwright.tools.registrysending import Sending

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullwright.tools.credentials import Credential

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class Answering:
    """Gives its answers in order; `requests` are what was asked."""

    answers: list[Answer | UnheardError]
    requests: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Answer:
        self.requests.append(request)
        assert self.answers, f"nobody said what this answers: {request}"
        answer = self.answers.pop(0)
        if isinstance(answer, UnheardError):
            raise answer
        return answer

    @property
    def asked(self) -> list[str]:
        """Method and address of each request, and how it was let in."""
        return [
            " ".join(filter(None, (each.method, each.url, each.headers.get("Authorization", ""))))
            for each in self.requests
        ]


@dataclass
class Talk:
    """A client of `registry.example.com` that waits for nothing, and what it did."""

    transport: Answering
    client: RegistryClient
    told: list[str]
    slept: list[float]
    kept: list[str]


def talk(
    *answers: Answer | UnheardError,
    credential: Credential | None = None,
    domain: str = "registry.example.com",
    root: str = "",
) -> Talk:
    """Return a client that gets these answers; its pauses are the longest without chance."""
    transport, told, slept, kept = Answering([*answers]), [], [], []  # type: ignore[var-annotated]  # as Talk has them
    patience = Patience(sleep=slept.append, chance=lambda: 1.0)
    keep: Callable[[Any], None] = lambda secret: kept.append(secret.reveal())  # noqa: E731  a field takes it
    sending = Sending(
        domain, root or f"https://{domain}", transport, credential, patience, told.append, keep
    )
    return Talk(transport, RegistryClient(sending), told, slept, kept)


def refusal(status: int, code: str = "", message: str = "", **headers: str) -> Answer:
    """Return a registry's own refusal; without a code it has no body."""
    body = {"errors": [{"code": code, "message": message}]} if code else None
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, json.dumps(body).encode() if body else b"")


def made(media_type: str = MANIFEST, **document: Any) -> Manifest:
    """Return a manifest or an index."""
    content = json.dumps({"schemaVersion": 2, "mediaType": media_type, **document}).encode()
    return Manifest(media_type, content, digest(content))


def sent(manifest: Manifest) -> Answer:
    """Return the answer that holds a manifest."""
    headers = {"content-type": manifest.media_type, "docker-content-digest": manifest.digest}
    return Answer(200, headers, manifest.content)


def digest(content: bytes) -> str:
    """Return the digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
