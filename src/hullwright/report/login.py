"""A login that was stored, as text, Markdown and JSON."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Login:
    """What was done.

    Attributes:
        registry: its host.
        username: whose login it is.
        kept: the program or file that keeps it.
        guarded: whether a program does; a file of Docker's is plain text.
    """

    registry: str
    username: str
    kept: str
    guarded: bool


def text(done: Login) -> str:
    """Return who is logged in, and plainly where the password is now."""
    how = "" if done.guarded else ", readable for whoever may read that file"
    return f"✓ logged in to {done.registry} as {done.username}\n  kept   {done.kept}{how}"


def markdown(done: Login) -> str:
    """Return the same in one line."""
    return f"✓ logged in to `{done.registry}` as `{done.username}`, kept by `{done.kept}`"


def as_json(done: Login) -> dict[str, object]:
    """Return the same for machines; the password is nowhere."""
    return {
        "schema": 1,
        "registry": done.registry,
        "username": done.username,
        "kept": done.kept,
        "guarded": done.guarded,
    }
