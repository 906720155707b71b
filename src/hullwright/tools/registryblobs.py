"""A blob of a registry as a source of bytes that keeps a piece of it at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.tools.registryhttp import Request

if TYPE_CHECKING:
    from hullwright.tools.registrysending import Sending

_PIECE_BYTES: Final = 4 << 20


@dataclass
class BlobReader:
    """The content of a blob, asked for piece by piece (`Range`).

    A piece that is cut off is asked for again, as every request is; so a layer of gigabytes does
    not begin anew.

    Attributes:
        sending: sends requests.
        path: of the blob.
        scope: for which a token is asked.
        doing: what is done, for messages.
        size_bytes: of the blob, as its manifest says.
    """

    sending: Sending
    path: str
    scope: str
    doing: str
    size_bytes: int
    _position: int = 0
    _piece: bytes = b""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and none only at the end.

        Raises:
            RegistryError: the registry cannot or will not answer, or knows no ranges.
        """
        if not self._piece and self._position < self.size_bytes:
            self._piece = self._next()
            self._position += len(self._piece)
        given, self._piece = self._piece[:size], self._piece[size:]
        return given

    def _next(self) -> bytes:
        last = min(self._position + _PIECE_BYTES, self.size_bytes) - 1
        span = {"Range": f"bytes={self._position}-{last}"}
        request = Request("GET", self.path, span, most_bytes=_PIECE_BYTES)
        answer = self.sending.send(request, self.scope, self.doing)
        if answer.status == 404:
            self.sending.check_registry(answer, self.doing)
        if answer.status not in {200, 206}:
            raise self.sending.refused(self.doing, answer)
        if answer.status == 200 and (self._position or not answer.whole):
            raise self.sending.mistaken(self.doing, "it sends no parts of blobs (HTTP Range)")
        if len(answer.content) != last + 1 - self._position:
            told = (
                f"it sent {len(answer.content):,} bytes of a part of {last + 1 - self._position:,}"
            )
            raise self.sending.mistaken(self.doing, told)
        return answer.content
