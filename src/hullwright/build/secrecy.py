"""What of a build must stay secret: BuildKit secrets, agents, and arguments that look like one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.build.models import secret_variable
from hullwright.build.outputs import written
from hullwright.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullwright.config.models import Service
    from hullwright.workspace import Workspace

_WORDS: Final = (
    r"PASSWORDS?|PASSWD|PASSPHRASE|PWD|SECRETS?|TOKENS?|API_?KEYS?|ACCESS_?KEYS?|PRIVATE_?KEYS?|"
    r"SIGNING_?KEYS?|CREDENTIALS?|CREDS"
)
# A whole word of the name, or the end of it: NPM_TOKEN, DB_PASSWORD_2, githubToken.
_SECRET: Final = re.compile(rf"(?:^|_)(?:{_WORDS})(?:$|_)|(?:PASSWORD|PASSWD|SECRET|TOKEN)$")
# These say where one is, and not what it is.
_PLACE: Final = re.compile(r"_(?:FILE|PATH|DIR)$")
_ARGUMENT: Final = re.compile(r"[^.=]+\.args?\.(?P<name>[^=]+)")


@dataclass(frozen=True, slots=True)
class Mounts:
    """What the steps of a service's builds may mount.

    Attributes:
        secrets: as bake has them.
        ssh: likewise.
        keys: keys of the secrets file whose values are handed over by the environment.
        files: absolute paths that bake reads for them.
    """

    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def mounts(ws: Workspace, service: Service) -> Mounts:
    """Return the secrets and agents of a service's builds.

    Raises:
        UsageError: a variable, a file or the agent that one comes from is not there.
    """
    secrets, keys, files = [], [], list[Path]()
    for name, value in service.secrets.items():
        kind, colon, rest = value.partition(":")
        place = f"services.{service.name}.secrets.{name}"
        if colon and kind == "env":
            secrets.append(f"id={name},env={_variable(ws, rest, place)}")
        elif colon and kind == "file":
            path = _file(ws, rest, place)
            files.append(path)
            secrets.append(written({"id": name, "src": str(path)}))
        else:
            keys.append(value)
            secrets.append(f"id={name},env={secret_variable(value)}")
    agents = tuple(_agent(ws, agent, service) for agent in service.ssh)
    named = [agent.partition("=")[2].split(",") for agent in agents if "=" in agent]
    files += [Path(path) for paths in named for path in paths]
    return Mounts(tuple(secrets), agents, tuple(keys), tuple(files))


def refuse_secret_arguments(
    arguments: Iterable[tuple[str, str]], overrides: Iterable[str], allowed: Iterable[str]
) -> None:
    """Refuse build arguments whose names look like a secret's: a build keeps them in the image.

    Args:
        arguments: names, each with where it was said.
        overrides: as `--set` takes them; those of arguments count too.
        allowed: names that are none, whatever they look like.

    Raises:
        UsageError: at least one; all of them are named.
    """
    fine = set(allowed)
    set_ = ((match["name"], "--set") for o in overrides if (match := _ARGUMENT.match(o)))
    found = dict.fromkeys(
        (name, where) for name, where in (*arguments, *set_) if name not in fine and _looks(name)
    )
    if not found:
        return
    first = next(iter(found))[0]
    names = ", ".join(dict.fromkeys(name for name, _ in found))
    one = len({name for name, _ in found}) == 1
    raise UsageError(
        f"build argument {names} looks like a secret"
        if one
        else f"build arguments {names} look like secrets",
        why=[
            *found,
            ("why", "the value of a build argument can be read in the image's history"),
        ],
        next_step=(
            f'mount it: services.NAME.secrets = {{ {first.lower()} = "env:{first}" }}, and\n'
            f"RUN --mount=type=secret,id={first.lower()},env={first} …\n"
            f"or, if it is no secret: --allow-arg {first}, [build] allow-args in the configuration"
        ),
    )


def _looks(name: str) -> bool:
    upper = name.upper().replace("-", "_")
    return bool(_SECRET.search(upper)) and not _PLACE.search(upper)


def _variable(ws: Workspace, name: str, place: str) -> str:
    if name not in ws.environ:
        raise UsageError(
            f"a build needs a secret that is not there: the variable {name}",
            why=f"{place} names it",
            next_step=f"set {name} in the environment, or correct the configuration",
        )
    return name


def _file(ws: Workspace, text: str, place: str) -> Path:
    path = _path(ws, text)
    if not path.is_file():
        raise UsageError(
            f"a build needs a secret that is not there: the file {text}",
            why=[("named by", place), ("looked for", str(path))],
            next_step="make the file, or correct the configuration",
        )
    return path


def _agent(ws: Workspace, agent: str, service: Service) -> str:
    name, given, paths = agent.partition("=")
    if given:
        place = f"services.{service.name}.ssh"
        return f"{name}={','.join(map(str, _agent_paths(ws, paths, place)))}"
    socket = ws.environ.get("SSH_AUTH_SOCK", "")
    if not socket or not Path(socket).exists():
        raise UsageError(
            f"builds of {service.name} use an SSH agent, and none is running",
            why=f"SSH_AUTH_SOCK names {socket}, which is not there"
            if socket
            else "SSH_AUTH_SOCK is not set",
            next_step=f'eval "$(ssh-agent)" && ssh-add   (or a key: services.{service.name}.ssh = '
            f'["{name}=PATH"])',
        )
    return name


def _agent_paths(ws: Workspace, paths: str, place: str) -> Iterator[Path]:
    for text in paths.split(","):
        path = _path(ws, text)
        if not path.exists():
            raise UsageError(
                f"a build needs an SSH key that is not there: {text}",
                why=[("named by", place), ("looked for", str(path))],
                next_step="correct the path: a key file, or the socket of an agent",
            )
        yield path


def _path(ws: Workspace, text: str) -> Path:
    home: Mapping[str, str] = ws.environ
    if text.startswith("~/") and home.get("HOME"):
        return Path(home["HOME"], text[2:])
    return ws.root / text
