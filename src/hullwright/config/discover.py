"""What a repository says without a table: its root, stacks and services.

YAML is parsed, and bake asked about a bake file, only when services are asked for.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.config.models import Service
from hullwright.config.source import OWN_FILE, has_table
from hullwright.images import Platform, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullwright.config.composefile import ComposeBuild
    from hullwright.run import Runner

# The names that Compose looks for, in its order; of the overrides it takes the first one too:
# https://github.com/compose-spec/compose-go/blob/main/cli/options.go
_COMPOSE_NAMES: Final = (
    *("compose.yaml", "compose.yml"),
    *("docker-compose.yml", "docker-compose.yaml"),
)
_OVERRIDE_NAMES: Final = (
    *("compose.override.yml", "compose.override.yaml"),
    *("docker-compose.override.yml", "docker-compose.override.yaml"),
)
# Folders that hold other people's Dockerfiles.
_FOREIGN: Final = frozenset({"node_modules", "vendor", "third_party", "testdata", "venv"})


def find_root(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, that has configuration or is a repository.

    Outside of any it is `start` itself: what needs Git or a table says so by itself.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / OWN_FILE).is_file() or (folder / ".git").exists() or has_table(folder):
            return folder
    return start


def compose_files(root: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files that `docker compose` takes when it is started at `root` without `-f`."""
    named = environ.get("COMPOSE_FILE") or _named_in_dotenv(root)
    if named:
        separator = environ.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        return tuple(name for name in named.split(separator) if name)
    first = [name for name in _COMPOSE_NAMES if (root / name).is_file()][:1]
    override = [name for name in _OVERRIDE_NAMES if (root / name).is_file()][:1]
    return (*first, *override) if first else ()


def development_file(first: Path) -> Path:
    """Return the file that `--dev` adds to a stack: `NAME.dev.yml` beside its first one."""
    return first.with_name(f"{first.stem}.dev{first.suffix}")


def services(
    root: Path,
    environ: Mapping[str, str],
    project: str,
    files: Sequence[str],
    *,
    registry: str = "",
    runner: Runner | None = None,
) -> dict[str, Service]:
    """Return what the repository builds: what its bake file says, else what its files hold.

    A bake file is a list of what is to be built, so where there is one nothing is added to it.
    Without, it is the `build:` sections of the compose files `files`, then other Dockerfiles. A
    section with a remote context or an inline Dockerfile is left to Compose.

    Args:
        root: its top folder.
        environ: variables of this run.
        project: name of a service whose Dockerfile stands at the top.
        files: compose files.
        registry: the configuration's, which is left out of the names of images.
        runner: asks bake about its file; None makes one.

    Raises:
        ConfigurationError: a bake or compose file is missing or not understood.
        UnavailableError: there is a bake file, and no buildx.
    """
    from hullwright.config import bakefile
    from hullwright.config.composefile import read_builds

    baked = bakefile.bake_files(root, environ)
    if baked:
        from hullwright.run import Runner

        return bakefile.services(root, baked, runner or Runner(environ), registry, files)
    found: dict[str, Service] = {}
    for build in read_builds(root, files, environ):
        found[build.service] = _composed(root, build, registry)
    used = {service.dockerfile for service in found.values()}
    for dockerfile in _dockerfiles(root):
        if dockerfile not in used:
            name = _name(dockerfile, project, found)
            found[name] = _plain(root, name, dockerfile)
    return found


def stages(dockerfile: Path) -> tuple[str, ...]:
    """Return the names of a Dockerfile's stages, a last stage without a name as empty string."""
    from hullwright.tools.dockerfile import parse

    try:
        text = dockerfile.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ()
    names = [stage.name for stage in parse(text).all_stages]
    last = len(names) - 1
    kept = tuple(name for index, name in enumerate(names) if name or index == last)
    return () if kept == ("",) else kept


def _composed(root: Path, build: ComposeBuild, registry: str) -> Service:
    from hullwright.config.bakefile import without_registry
    from hullwright.config.read import is_own_label

    context = _relative(root, build.context)
    dockerfile = _relative(root, build.dockerfile)
    targets = stages(root / dockerfile)
    if build.target:
        # The stage that the stack runs comes last, where the default is.
        targets = (*(name for name in targets if name != build.target), build.target)
    named = without_registry(Reference.parse(build.image), registry) if build.image else ""
    return Service(
        build.service,
        context=context,
        dockerfile=dockerfile,
        targets=targets,
        image=named or build.service.lower(),
        build_args=build.args,
        secrets={
            name: value if value.startswith("env:") else f"file:{_relative(root, Path(value[5:]))}"
            for name, value in build.secrets.items()
        },
        ssh=build.ssh,
        platforms=tuple(Platform.parse(platform) for platform in build.platforms),
        labels={name: value for name, value in build.labels.items() if not is_own_label(name)},
        extra=build.extra,
        contexts={
            name: value if isinstance(value, str) else _relative(root, value)
            for name, value in build.contexts.items()
        },
    )


def _plain(root: Path, name: str, dockerfile: str) -> Service:
    folder = Path(dockerfile).parent.as_posix()
    return Service(
        name,
        context=folder,
        dockerfile=dockerfile,
        targets=stages(root / dockerfile),
        image=name.lower(),
    )


def _dockerfiles(root: Path) -> Iterator[str]:
    """Yield Dockerfiles at the top and up to two folders deep, relative to the root."""
    for pattern in ("Dockerfile", "*/Dockerfile", "*/*/Dockerfile"):
        for path in sorted(root.glob(pattern)):
            relative = path.relative_to(root)
            hidden = any(part.startswith(".") or part in _FOREIGN for part in relative.parts)
            if not hidden and path.is_file():
                yield relative.as_posix()


def _name(dockerfile: str, project: str, taken: Mapping[str, Service]) -> str:
    folders = Path(dockerfile).parent.parts
    wanted = (folders[-1], "-".join(folders)) if folders else (project, f"{project}-image")
    for candidate in wanted:
        name = re.sub(r"[^A-Za-z0-9_-]", "-", candidate).strip("-_")
        if name and name not in taken:
            return name
    return f"{project}-{len(taken)}"


def _relative(root: Path, path: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _named_in_dotenv(root: Path) -> str:
    dotenv = root / ".env"
    if not dotenv.is_file():
        return ""
    from hullwright.tools.dotenv import entries

    text = dotenv.read_text(encoding="utf-8", errors="replace")
    named = (entry for entry in entries(text) if not entry.commented)
    return next((entry.value for entry in named if entry.name == "COMPOSE_FILE"), "")
