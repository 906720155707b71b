"""What the compose files ask the environment for, and what of it has no value."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UsageError
from hullwright.stack.selection import answer, ask
from hullwright.tools.dotenv import entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace

# https://docs.docker.com/reference/compose-file/interpolation/
_VARIABLE: Final = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<braced>[A-Za-z_]\w*)(?P<rest>[^}]*)\})"
)
# Stands for the files where only their lines are known; like an extension it is nobody's service.
_LINES: Final = "x-lines"


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """A variable that stands somewhere without a default.

    Attributes:
        name: the variable.
        place: key path, such as `services.db.environment.PASSWORD`.
        filled: whether an empty value is refused too (`${NAME:?…}`).
        must: whether Compose itself refuses to go on without it (`${NAME?…}`).
    """

    name: str
    place: str
    filled: bool = False
    must: bool = False


def uses(written: Mapping[str, Any], active: Iterable[str]) -> list[Use]:
    """Return the variables without a default of a model as it is written.

    Those of services that are not active count only where Compose insists on them itself.
    """
    on = set(active)
    found: list[Use] = []
    for place, text in _texts(written, ()):
        idle = place[0].startswith("x-") or (
            place[0] == "services" and len(place) > 1 and place[1] not in on
        )
        named = ".".join(place[1:] if place[0] == _LINES else place)
        found += [use for use in _uses_of(text, named) if use.must or not idle]
    found += [Use(key, f"secrets.{name}.environment") for name, key in secret_keys(written, on)]
    return sorted(set(found))


def secret_keys(written: Mapping[str, Any], active: Iterable[str]) -> list[tuple[str, str]]:
    """Return the secrets of services that are made from a variable, each with that variable."""
    services = written.get("services") or {}
    used = {
        entry if isinstance(entry, str) else entry["source"]
        for name in active
        for entry in (services.get(name) or {}).get("secrets") or ()
    }
    return [
        (name, entry["environment"])
        for name, entry in (written.get("secrets") or {}).items()
        if name in used and (entry or {}).get("environment")
    ]


def asked(written: Mapping[str, Any], active: Iterable[str]) -> list[tuple[str, str]]:
    """Return the variables that services get as variables, each with where it stands."""
    on = set(active)
    found = []
    for at, text in _texts(written, ()):
        if at[0] == "services" and len(at) > 1 and at[1] in on:
            found += [(name, ".".join(at)) for name in _names(text)]
    for service in sorted(on):
        own = ((written.get("services") or {}).get(service) or {}).get("environment") or {}
        passed = (
            own if isinstance(own, list) else [key for key, each in own.items() if each is None]
        )
        place = f"services.{service}.environment"
        found += [(str(entry), place) for entry in passed if "=" not in str(entry)]
    return found


def names(written: Mapping[str, Any]) -> set[str]:
    """Return every variable that a model names, whichever its services are."""
    services = list(written.get("services") or {})
    found = {name for _, text in _texts(written, ()) for name in _names(text)}
    found |= {key for _, key in secret_keys(written, services)}
    return found | {name for name, _ in asked(written, services)}


def active_services(written: Mapping[str, Any], profiles: Iterable[str]) -> list[str]:
    """Return the services of a written model whose profiles are on, or that have none."""
    on = set(profiles)
    return [
        name
        for name, service in (written.get("services") or {}).items()
        if not service.get("profiles") or "*" in on or on & set(service["profiles"])
    ]


def check(ws: Workspace, selection: Selection, written: Mapping[str, Any]) -> None:
    """Make sure that every variable that a written model needs has a value.

    Raises:
        UsageError: variables have none; all of them are listed with where they stand.
    """
    profiles = profiles_on(ws, selection)
    active = {*active_services(written, profiles), *selection.services}
    needed = uses(written, active)
    # What is too long for a variable reaches a service as a file.
    given = dict.fromkeys((*selection.environment, *selection.long), "set")
    given |= dict.fromkeys(_empty(selection), "")
    values = {**ws.environ, **given}
    missing = [use for use in needed if not _given(use, values)]
    if missing and selection.call.dotenv:
        missing = _not_in_dotenv(ws, selection, missing)
    if missing:
        missing = _not_included(ws, selection, missing)
    if missing:
        raise _missing(ws, missing, selection)


def asked_for(ws: Workspace, selection: Selection) -> dict[str, bool]:
    """Return each variable of a stack's files, and whether a start is refused without a value."""
    written = as_written(ws, selection)
    profiles = profiles_on(ws, selection)
    needed = {use.name for use in uses(written, active_services(written, profiles))}
    named = {name for _, text in _texts(written, ()) for name in _names(text)}
    named |= {key for _, key in secret_keys(written, written.get("services") or {})}
    return {name: name in needed for name in sorted(named)}


