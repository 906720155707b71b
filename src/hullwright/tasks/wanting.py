"""What each environment is asked for, gathered from all who ask: for `secrets.check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullwright.secrets.checking import Wanted
    from hullwright.stack.asking import Asked
    from hullwright.tasks.session import Session
    from hullwright.tools.dotenv import Entry


def wanted(session: Session, env: str | None) -> dict[str, Wanted]:
    """Return what compose files, `.env.example`, builds and the history ask each environment for.

    Raises:
        UsageError: the environment is unknown.
    """
    from hullwright.secrets.checking import environments

    example = _example(session)
    stacks: dict[str, Asked | None] = {}
    found = {}
    for name in environments(session.workspace, env):
        for stack in _stacks_of(session, name):
            if stack not in stacks:
                stacks[stack] = _asked(session, stack)
        there = [stacks[stack] for stack in _stacks_of(session, name)]
        found[name] = _together(session, name, [one for one in there if one], example)
    return found


def _together(session: Session, env: str, stacks: list[Asked], example: list[Entry]) -> Wanted:
    from hullwright.envfile.make import EXAMPLE
    from hullwright.secrets import DEVELOPMENT
    from hullwright.secrets.checking import Wanted
    from hullwright.tools.placeholders import is_placeholder

    live = [entry for entry in example if not entry.commented]
    placeholders = [one.name for one in live if is_placeholder(one.name, one.value)]
    required = {name: place for asked in stacks for name, place in asked.required.items()}
    required |= {name: EXAMPLE for name in placeholders if name not in required}
    built = _built(session)
    if env == DEVELOPMENT:
        # A value that the example gives is a default of whoever develops, and no secret.
        defaults = {one.name for one in live if one.value}.difference(placeholders)
        required = {name: place for name, place in required.items() if name not in defaults}
        required |= {name: place for name, place in built.items() if name not in required}
    known = {name for asked in stacks for name in asked.known}
    known |= {one.name for one in example} | {session.config.history.token} | built.keys()
    known |= set(session.config.secrets.public) | set(_signing(session))
    return Wanted(required, frozenset(known), open=any(asked.every for asked in stacks))


def _signing(session: Session) -> list[str]:
    """Return the names under which a push looks for what it signs with."""
    from hullwright.tools.cosign import PASSWORD_VARIABLE

    kind, _, name = session.config.signing.key.partition(":")
    named = [name] if kind == "env" and not name.startswith("//") else []
    return [*named, PASSWORD_VARIABLE] if session.config.signing.key else []


def _stacks_of(session: Session, env: str) -> list[str]:
    """Return the stacks that get the secrets of an environment."""
    from hullwright.secrets import DEVELOPMENT

    config = session.config
    own = [name for name, stack in config.stacks.items() if stack.environment == env]
    if env == DEVELOPMENT:
        own += [name for name, stack in config.stacks.items() if not stack.environment]
    elif env in config.environments:
        own.append(config.environments[env].stack)
    elif not own:
        own.append("default")
    return [name for name in dict.fromkeys(own) if name in config.stacks]


def _asked(session: Session, name: str) -> Asked | None:
    """Return what a stack asks for; without Compose the rest is checked all the same."""
    from hullwright import stack
    from hullwright.errors import HullwrightError
    from hullwright.stack.asking import asked

    try:
        return asked(session.workspace, stack.select(session.workspace, name, profiles=("*",)))
    except HullwrightError as error:
        session.console.warn(f"checked without what stack {name} asks for: {error.what}")
        return None


def _built(session: Session) -> dict[str, str]:
    """Return the keys that builds ask for, and which build it is."""
    return {
        source: f"the build of {name}"
        for name, service in session.config.services.items()
        for source in service.secrets.values()
        if not source.startswith(("env:", "file:"))
    }


def _example(session: Session) -> list[Entry]:
    from hullwright.envfile.make import EXAMPLE
    from hullwright.tools.dotenv import entries

    path = session.root / EXAMPLE
    if not path.is_file():
        return []
    return list(entries(path.read_text(encoding="utf-8", errors="replace")))
