"""Holds an image against Git: its labels, and what its own version command answers."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import UnavailableError, UsageError
from hullwright.tools import engine
from hullwright.version.model import rfc3339
from hullwright.version.observe import describe_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.tools.engine import LocalImage
    from hullwright.version.model import Version
    from hullwright.workspace import Workspace

_LABEL: Final = "org.opencontainers.image."
_TIMEOUT_S: Final = 60.0
_SHOWN_LETTERS: Final = 200
# What stands around a version in an answer: `web 1.2.3 (go1.25)`, `VERSION=1.2.3`, JSON.
_AROUND: Final = re.compile(r"[\s=\"',;:()\[\]{}]+")
# What an answer calls its commit: `commit 1a2b3c4`, `GIT_COMMIT=1a2b3c4`, `"revision": "1a2b3c4…"`.
_COMMIT: Final = re.compile(
    r"(?:\b|_)(?:commit|revision)\b[\"']?\s*[:=]?\s*[\"']?(?P<digits>[0-9a-f]{7,40})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that an image says of its version.

    Attributes:
        what: the label, or the command that it was asked with.
        expected: what Git says.
        found: what the image says; empty where it says nothing.
        held: whether they agree; None where it was not asked.
    """

    what: str
    expected: str
    found: str
    held: bool | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What an image says of its version, held against Git.

    Attributes:
        image: as it was asked for.
        id: what the store knows it by.
        version: Git's; of a current image, that of the commit which it was built from.
        current: whether it is of an earlier commit, since which none of its inputs changed.
    """

    image: str
    id: str
    version: Version
    checks: tuple[Check, ...]
    current: bool = False

    @property
    def differences(self) -> tuple[Check, ...]:
        """What does not agree with Git."""
        return tuple(check for check in self.checks if check.held is False)


def local_image(ws: Workspace, reference: str) -> LocalImage:
    """Return an image of the local store.

    Raises:
        UsageError: it is not there; nothing is fetched for it.
        UnavailableError: no engine answers.
    """
    found = engine.image(ws.runner, reference)
    if found is None:
        raise UsageError(
            f"{reference} is not in the local store, so there is nothing to verify",
            next_step=f"docker pull {reference}   (or: invoke build)",
        )
    return found


def kept_version(
    ws: Workspace, image: LocalImage, *, tag_prefix: str = "v", paths: Sequence[str] = ()
) -> Version | None:
    """Return the version of the commit that an image says it is of, where Git agrees with it.

    None where it names no commit of this history, or says another version than that commit has.
    """
    said = image.labels
    revision = said.get(f"{_LABEL}revision", "")
    found = describe_at(ws, revision, tag_prefix=tag_prefix, paths=paths)
    return found if found and found.version == said.get(f"{_LABEL}version") else None


def verify(
    ws: Workspace,
    version: Version,
    reference: str,
    image: LocalImage,
    command: Sequence[str] = (),
    *,
    current: bool = False,
) -> Verification:
    """Return what an image says of its version, beside what Git says.

    Args:
        ws: the repository.
        version: Git's.
        reference: what the image is called.
        image: what the store says of it.
        command: asks the image itself, in a throwaway container without network; empty for none.
        current: whether `version` is an earlier commit's, since which no input changed.
    """
    said = image.labels
    checks = [
        _label("version", version.version, said.get(f"{_LABEL}version", "")),
        _label("revision", version.revision, said.get(f"{_LABEL}revision", "")),
        _created(ws, version, said.get(f"{_LABEL}created", "")),
        _asked(ws, version, image, command),
    ]
    return Verification(reference, image.id, version, tuple(checks), current)


def container_argv(image: str, command: Sequence[str], name: str) -> tuple[str, ...]:
    """Return the command that asks an image: nothing is fetched, reached, written or left."""
    return (
        *("docker", "run", "--rm", "--network", "none", "--read-only", "--pull", "never"),
        *("--name", name, "--label", f"{engine.KIND}=throwaway"),
        *("--entrypoint", command[0], image, *command[1:]),
    )


def names_version(answer: str, version: str) -> bool:
    """Return whether a version stands in an answer as a word, with or without a `v` before it."""
    return not {version, f"v{version}"}.isdisjoint(_AROUND.split(answer))


def names_no_other_commit(answer: str, revision: str) -> bool:
    """Return whether every commit that an answer names, in seven digits or more, is that one."""
    found = (match["digits"].lower() for match in _COMMIT.finditer(answer))
    return not revision or all(revision.startswith(digits) for digits in found)


def _label(name: str, expected: str, found: str) -> Check:
    return Check(f"label {_LABEL}{name}", expected, _shown(found), found == expected)


def _created(ws: Workspace, version: Version, found: str) -> Check:
    if ws.config.build.created == "now":
        return Check(f"label {_LABEL}created", "the time of the build", _shown(found), None)
    return _label("created", rfc3339(version.commit_date), found)


def _asked(ws: Workspace, version: Version, image: LocalImage, command: Sequence[str]) -> Check:
    if not command:
        return Check("its own version command", version.version, "", None)
    name = f"hullwright-version-{uuid.uuid4().hex[:12]}"
    words = container_argv(image.id, command, name)
    what = f"answer to {' '.join(command)}"
    try:
        answer = ws.runner.read(*words, timeout_s=_TIMEOUT_S, check=False)
    except UnavailableError as error:
        # The client is gone by now; the container may not have listened to it.
        ws.runner.read("docker", "rm", "--force", name, check=False)
        return Check(what, version.version, error.what, held=False)
    engine.check_reachable(answer)
    said = f"{answer.stdout}\n{answer.stderr}".strip()
    if not answer.ok:
        last = said.rpartition("\n")[2]
        ended = f"ended with {answer.returncode}: {_shown(last)}"
        return Check(what, version.version, ended, held=False)
    first = _shown(said.partition("\n")[0])
    held = names_version(said, version.version) and names_no_other_commit(said, version.revision)
    return Check(what, version.version, first, held)


def _shown(line: str) -> str:
    # What an image says goes to a terminal, which must not take commands from it.
    return "".join(c for c in line if c.isprintable())[:_SHOWN_LETTERS]