def _names(text: str) -> Iterator[str]:
    for match in _VARIABLE.finditer(text):
        name = match["plain"] or match["braced"]
        if name:
            yield name


def as_written(ws: Workspace, selection: Selection) -> dict[str, Any]:
    """Return the model as it is written; only its lines where Compose cannot give it.

    It checks types before it puts values in, so a variable in some places (`ulimits`, an external
    name) is an error to it then, although the stack is right.
    """
    try:
        written: dict[str, Any] = json.loads(ask(ws, selection, "written"))
    except UsageError:
        return {"services": {}, _LINES: dict(_lines(selection.call.files))}
    return written


def _lines(files: Iterable[str]) -> Iterator[tuple[str, str]]:
    for file in files:
        text = Path(file).read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if not line.lstrip().startswith("#"):
                yield f"{Path(file).name}:{number}", line


def project_folder(ws: Workspace, selection: Selection) -> Path:
    """Return the folder that relative paths and `.env` belong to: that of the first file."""
    files = selection.call.files
    return Path(files[0]).parent if files else ws.root


def _given(use: Use, values: Mapping[str, str]) -> bool:
    return use.name in values and (bool(values[use.name]) or not use.filled)


def profiles_on(ws: Workspace, selection: Selection) -> list[str]:
    """Return the profiles that are on: those of the command line, else Compose's own variable."""
    if selection.call.profiles:
        return list(selection.call.profiles)
    if "COMPOSE_PROFILES" in ws.environ or not selection.call.dotenv:
        return _profiles_of(ws)
    own = (str(project_folder(ws, selection) / ".env"),)
    paths = [Path(file) for file in selection.call.env_files or own]
    texts = [path.read_text("utf-8", errors="replace") for path in paths if path.is_file()]
    live = (each for text in texts for each in entries(text) if not each.commented)
    found = [each.value for each in live if each.name == "COMPOSE_PROFILES"]
    return [name for name in (found[-1] if found else "").split(",") if name]


def _profiles_of(ws: Workspace) -> list[str]:
    return [name for name in ws.environ.get("COMPOSE_PROFILES", "").split(",") if name]


def _not_in_dotenv(ws: Workspace, selection: Selection, missing: list[Use]) -> list[Use]:
    """Return what `.env` does not give either, as Compose itself reads that file.

    A document that only asks whether each variable is set brings no value into this process.
    """
    return _not_answered(ws, selection, missing, selection.call.env_files)


def _not_included(ws: Workspace, selection: Selection, missing: list[Use]) -> list[Use]:
    """Return what no env file of an included file gives to what that file brings.

    https://docs.docker.com/reference/compose-file/include/#env_file
    """
    from hullwright.config.composefile import read_included

    for part in read_included(ws.root, selection.call.files, ws.environ):
        files = [str(path) for path in part.env_files if path.is_file()]
        brought = [use for use in missing if files and _brings(part.services, use.place)]
        if brought:
            left = _not_answered(ws, selection, brought, files)
            missing = [use for use in missing if use not in brought or use in left]
    return missing


def _brings(services: Iterable[str], place: str) -> bool:
    """Return whether a place may be of a file that brings those services."""
    if not place.startswith("services."):
        return True
    return any(place.startswith(f"services.{name}.") for name in services)


