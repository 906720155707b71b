"""Clones that lack history or tags: told apart, refused, and how they are repaired.

Nothing is asked of a remote. What the clone itself cannot know, whether its remote has tags, is
said instead of guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.tools.remotes import fetched_without_tags, remotes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.console import Console
    from hullwright.tools.git import Git

_REQUEST: Final = "or: invoke version --unshallow"
_FETCH_TAGS: Final = ("git", "fetch", "--tags")


def repairs(git: Git) -> list[tuple[str, ...]]:
    """Return the commands that bring what a clone is known to lack."""
    found = _repairs(shallow=bool(git.boundary()), without_tags=git.remotes_without_tags())
    return found or ([_FETCH_TAGS] if fetched_without_tags(git.common_dir) else [])


def refuse_incomplete(git: Git, console: Console) -> None:
    """Raise where the clone is shallow, or is set never to bring tags."""
    cut, without = git.boundary(), git.remotes_without_tags()
    if not (cut or without):
        return
    why = []
    if cut:
        why.append(("history", f"ends at {min(cut)[:7]}: earlier commits and tags are unknown"))
    if without:
        keys = ", ".join(f"remote.{name}.tagOpt = --no-tags" for name in without)
        why.append(("tags", f"are not fetched: {keys}"))
    commands = _repairs(shallow=bool(cut), without_tags=without)
    raise UsageError(
        f"this clone is {'shallow' if cut else 'without tags'}, so its version would be wrong",
        why=why,
        next_step=_next([" ".join(command) for command in commands], console),
    )


def doubt_no_tag(git: Git, console: Console, tag_prefix: str) -> None:
    """Raise or tell where no tag counts and the clone may only lack it.

    Raises:
        UsageError: the newest fetch was told to leave tags out.
    """
    remotes = remotes_of(git.common_dir)
    if not remotes:
        return
    fetch = fetched_without_tags(git.common_dir)
    if fetch:
        raise UsageError(
            "this clone is without tags, so its version would be wrong",
            why=[
                ("last fetch", fetch),
                ("tags", f"none that begins with {tag_prefix or 'a digit'}"),
            ],
            next_step=_next([" ".join(_FETCH_TAGS)], console),
        )
    remote = "origin" if "origin" in remotes else min(remotes)
    text = (
        f"no tag such as {tag_prefix}1.2.3 is in this clone: the version counts from 0.0.0; "
        f"whether {remote} has one is not known here: git fetch --tags"
    )
    if console.github or console.gitlab:
        console.warn(f"{text}{_in_ci(console)}")
    else:
        console.note(f"! {text}")


def _repairs(*, shallow: bool, without_tags: Sequence[str]) -> list[tuple[str, ...]]:
    commands: list[tuple[str, ...]] = [
        ("git", "config", "--unset-all", f"remote.{name}.tagOpt") for name in without_tags
    ]
    if shallow:
        commands.append(("git", "fetch", "--unshallow", "--tags"))
    else:
        commands.extend((*_FETCH_TAGS, name) for name in without_tags)
    return commands


def _next(commands: Sequence[str], console: Console) -> str:
    return "\n".join([*commands, f"{_REQUEST}{_in_ci(console)}"])


def _in_ci(console: Console) -> str:
    if console.github:
        return "   (or in the workflow, for actions/checkout: fetch-depth: 0)"
    return "   (or in .gitlab-ci.yml, under variables: GIT_DEPTH: 0)" if console.gitlab else ""
