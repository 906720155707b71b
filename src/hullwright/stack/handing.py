"""How values reach a stack: from which file each may come, and what stands for files left out.

Where the values are decrypted ones, they come from Compose's environment and nowhere else: an env
file that is absent is replaced by keys that are passed on, and an old plaintext file never fills
in for a secret that the encrypted one lacks.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UsageError
from hullwright.stack import variables
from hullwright.stack.override import Tagged
from hullwright.stack.selection import answer
from hullwright.tools import dotenv
from hullwright.tools.placeholders import is_placeholder, names_a_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hullwright.stack.override import Override
    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace

# The first words of a file that `invoke decrypt` wrote.
_DECRYPTED: Final = "# Decrypted from "
# These say how Compose works, which a stack's own file of variables may.
_COMPOSE: Final = "COMPOSE_"


def checked(ws: Workspace, selection: Selection) -> tuple[Selection, dict[str, Any]]:
    """Return a selection with all the values that it may have, and its model as it is written.

    Raises:
        UsageError: variables have no value, or one is too long to be a variable.
    """
    written = variables.as_written(ws, selection)
    _refuse_long(selection, written)
    selection = without_stale(ws, selection, written)
    variables.check(ws, selection, written)
    return selection, written


def without_stale(ws: Workspace, selection: Selection, written: Mapping[str, Any]) -> Selection:
    """Return a selection for which `.env` does not fill in for secrets that it was not given.

    What else stands in `.env` is handed over beside the secrets. All of a file that an earlier
    decrypt wrote is secret; of another one what its name, or a placeholder in the example, says.
    """
    path = variables.project_folder(ws, selection) / ".env"
    if not (selection.environment and selection.call.dotenv and path.is_file()):
        return selection
    text = path.read_text(encoding="utf-8", errors="replace")
    names = dict.fromkeys(entry.name for entry in _live(text))
    others = [name for name in names if name not in {*selection.environment, *ws.environ}]
    placeholders = {
        entry.name
        for entry in _live(_text(path.with_name(".env.example")))
        if is_placeholder(entry.name, entry.value)
    }
    decrypted = text.startswith(_DECRYPTED)
    stale = [name for name in others if decrypted or name in placeholders or names_a_secret(name)]
    if not stale:
        return selection
    asked = variables.names(written)
    # One that is too long for a variable is in the encrypted file, and nothing is to be added.
    lacking = [name for name in stale if name not in selection.long]
    told = [name for name in lacking if name in asked] or lacking
    if told:
        ws.console.note(
            f"not taken from .env, for a secret comes from the encrypted file: {', '.join(told)}"
            "   (invoke secrets.set --key NAME adds one)"
        )
    left = [name for name in others if name not in stale]
    kept = [name for name in left if name in asked or name.startswith(_COMPOSE)]
    given = {**selection.environment, **_from_dotenv(ws, selection, kept)}
    return replace(selection, environment=given, call=replace(selection.call, dotenv=False))


def from_dotenv(ws: Workspace, selection: Selection, names: Iterable[str]) -> dict[str, str]:
    """Return what `.env` gives, as Compose itself reads that file; nothing where it is left out."""
    return _from_dotenv(ws, selection, names) if selection.call.dotenv else {}


def given_env_files(
    ws: Workspace, selection: Selection, written: Mapping[str, Any], override: Override
) -> None:
    """Put into the override what stands for env files that are absent, where values are given.

    A service gets the keys that the example beside the file names (`FILE.example`), and all that
    are given where there is none. A file that an earlier decrypt wrote counts as absent then.

    Raises:
        UsageError: an env file that a service needs does not exist, and nothing stands for it.
    """
    absent: list[tuple[str, str]] = []
    active = variables.active_services(written, variables.profiles_on(ws, selection))
    # What is too long and reaches a service as a file is not what an env file would bring.
    too_long_for_all = [name for name in selection.long if name not in _as_files(written)]
    for name in dict.fromkeys([*active, *selection.services]):
        files = variables.env_files(written, name)
        kept: list[dict[str, Any]] = []
        passed: dict[str, None] = {}
        for path, required in files:
            own = variables.is_dotenv(ws, selection, path)
            # Only Compose knows which file one with a variable in its path is.
            there = "$" in path or (Path(path).is_file() and not _replaced(selection, path, own))
            if there:
                kept.append({"path": path, "required": required})
            if own and there:
                # Beside it all that is given is passed on, so what cannot be is told of here too.
                _stands_for(ws, selection, Path(path), required, too_long_for_all)
                passed |= dict.fromkeys(selection.environment)
            elif not there and selection.environment:
                passed |= dict.fromkeys(
                    _stands_for(ws, selection, Path(path), required, too_long_for_all)
                )
            elif not there and required and not (own and not selection.call.dotenv):
                absent.append((name, path))
        _pass_through(written, name, passed, override)
        if len(kept) != len(files):
            override.service(name)["env_file"] = Tagged("!override", kept)
    if absent:
        raise UsageError(
            f"{len(absent)} env file{'s do' if len(absent) > 1 else ' does'} not exist",
            why=[(name, f"reads {path}") for name, path in absent],
            next_step="write it (invoke env --init makes a .env from .env.example)",
            cause="missing-value",
        )


def _replaced(selection: Selection, path: str, own: bool) -> bool:  # noqa: FBT001  a fact of it
    """Return whether what is given stands for a file that is there."""
    if own and not selection.call.dotenv:
        return True
    return bool(selection.environment) and _text(Path(path)).startswith(_DECRYPTED)


def _stands_for(
    ws: Workspace,
    selection: Selection,
    path: Path,
    required: bool,  # noqa: FBT001  a fact of it
    long: Sequence[str],
) -> list[str]:
    """Return the keys that are passed on in place of an absent file."""
    example = _example(path)
    if example is None:
        if required and long:
            raise too_long(selection, long[0], f"all that {path.name} may hold")
        # Nobody waits for an optional file: it is not what brings all secrets to a service.
        return list(selection.environment) if required or path.name == ".env" else []
    wanted = [entry.name for entry in _live(_text(example))]
    for name in wanted:
        if name in selection.long:
            raise too_long(selection, name, f"{example.name}")
    return [name for name in wanted if name in {*selection.environment, *ws.environ}]


def _as_files(written: Mapping[str, Any]) -> set[str]:
    """Return the keys that reach a service of a model as the file of a secret."""
    services = list(written.get("services") or {})
    return {key for _, key in variables.secret_keys(written, services)}


def _example(path: Path) -> Path | None:
    names = (f"{path.name}.example", f"{path.stem}.example{path.suffix}")
    return next((path.with_name(name) for name in names if path.with_name(name).is_file()), None)


def _pass_through(
    written: Mapping[str, Any], service: str, keys: Iterable[str], override: Override
) -> None:
    own = (written["services"].get(service) or {}).get("environment") or {}
    named = {entry.partition("=")[0] for entry in own} if isinstance(own, list) else set(own)
    passed = {key: None for key in keys if key not in named}
    if passed:
        # A key without a value is passed on from Compose's environment: no value is written.
        override.service(service).setdefault("environment", {}).update(passed)


def too_long(selection: Selection, name: str, place: str) -> UsageError:
    """Return the error of a value that is too long to be a variable."""
    size = len(selection.long[name].reveal().encode())
    return UsageError(
        f"the value of {name} is too long for a variable: {size:,} bytes",
        why=[("limit", "131,072 bytes for NAME=value, by the system"), ("asked for by", place)],
        next_step="hand it over as a file: secrets: with environment: "
        f"{name} at the top of the compose file, and its name under the service's secrets:",
    )


def _refuse_long(selection: Selection, written: Mapping[str, Any]) -> None:
    if not selection.long:
        return
    active = variables.active_services(written, selection.call.profiles)
    for name, place in variables.asked(written, {*active, *selection.services}):
        if name in selection.long:
            raise too_long(selection, name, place)


def _from_dotenv(ws: Workspace, selection: Selection, names: Iterable[str]) -> dict[str, str]:
    # A key without a value is what Compose looks for everywhere.
    wanted = dict.fromkeys(names)
    if not wanted:
        return {}
    document = {"name": "probe", "services": {"probe": {"image": "probe", "environment": wanted}}}
    folder = variables.project_folder(ws, selection)
    argv = ["docker", "compose", "--project-directory", str(folder), "--file", "-"]
    argv += [word for file in selection.call.env_files for word in ("--env-file", file)]
    argv += ["config", "--format", "json"]
    told = json.loads(answer(ws, selection, argv, stdin=json.dumps(document)))
    values: dict[str, str | None] = told["services"]["probe"]["environment"]
    # It prints a model that can be read again, so a dollar sign stands there twice.
    return {name: each.replace("$$", "$") for name, each in values.items() if each is not None}


def _live(text: str) -> Iterator[dotenv.Entry]:
    return (entry for entry in dotenv.entries(text) if not entry.commented)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
