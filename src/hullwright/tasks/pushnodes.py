"""Images of which several nodes of a builder pushed a part each: one image before it is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullwright.build import TargetResult
    from hullwright.push.models import Clients


def whole_digest(clients: Clients, target: TargetResult, repository: str) -> str:
    """Return the digest of a target's image, made of its parts where nodes pushed them.

    Raises:
        CheckFailedError: the parts do not make one image.
        UnavailableError: the registry cannot be asked, or refuses.
    """
    if not target.parts:
        return target.digest
    # Imported where there is something to join.
    from hullwright.push.joining import Part, join
    from hullwright.push.moving import at

    client, path = at(clients, repository)
    parts = [Part(platform, digest, target.fingerprint) for platform, digest in target.parts]
    return join(client, path, parts).digest
