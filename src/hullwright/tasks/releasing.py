"""Tasks of releases that exist: promote, pull, tag; and the release file that a push writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.push.models import Clients, Content
    from hullwright.push.release import Release, StackPart
    from hullwright.tasks.session import Session


def release_parts(session: Session, file: str) -> tuple[StackPart, ...]:
    """Return what a release file tells of the stacks, once it is sure that it can be written.

    To be called before anything is built or pushed, so that a wrong path or a compose file that
    cannot be read fails nothing half done. What it gives is handed to `write_release`.

    Args:
        session: the run.
        file: what `--release-file` names; relative to where the task was called.

    Raises:
        UsageError: there is no such folder, it cannot be written to, or `file` is a folder.
        ConfigurationError: a compose file is missing or is not YAML.
    """
    from hullwright.push.release import StackPart, config_hash
    from hullwright.stack.built import built_services, files_of

    _check_place(file)
    workspace = session.workspace
    return tuple(
        StackPart(
            stack=stack.name,
            files=stack.files,
            config_hash=config_hash(session.root, files_of(workspace, stack), stack.profiles),
            services=built_services(workspace, stack),
        )
        for stack in session.config.stacks.values()
    )


def write_release(
    session: Session,
    file: str,
    clients: Clients,
    contents: Iterable[Content],
    tags: Mapping[tuple[str, str], Sequence[str]],
    parts: Iterable[StackPart],
) -> Release:
    """Write the release file of what was pushed, whole or not at all, and return what it says.

    To be called once every tag of the release has moved.

    Args:
        session: the run; its version, revision and project name the release.
        file: what `--release-file` names.
        clients: of the registries, by domain, as `push` has them.
        contents: every image of the release, staged, in the order of the build.
        tags: that each image has now, by (service, target): the fixed ones, then the moving ones.
        parts: what `release_parts` gave.

    Raises:
        CheckFailedError: a registry does not have an image any more.
        HullwrightError: the disk is full, or the folder cannot be written.
        UnavailableError: a registry cannot be asked.
    """
    from datetime import UTC, datetime
    from pathlib import Path

    from hullwright.push import release

    made = release.make(
        clients,
        contents,
        project=session.config.project,
        version=session.version.version,
        revision=session.version.revision,
        created=datetime.now(UTC),
        tags=tags,
        stacks=parts,
    )
    path = Path(file)
    with session.workspace.writing(path, f"the release file {file}"):
        release.save(path, made)
    return made


def _check_place(file: str) -> None:
    import os
    from pathlib import Path

    from hullwright.errors import UsageError

    path = Path(file)
    why = ""
    if path.is_dir():
        why = "it is a folder"
    elif not path.parent.is_dir():
        why = f"there is no folder {path.parent}"
    elif not os.access(path.parent, os.W_OK):
        why = f"{path.parent} cannot be written to by this user"
    if why:
        raise UsageError(
            f"no release file can be written to {file}",
            why=why,
            next_step="--release-file release.json",
        )
