"""Whether images are signed by a key that the configuration trusts; asked by digest.

Where `[signing] trusted` names no key, nothing is verified and cosign is not needed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, HullwrightError, UnavailableError, UsageError
from hullwright.images import Reference
from hullwright.tools import cosign

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hullwright.outcome import Result
    from hullwright.tools.cosign import Verdict
    from hullwright.workspace import Workspace

_AT_ONCE: Final = 4
_PUBLIC: Final = b"-----BEGIN PUBLIC KEY-----"
_VERDICTS: Final[dict[Verdict, str]] = {
    "unsigned": "it is not signed",
    "other key": "it is signed, and by no key that is trusted here",
    "missing": "the registry does not have it",
}


@dataclass(frozen=True, slots=True)
class Verified:
    """An image that a trusted key signed.

    Attributes:
        reference: by digest.
        key: as the configuration names it.
    """

    reference: str
    key: str


@dataclass(frozen=True, slots=True)
class _Answer:
    reference: str
    key: str = ""
    verdict: Verdict = "unknown"
    said: Result | None = None


def check_ready(ws: Workspace) -> None:
    """Return where signatures can be verified, or need not be; asked before anything is fetched.

    Raises:
        UnavailableError: cosign is missing.
        UsageError: a trusted key is not there, or is no public key.
    """
    trusted = ws.config.signing.trusted
    if not trusted:
        return
    cosign.require(ws.runner, "[signing] trusted says that what is pulled is to be signed")
    wrong = [(key, why) for key in trusted for why in [_wrong(ws, key)] if why]
    if wrong:
        raise UsageError(
            "a key that is trusted cannot be used, so nothing can be verified",
            why=wrong,
            next_step="correct [signing] trusted; a public key is made by: "
            "cosign public-key --key cosign.key",
        )


def verify(ws: Workspace, images: Sequence[tuple[str, str]]) -> tuple[Verified, ...]:
    """Return which trusted key signed each image; nothing where no key is configured.

    A registry is asked, also for what the local store has: a signature is kept there alone.

    Args:
        ws: the repository; its configuration names the keys.
        images: for each the name by which a person knows it, and its reference with a digest.

    Raises:
        CheckFailedError: an image is not signed, or by other keys only; all are named.
        UnavailableError: cosign is missing, or a registry or a service of keys does not answer.
        UsageError: a key cannot be used.
    """
    check_ready(ws)
    if not ws.config.signing.trusted or not images:
        return ()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda image: _asked(ws, image[1]), images))
    for answer in answers:
        if answer.verdict == "unknown" and answer.said is not None:
            raise UnavailableError(
                f"the signature of {answer.reference} could not be looked at",
                why=[("key", answer.key), ("cosign", cosign.said(answer.said))],
                next_step="see that its registry answers, and try again",
            )
    wrong = [
        (name, f"{answer.reference}\n{_VERDICTS[answer.verdict]}")
        for (name, _), answer in zip(images, answers, strict=True)
        if answer.verdict != "signed"
    ]
    if wrong:
        count = "1 image is" if len(wrong) == 1 else f"{len(wrong)} images are"
        raise CheckFailedError(
            f"{count} not signed by a key that is trusted, so nothing was fetched",
            why=[*wrong, ("trusted", "\n".join(ws.config.signing.trusted))],
            next_step="take a release that was pushed with [signing] key, or correct "
            "[signing] trusted",
        )
    return tuple(Verified(answer.reference, answer.key) for answer in answers)


def problem(ws: Workspace, reference: str) -> str:
    """Return why an image must not be taken, in one line; empty where it may be.

    For who can do without it: what keeps us from looking is a reason too, and no failure.
    """
    try:
        check_ready(ws)
    except HullwrightError as error:
        return error.what
    if not ws.config.signing.trusted:
        return ""
    answer = _asked(ws, reference)
    if answer.verdict == "unknown" and answer.said is not None:
        return f"its signature could not be looked at: {cosign.said(answer.said).splitlines()[0]}"
    return _VERDICTS.get(answer.verdict, "")


def _asked(ws: Workspace, reference: str) -> _Answer:
    """Return the first key that signed an image, else what was said by the most telling one."""
    answers = []
    transport = transport_words(ws, reference)
    for key in ws.config.signing.trusted:
        said = cosign.verify(ws.runner, _key(ws.root, key), reference, transport)
        answer = _Answer(reference, key, cosign.verdict(said), said)
        if answer.verdict == "signed":
            return answer
        answers.append(answer)
    # A service that did not answer might have said yes; a signature of somebody else tells more
    # than none.
    order: tuple[Verdict, ...] = ("unknown", "other key", "unsigned", "missing")
    return min(answers, key=lambda answer: order.index(answer.verdict))


def transport_words(ws: Workspace, reference: str) -> tuple[str, ...]:
    """Return what cosign has to be told of the way to the registry of an image."""
    # Imported where a registry is asked.
    from hullwright.tools.registryclient import is_insecure

    return cosign.transport_words(insecure=is_insecure(ws, Reference.parse(reference).domain))


def _key(root: Path, key: str) -> str:
    return key if "://" in key else str(root / key)


def _wrong(ws: Workspace, key: str) -> str:
    if "://" in key:
        return ""
    path = ws.root / key
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"{error.strerror or error}"
    return "" if content.lstrip().startswith(_PUBLIC) else "it is no public key in PEM form"