def _not_answered(
    ws: Workspace, selection: Selection, missing: list[Use], env_files: Iterable[str]
) -> list[Use]:
    """Return what Compose finds no value for in env files; in the project's own where none is."""
    probe = {
        f"{use.name}.{'filled' if use.filled else 'set'}": (
            f"${{{use.name}:+yes}}" if use.filled else f"${{{use.name}+yes}}"
        )
        for use in missing
    }
    document = {"name": "probe", "services": {"probe": {"image": "probe", "environment": probe}}}
    folder = project_folder(ws, selection)
    argv = ["docker", "compose", "--project-directory", str(folder), "--file", "-"]
    argv += [word for file in env_files for word in ("--env-file", file)]
    argv += ["config", "--format", "json"]
    told = json.loads(answer(ws, selection, argv, stdin=json.dumps(document)))
    told = told["services"]["probe"]["environment"]
    return [
        use
        for use in missing
        if told.get(f"{use.name}.{'filled' if use.filled else 'set'}") != "yes"
    ]


def _empty(selection: Selection) -> list[str]:
    """Return the secrets that are kept and have no text."""
    return [
        name
        for name, value in selection.environment.items()
        if not (value if isinstance(value, str) else value.reveal())
    ]


def _missing(ws: Workspace, missing: list[Use], selection: Selection) -> UsageError:
    places: dict[str, list[str]] = {}
    for use in missing:
        places.setdefault(use.name, []).append(use.place)
    count = len(places)
    empty = [name for name in _empty(selection) if name in places]
    if empty:
        # Compose takes what it is given before any .env: nothing else can fill it in.
        return UsageError(
            f"{', '.join(empty)} {'is' if len(empty) == 1 else 'are'} empty in the encrypted "
            "secrets, and the stack refuses an empty value",
            why=[(name, f"asked for by {', '.join(at[:3])}") for name, at in places.items()],
            next_step="\n".join(f"invoke secrets.set --key {name}" for name in places)
            + "   (with --env NAME where the stack gets those of another environment)",
            cause="missing-value",
        )
    made = " (invoke env --init makes one)" if (ws.root / ".env.example").is_file() else ""
    return UsageError(
        f"{count} variable{'s have' if count > 1 else ' has'} no value: {', '.join(places)}",
        why=[(name, f"asked for by {', '.join(at[:3])}") for name, at in places.items()],
        next_step=(
            f"put them into .env{made}, one NAME=value a line,\n"
            "or into the encrypted secrets: invoke secrets.set --key NAME"
            if selection.call.dotenv
            else "invoke secrets.set --key NAME   (or put them into the environment; "
            ".env is left out)"
        ),
        cause="missing-value",
    )


def _texts(value: object, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _texts(entry, (*place, str(key)))
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _texts(entry, (*place, str(number)))


def _uses_of(text: str, place: str) -> Iterator[Use]:
    for match in _VARIABLE.finditer(text):
        name, rest = match["plain"] or match["braced"], match["rest"] or ""
        if name is None:
            continue
        operator = rest[:2] if rest[:1] == ":" else rest[:1]
        if operator in {"?", ":?"}:
            yield Use(name, place, filled=operator == ":?", must=True)
        elif operator == "":
            yield Use(name, place)
        elif operator in {"-", ":-"}:
            # A default may ask for variables of its own: ${A:-${B}}.
            yield from _uses_of(rest[len(operator) :] + "}" * rest.count("{"), place)


def env_files(written: Mapping[str, Any], service: str) -> list[tuple[str, bool]]:
    """Return the env files of a service as (path, required), absolute as Compose prints them."""
    entry = (written["services"].get(service) or {}).get("env_file") or []
    return [
        (item["path"], item.get("required", True)) if isinstance(item, dict) else (str(item), True)
        for item in ([entry] if isinstance(entry, str) else entry)
    ]


def is_dotenv(ws: Workspace, selection: Selection, path: str) -> bool:
    """Return whether an env file is the project's own `.env`."""
    return Path(os.path.normpath(path)) == project_folder(ws, selection) / ".env"
