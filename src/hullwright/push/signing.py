"""Signs what is released: by digest, after every check and gate, and before any tag moves.

So a tag never names what is not signed. A signature that is there already is not made again, for
a registry would keep both.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hullwright.errors import UnavailableError, UsageError
from hullwright.push.together import together
from hullwright.tools import cosign
from hullwright.tools.signatures import transport_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.push.checking import Checked
    from hullwright.tools.cosign import SigningKey
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs, and was opened.

    Attributes:
        name: as the configuration names it.
        key: as cosign is told of it.
        public: its public half, as PEM.
    """

    name: str
    key: SigningKey
    public: str


@dataclass(frozen=True, slots=True)
class Signed:
    """An image that is signed now.

    Attributes:
        reference: by digest.
        key: as the configuration names it.
        already: whether it was signed by this key before.
        seconds: how long that took.
    """

    reference: str
    key: str
    already: bool
    seconds: float


def signer(ws: Workspace, name: str, key: SigningKey) -> Signer:
    """Return a key that can sign; asked before anything is built.

    Raises:
        UnavailableError: cosign is missing, or a service of keys does not answer.
        UsageError: the key cannot be opened.
    """
    cosign.require(ws.runner, "[signing] key says that what is pushed is to be signed")
    answer = cosign.public_key(ws.runner, key)
    if answer.ok and answer.stdout.strip():
        return Signer(name, key, answer.stdout)
    facts = [("key", name), ("cosign", cosign.said(answer))]
    if "://" in name:
        raise UnavailableError(
            "the key that signs cannot be had",
            why=facts,
            next_step="correct the address in [signing] key, or log in to its service",
        )
    if "://" not in key.key and not Path(key.key).is_file():
        raise UsageError(
            f"there is no file {name} to sign with",
            why="[signing] key names a file from the repository's top folder, or env:NAME",
            next_step="correct [signing] key; a new key is made by: cosign generate-key-pair",
        )
    raise UsageError(
        "the key that signs cannot be opened",
        why=facts,
        next_step=f"{cosign.PASSWORD_VARIABLE} is its password, in the environment or as a key of "
        "the secrets file; a new key is made by: cosign generate-key-pair",
    )


def sign(ws: Workspace, signer: Signer, images: Sequence[Checked]) -> tuple[Signed, ...]:
    """Return the images, each signed by now with all that its index points at.

    Raises:
        UnavailableError: cosign, a service of keys or a registry did not do it.
    """
    once = {image.content.reference: image for image in images}
    if not once:
        return ()
    count = "1 image" if len(once) == 1 else f"{len(once)} images"
    with ws.console.step(f"signature of {count}"):
        return tuple(together(lambda image: _signed(ws, signer, image), list(once.values())))


def _signed(ws: Workspace, signer: Signer, image: Checked) -> Signed:
    started = time.monotonic()
    content = image.content
    transport = transport_words(ws, content.reference)

    def is_signed(digest: str) -> bool:
        reference = f"{content.repository}@{digest}"
        said = cosign.verify(ws.runner, signer.public, reference, transport)
        return cosign.verdict(said) == "signed"

    # Of each: what was interrupted has signed some of them.
    already = all(map(is_signed, dict.fromkeys((content.digest, *image.platforms.values()))))
    if not already:
        answer = cosign.sign(ws.runner, signer.key, content.reference, transport)
        if not answer.ok:
            raise UnavailableError(
                f"{content.name} could not be signed, so no release tag was changed",
                why=[
                    ("image", content.reference),
                    ("key", signer.name),
                    ("cosign", cosign.said(answer)),
                ],
                next_step="correct what it reports, then: invoke push   "
                "(what was sent is not sent again)",
            )
    return Signed(content.reference, signer.name, already, time.monotonic() - started)
