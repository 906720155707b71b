"""Gives the images of a release their tags: all of them, or none.

The plan reads everything that moving needs, so that the window in which a release is half there
holds nothing but the PUTs of bytes that the registry has already. What fails in that window is
taken back.
"""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError, HullwrightError, UsageError
from hullwright.images import Reference
from hullwright.push.models import PHASES, Left, Move, MovePlan, MoveReport
from hullwright.push.together import WORKERS, together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from hullwright.push.models import Clients, Named, Registry
    from hullwright.tools.registryclient import Manifest


def plan_moves(clients: Clients, images: Sequence[Named]) -> MovePlan:
    """Return which tags name what now, and what they are to name.

    Args:
        clients: of the registries that the repositories are in.
        images: what is tagged; their repositories hold them already.

    Raises:
        CheckFailedError: a fixed tag names another image, or an image is not there.
        UsageError: one tag is to name two images.
        UnavailableError: a registry cannot be asked.
    """
    wanted = [
        Move(image.repository, tag, image.digest, kind)
        for kind in PHASES
        for image in images
        for tag in image.of(kind)
    ]
    _refuse_two_in_one(wanted)
    moves = together(lambda move: _looked_up(clients, move), wanted)
    _refuse_conflicts(moves)
    return MovePlan(tuple(moves), _manifests(clients, moves))


def move(clients: Clients, plan: MovePlan) -> MoveReport:
    """Let the tags of a plan name its images; return what came of it, which may be nothing.

    The fixed ones first, in parallel within each phase. After a failure, a Ctrl-C or a termination
    the tags that moved name again what they named before, and new ones are removed where the
    registry lets us.
    """
    mover = _Mover(clients, plan)
    failure, interrupted = "", False
    with _terminations_interrupt():
        try:
            mover.move()
        except KeyboardInterrupt:
            interrupted = True
        except HullwrightError as error:
            failure = str(error)
        except BaseException:
            # A bug of ours is no reason to leave half a release behind.
            mover.end(failed=True)
            raise
        mover.end(failed=bool(failure) or interrupted)
    kept = () if failure or interrupted else tuple(mover.moved)
    return MoveReport(
        moved=tuple(move for move in plan.moves if move in kept),
        unchanged=tuple(move for move in plan.moves if move.done),
        window_s=mover.window_s,
        restored=tuple(mover.restored),
        deleted=tuple(mover.deleted),
        left=tuple(mover.left),
        failure=failure,
        interrupted=interrupted,
    )


