"""Nox sessions that run the same tasks over a matrix of services, targets and platforms.

A repository adopts them with a `noxfile.py` of three lines, below a PEP 723 header that names
`nox` and `hullwright`, so that it also works where Nox lives in an environment of its own::

    from hullwright.sessions import register
    register()
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final

import nox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nox._parametrize import Param

    from hullwright.config.models import Config
    from hullwright.version import Version

Cell = tuple[str, str, str]
# The environment whose secrets everybody with the repository has.
_DEVELOPMENT: Final = "development"


def register() -> None:
    """Register the sessions `build`, `sizes` and `cold_start` of the repository with Nox.

    What plain `nox` runs, and `nox --list` marks, is the production set, and the stacks that start
    with the secrets of development; all other cells of the matrix are there by name, by keyword
    (`-k development`) and by tag (`-t development`).
    """
    config = _config()
    cells = list(matrix(config))
    parameters = [nox.param(*cell, tags=_tags(cell)) for cell in cells]
    stacks = [nox.param(name, tags=[name]) for name in config.stacks]
    wanted = _named_with_keywords(sys.argv[1:])
    for name, body, arguments, cases in (
        ("build", _build, "platform,target,service", parameters),
        ("sizes", _sizes, "platform,target,service", parameters),
        ("cold_start", _cold_start, "stack", stacks),
    ):
        if cases and (not wanted or name in wanted):
            _register(name, body, arguments, cases)
    nox.options.sessions = _selected(config, cells)


def _register(
    name: str, body: Callable[..., None], arguments: str, parameters: Sequence[Param]
) -> None:
    """Register a session under a name, with a copy of the parameters as Nox changes them."""

    # A function of its own, for Nox keeps the parameters on the function.
    @wraps(body)
    def run(session: nox.Session, **cell: str) -> None:
        body(session, **cell)

    own = nox.parametrize(arguments, [parameter.copy() for parameter in parameters])(run)
    nox.session(own, name=name, venv_backend="none")


def _named_with_keywords(words: Sequence[str]) -> set[str]:
    """Return the sessions that `-s` names beside `-k`, else none.

    Nox drops `-s` where `-k` or `-t` is given, so `nox -s build -k production` would run the
    production cells of every session. A session that is not registered is not run.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-s", "-e", "--session", "--sessions", dest="names", nargs="*")
    parser.add_argument("-k", "--keywords")
    parser.add_argument("-t", "--tags", nargs="*")
    try:
        known, _ = parser.parse_known_args(words[: words.index("--")] if "--" in words else words)
    except argparse.ArgumentError:
        # Nox itself tells what is wrong with the words.
        return set()
    names = {name.partition("(")[0] for name in known.names or ()}
    return names if known.keywords or known.tags else set()


def matrix(config: Config) -> Iterator[Cell]:
    """Yield (platform, target, service) for everything that the configuration can build.

    Platforms and targets differ between services, so this is a list and no product. A service
    without stages has the target `default`.
    """
    for name, service in config.services.items():
        platforms = service.platforms or config.platforms
        for target in service.targets or ("default",):
            for platform in [str(p) for p in platforms] or ["native"]:
                yield (platform, target, name)


def version_environment(version: Version | None = None) -> dict[str, str]:
    """Return the version metadata, by default of what is here, as variables for programs."""
    version = version or _version()
    return {
        "HULLWRIGHT_VERSION": version.version,
        "HULLWRIGHT_REVISION": version.revision,
        "HULLWRIGHT_IMAGE_TAG": version.image_tag,
    }


def _selected(config: Config, cells: Sequence[Cell]) -> list[str]:
    """Return the full names of what runs by default; with parameters only these match."""
    defaults = {name: service.default_target for name, service in config.services.items()}
    chosen = [c for c in cells if c[1] == (defaults[c[2]] or "default")]
    names = [f"{kind}({_signature(cell)})" for kind in ("build", "sizes") for cell in chosen]
    return [*names, *_startable(config)]


def _startable(config: Config) -> list[str]:
    """Return the cold starts that run by default.

    A stack with the secrets of another environment starts for those who have its key only.
    """
    own = [name for name, each in config.stacks.items() if each.environment in {"", _DEVELOPMENT}]
    if len(own) == len(config.stacks):
        return ["cold_start"] if own else []
    return [f"cold_start(stack={name!r})" for name in own]


def _signature(cell: Cell) -> str:
    platform, target, service = cell
    return f"platform={platform!r}, target={target!r}, service={service!r}"


def _tags(cell: Cell) -> list[str]:
    platform, target, service = cell
    # A tag must be an identifier: linux/arm64 becomes linux_arm64.
    names = (platform, target, service)
    return ["".join(c if c.isalnum() else "_" for c in name) for name in names]


def _build(session: nox.Session, platform: str, target: str, service: str) -> None:
    """Build one service, target and platform."""
    flags = _cell_flags((platform, target, service))
    _task(session, "build", *flags, *session.posargs, service=service)


def _sizes(session: nox.Session, platform: str, target: str, service: str) -> None:
    """Build one service, target and platform, and hold its sizes against its budgets."""
    flags = _cell_flags((platform, target, service))
    _task(session, "build", *flags, service=service)
    _task(session, "sizes", *flags, *session.posargs, service=service)


def _cold_start(session: nox.Session, stack: str) -> None:
    """Start a stack from nothing in a throwaway project."""
    if _config().services:
        _task(session, "build")
    _task(session, "cold-start", f"--stack={stack}", *session.posargs)


def _cell_flags(cell: Cell) -> list[str]:
    platform, target, service = cell
    flags = [f"--service={service}"]
    flags += [] if target == "default" else [f"--target={target}"]
    return flags + ([] if platform == "native" else [f"--platform={platform}"])


def _task(session: nox.Session, *words: str, service: str = "") -> None:
    """Run one task in the environment that Nox itself runs in: nothing is installed for it.

    Its programs are told the version of the service that the session is about.
    """
    version = _version(service)
    session.log(f"version {version.version}")
    session.run(
        sys.executable,
        "-m",
        "hullwright",
        *words,
        env=version_environment(version),
        external=True,
    )


def _config() -> Config:
    from hullwright.config.discover import find_root
    from hullwright.config.load import load
    from hullwright.console import Console
    from hullwright.errors import HullwrightError

    try:
        return load(find_root(Path.cwd()), os.environ)
    except HullwrightError as error:
        # Nox shows whatever else a noxfile raises as a traceback.
        Console(os.environ).error(str(error))
        sys.exit(int(error.exit_code))


def _version(service: str = "") -> Version:
    from hullwright.config.models import Service
    from hullwright.console import Console
    from hullwright.run import Runner
    from hullwright.version import describe
    from hullwright.workspace import Workspace

    root, config = Path.cwd(), _config()
    ws = Workspace(root, config, Runner(os.environ), Console(os.environ), os.environ)
    counted = config.services.get(service, Service(service))
    return describe(ws, tag_prefix=counted.tag_prefix, paths=counted.paths)
