"""What the tasks that start a stack share: the values it gets, durations, hooks."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.errors import HullwrightError, LockedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullwright.secret import Secret
    from hullwright.stack import Limits, Selection
    from hullwright.tasks.session import Session

_MODES = ("sops", "file", "none")


def selection(
    session: Session,
    stack: str | None,
    services: Sequence[str] | None,
    profiles: Sequence[str] | None,
    env: str | None,
    mode: str | None,
    *,
    dev: bool = False,
) -> Selection:
    """Return the stack that is meant, with the values that it is to be started with.

    Raises:
        UsageError: an unknown stack, environment or mode.
    """
    from hullwright.stack import select

    if env is not None and stack is None and env in session.config.environments:
        stack = session.config.environments[env].stack
    configured = session.config.stacks.get(stack or "default")
    if env is None and configured is not None and configured.environment:
        env = configured.environment
    values, dotenv = _values(session, env, mode)
    place = session.config.environments.get(env or "")
    return select(
        session.workspace,
        stack,
        services=services or (),
        profiles=profiles or (),
        environment=values,
        dotenv=dotenv,
        dev=dev,
        production=place.name if place is not None and place.production else "",
    )


def _values(
    session: Session, env: str | None, mode: str | None
) -> tuple[Mapping[str, str | Secret], bool]:
    """Return the decrypted values, and whether `.env` fills in for other variables."""
    from hullwright import secrets

    if mode is None:
        encrypted = env is not None or secrets.available(session.workspace, env)
        mode = "sops" if encrypted else "file"
    if mode not in _MODES:
        raise UsageError(f'unknown source of secrets "{mode}"', why=[("known", ", ".join(_MODES))])
    values = secrets.environment(session.workspace, env) if mode == "sops" else {}
    public = secrets.public_names(session.config.secrets)
    # `.env` is the developer's own: it must not fill in for what another environment lacks.
    # Of what is a secret, output shows nothing; a public value is a text as any other.
    given = {name: value.reveal() if name in public else value for name, value in values.items()}
    return given, mode == "file" or (mode == "sops" and env in {None, secrets.DEVELOPMENT})


def mask(session: Session) -> None:
    """Let output show no secret of any environment that this run can decrypt.

    What runs may have been started with another environment than the one that is configured.
    """
    from hullwright import secrets
    from hullwright.secrets.source import known

    for name in sorted(known(session.workspace)):
        if secrets.available(session.workspace, name):
            # What cannot be decrypted here is needed for nothing else.
            with suppress(HullwrightError):
                secrets.environment(session.workspace, name)


def mask_running(session: Session, chosen: Selection) -> None:
    """Let output show nothing secret that was handed over to what runs; no key is needed.

    It may have been started by somebody whose key is not here.
    """
    from hullwright import stack
    from hullwright.secrets.sealed import secret_variables

    stack.mask_handed_over(session.workspace, chosen, secret_variables(session.workspace))


def split_command(command: str, task: str) -> list[str]:
    """Return the words of a command that was given in one.

    Raises:
        UsageError: a quote is not closed.
    """
    import shlex

    try:
        return shlex.split(command)
    except ValueError as error:
        raise UsageError(
            f"the command cannot be split into words: {error}",
            next_step=f"close its quotes, or give words: hullwright {task} -- …",
        ) from error


def seconds(text: str | None) -> float | None:
    """Return the seconds of a duration such as `20s` or `1m30s`; None for None.

    Raises:
        UsageError: it is no duration.
    """
    from hullwright.config.durations import parse_duration

    return None if text is None else parse_duration(text).total_seconds()


def limits(given: Sequence[str] | str | None) -> Limits:
    """Return how long a start may take, of a flag's words such as `2m` and `db=30s`.

    Whether a stack has a service of that name is looked at where its model is known.

    Raises:
        UsageError: one is no duration, or one thing is given two.
    """
    from hullwright.stack import Limits

    words = [given] if isinstance(given, str) else given or ()
    overall: list[float] = []
    services: dict[str, float] = {}
    for part in (part.strip() for word in words for part in word.split(",") if part.strip()):
        service, sign, duration = part.rpartition("=")
        limit_s = seconds(duration) or 0.0
        if service in services or (overall and not sign):
            raise UsageError(
                f"two timeouts for {service or 'the whole stack'}",
                next_step="give one: --timeout 2m,db=30s",
            )
        if sign:
            services[service] = limit_s
        else:
            overall.append(limit_s)
    return Limits(overall[0] if overall else None, services)


def refuse_unwaited(
    *, wait: bool, check: bool, timeout: Sequence[str] | None, healthcheck: bool = False
) -> None:
    """Refuse what has no meaning for a start that nobody waits for.

    Raises:
        UsageError: which flag that is.
    """
    flags = {
        "--check": check,
        "--require-healthcheck": healthcheck,
        "--timeout": bool(timeout),
    }
    given = [flag for flag, on in flags.items() if on]
    if given and not wait:
        raise UsageError(
            f"--no-wait and {' and '.join(given)} cannot both be meant",
            next_step="leave --no-wait out",
        )


@dataclass
class Work:
    """What a block of `running` came to; it sets `held` where the thing did not hold."""

    held: bool = True


@contextmanager
def running(session: Session, kind: str, **context: object) -> Iterator[Work]:
    """Run the hooks `before-KIND` and, where the work held, `after-KIND` around a block.

    A run that had begun and came to no result, by a failure or by Ctrl-C, leaves a record too.
    """
    from hullwright.hooks import run_hook

    run_hook(session.workspace, f"before-{kind}", context)
    work = Work()
    try:
        yield work
    except (UsageError, LockedError):
        raise
    except HullwrightError as error:
        told = {"schema": 1, "error": session.runner.redacted(error.what)}
        session.record(kind, told, "failed")
        raise
    except KeyboardInterrupt:
        session.record(kind, {"schema": 1, "error": "interrupted"}, "interrupted")
        raise
    if work.held:
        run_hook(session.workspace, f"after-{kind}", context)