@dataclass
class _Mover:
    clients: Clients
    plan: MovePlan
    tried: list[Move] = field(default_factory=list)
    moved: list[Move] = field(default_factory=list)
    restored: list[Move] = field(default_factory=list)
    deleted: list[Move] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(WORKERS))
    # When the first request began and the last one ended, by the monotonic clock.
    began: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)

    @property
    def window_s(self) -> float:
        return max(self.ended) - min(self.began) if self.ended else 0.0

    def move(self) -> None:
        for kind in PHASES:
            pending = [self.pool.submit(self._put, move) for move in self.plan.todo(kind)]
            done, _ = wait(pending, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()

    def end(self, *, failed: bool) -> None:
        """Wait for what is under way, begin nothing else, and take it all back after a failure."""
        with _undisturbed():
            self.pool.shutdown(wait=True, cancel_futures=True)
            if failed:
                self._take_back()

    def _take_back(self) -> None:
        # Also where the answer was a failure: the registry may have stored it all the same.
        together(self._back, self.tried)
        order = {move: index for index, move in enumerate(self.plan.moves)}
        self.restored.sort(key=order.__getitem__)
        self.deleted.sort(key=order.__getitem__)
        self.left.sort(key=lambda left: order[left.move])

    def _put(self, move: Move) -> None:
        self.tried.append(move)
        self.began.append(time.monotonic())
        try:
            stored = self._store(move, move.digest)
        finally:
            self.ended.append(time.monotonic())
        if stored != move.digest:
            raise CheckFailedError(
                f"the registry stored something else under {move.reference}",
                why=[("sent", move.digest), ("stored", stored)],
            )
        self.moved.append(move)

    def _store(self, move: Move, digest: str) -> str:
        client, path = at(self.clients, move.repository)
        return client.put_manifest(path, move.tag, self.plan.manifests[move.repository, digest])

    def _back(self, move: Move) -> None:
        client, path = at(self.clients, move.repository)
        try:
            now = client.describe(path, move.tag)
            # Where it names a third image by now, somebody else moved it since: it is theirs.
            if now is None or now.digest != move.digest:
                return
            if move.before:
                self._store(move, move.before)
                self.restored.append(move)
            elif client.delete_tag(path, move.tag):
                self.deleted.append(move)
            else:
                self.left.append(Left(move, "the registry deletes no single tags"))
        except HullwrightError as error:
            self.left.append(Left(move, _in_one_line(error)))


def at(clients: Clients, repository: str) -> tuple[Registry, str]:
    """Return the client for a repository, and its path there."""
    reference = Reference.parse(repository)
    return clients[reference.domain], reference.path


def _looked_up(clients: Clients, move: Move) -> Move:
    client, path = at(clients, move.repository)
    now = client.describe(path, move.tag)
    before = now.digest if now else ""
    return Move(move.repository, move.tag, move.digest, move.kind, before)


def _refuse_two_in_one(moves: Sequence[Move]) -> None:
    seen: dict[str, Move] = {}
    for each in moves:
        other = seen.setdefault(each.reference, each)
        if other is not each:
            raise UsageError(
                f"{each.reference} would be the tag of two images",
                why=[("one", other.digest), ("other", each.digest)],
                next_step="give each service an image of its own, or its rules a prefix or suffix",
            )


def _refuse_conflicts(moves: Sequence[Move]) -> None:
    others = [m for m in moves if m.kind == "fixed" and m.before and not m.done]
    if not others:
        return
    names = ", ".join(move.reference for move in others)
    has = "names another image" if len(others) == 1 else "name other images"
    facts = [
        fact
        for move in others
        for fact in (
            (f"{move.tag}, there", f"{move.repository}@{move.before}"),
            (f"{move.tag}, here", f"{move.repository}@{move.digest}"),
        )
    ]
    raise CheckFailedError(
        f"{names} {has} already, so no tag was moved",
        why=[*facts, ("rule", "a version, a commit and a Git tag name one image for ever")],
        next_step="give the change a commit or a Git tag of its own, and push that",
    )


def _manifests(clients: Clients, moves: Sequence[Move]) -> dict[tuple[str, str], Manifest]:
    needed = {
        (move.repository, digest): move
        for move in moves
        if not move.done
        for digest in (move.digest, move.before)
        if digest
    }

    def read(key: tuple[str, str]) -> Manifest:
        client, path = at(clients, key[0])
        found = client.manifest(path, key[1])
        if found is None:
            raise CheckFailedError(
                f"the registry has no {key[0]}@{key[1]}",
                why=f"{needed[key].reference} names it, or is to name it",
                next_step="push it again: invoke push",
            )
        return found

    return dict(zip(needed, together(read, list(needed)), strict=True))


@contextmanager
def _terminations_interrupt() -> Iterator[None]:
    """Let a termination do what Ctrl-C does: CI ends jobs by it, and a release is not cut short."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handling(signal.SIGTERM, interrupt):
        yield


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let neither a second Ctrl-C nor a termination cut short what puts things right."""
    with _handling(signal.SIGINT, signal.SIG_IGN), _handling(signal.SIGTERM, signal.SIG_IGN):
        yield


@contextmanager
def _handling(number: signal.Signals, handler: object) -> Iterator[None]:
    # Only the main thread may; elsewhere signals do not arrive anyway.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, handler)  # type: ignore[arg-type]  # any of its forms
    try:
        yield
    finally:
        # None is a handler that is not Python's; it cannot be put back.
        signal.signal(number, signal.SIG_DFL if before is None else before)


def _in_one_line(error: HullwrightError) -> str:
    why = error.why if isinstance(error.why, str) else ""
    return f"{error.what}: {why}" if why else error.what
