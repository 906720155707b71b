"""Which stack is meant: its files, services, profiles, and the values that it gets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hullwright.config.discover import compose_files, development_file
from hullwright.errors import UnavailableError, UsageError, unknown
from hullwright.tools import compose
from hullwright.unstarted import is_variable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.config.models import Stack
    from hullwright.run import Result
    from hullwright.secret import Secret
    from hullwright.stack.override import Override
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Selection:
    """One stack as one run means it.

    Attributes:
        stack: its configuration.
        services: only these and what they depend on; empty means all.
        environment: values for variables, given to Compose in its environment and nowhere else.
        call: how Compose is called for it.
        long: secrets that are too long for a variable: they can only be handed over as files.
        production: the environment of production whose rules hold; empty for any other.
    """

    stack: Stack
    services: tuple[str, ...] = ()
    environment: Mapping[str, str | Secret] = field(default_factory=dict)
    call: compose.Invocation = field(default_factory=compose.Invocation)
    long: Mapping[str, Secret] = field(default_factory=dict)
    production: str = ""

    @property
    def lasting_name(self) -> str:
        """The name by which tasks find what it starts; empty for a project that is named so."""
        return "" if self.call.project else self.stack.name

    def named(self, project: str) -> Selection:
        """Return the same under another project name."""
        return replace(self, call=replace(self.call, project=project))

    def overridden(self, *files: str) -> Selection:
        """Return the same with override files after its own."""
        return replace(self, call=replace(self.call, overrides=(*self.call.overrides, *files)))


def select(
    ws: Workspace,
    stack: str | None = None,
    *,
    services: Sequence[str] = (),
    profiles: Sequence[str] = (),
    environment: Mapping[str, str | Secret] | None = None,
    dotenv: bool = True,
    dev: bool = False,
    production: str = "",
) -> Selection:
    """Return what is meant by the words of a command line.

    Args:
        ws: the repository.
        stack: a name of the configuration; None for `default`, or the only one.
        services: compose services; what they depend on comes along.
        profiles: profiles besides those of the configuration.
        environment: values for variables; what is a `Secret` is masked in all output.
        dotenv: whether the project's `.env` fills in for other variables.
        dev: whether the development override (`NAME.dev.yml` beside the first file) is added.
        production: the environment whose values these are, where it is one of production.

    Raises:
        UsageError: no such stack, or one of its files is missing.
    """
    chosen = _stack(ws, stack)
    given = dict(environment or {})
    ws.runner.secrets.update(value for value in given.values() if not isinstance(value, str))
    long = {
        name: value
        for name, value in given.items()
        if not isinstance(value, str) and not is_variable(name, value.reveal())
    }
    files = [_file(ws.root, name, chosen.name) for name in chosen.files]
    if dev:
        files.append(_dev_file(files))
    call = compose.Invocation(
        files=tuple(files),
        profiles=(*chosen.profiles, *profiles),
        dotenv=dotenv,
        env_files=_env_files(ws, chosen, Path(files[0]).parent),
    )
    given = {name: value for name, value in given.items() if name not in long}
    return Selection(chosen, tuple(services), given, call, long, production)


def ask(
    ws: Workspace,
    selection: Selection,
    what: Literal["config", "written"],
    override: Override | None = None,
) -> str:
    """Return what Compose tells of a selection's files, with an override that is not written yet.

    Raises:
        UsageError: Compose refuses the files; its own words are given.
    """
    seen = selection.overridden("-") if override else selection
    argv = seen.call.config() if what == "config" else seen.call.written()
    return answer(ws, selection, argv, stdin=override.yaml() if override else None)


def answer(ws: Workspace, selection: Selection, argv: list[str], *, stdin: str | None) -> str:
    """Return what a Compose command that only looks printed.

    Raises:
        UsageError: Compose refuses the files; its own words are given.
    """
    told = ws.runner.read(*argv, cwd=ws.root, env=selection.environment, stdin=stdin, check=False)
    if not told.ok:
        raise _refused(ws, told)
    return told.stdout


def resolved(
    ws: Workspace, selection: Selection, override: Override | None = None
) -> compose.Model:
    """Return the model of a selection with all values in it; never to be shown or written."""
    model = compose.parse_model(ask(ws, selection, "config", override))
    if not model.services:
        raise UsageError(
            f'stack "{selection.stack.name}" has no service to start',
            why="its files name none, or each has a profile that is not on",
            next_step="switch a profile on with --profile NAME",
        )
    for name in selection.services:
        if name not in model.services:
            raise unknown("service", name, model.services)
    return model


def _stack(ws: Workspace, name: str | None) -> Stack:
    stacks = ws.config.stacks
    if not stacks:
        raise UsageError(
            "this repository has no stack",
            why=f"no compose file was found in {ws.root}, and no [stacks.NAME] is configured",
            next_step="write a compose.yaml, or name its files in [tool.hullwright.stacks.default]",
        )
    if name is None:
        name = "default" if "default" in stacks or len(stacks) > 1 else next(iter(stacks))
    if name not in stacks:
        raise unknown("stack", name, stacks)
    return stacks[name]


def _file(root: Path, name: str, stack: str) -> str:
    path = root / name
    if not path.is_file():
        raise UsageError(
            f"{name} does not exist",
            why=f'stack "{stack}" is made of it',
            next_step=f"write it, or correct [stacks.{stack}] files",
        )
    return str(path)


def _env_files(ws: Workspace, stack: Stack, folder: Path) -> tuple[str, ...]:
    """Return the env files of a stack whose files `COMPOSE_FILE` names; nothing for Compose's own.

    Compose reads `.env` where it is started, then the one beside the first file. Given the files by
    flags, as we do, it reads only the second.
    """
    if folder == ws.root or stack.files != compose_files(ws.root, ws.environ):
        return ()
    both = (folder / ".env", ws.root / ".env")
    return tuple(str(path) for path in both if path.is_file())


def _dev_file(files: Sequence[str]) -> str:
    first = Path(files[0])
    path = development_file(first)
    if not path.is_file():
        raise UsageError(
            f"{path.name} does not exist",
            why=f"--dev adds it to {first.name}",
            next_step="write it, or leave --dev out",
        )
    return str(path)


def _refused(ws: Workspace, answer: Result) -> Exception:
    from hullwright.tools.engine import check_reachable

    check_reachable(answer)
    text = ws.runner.redacted(answer.stderr or answer.stdout).strip()
    lines = [line for line in text.splitlines() if "level=warning" not in line]
    # A docker without the plugin takes `--file` for a flag of its own.
    if any(words in text for words in ("unknown flag", "unknown command", "unknown shorthand")):
        return UnavailableError(
            "Docker Compose is missing or too old",
            why="\n".join(lines),
            next_step="invoke setup   (says which version is needed)",
        )
    return UsageError(
        "Compose refuses the stack's files",
        why=[("it says", "\n".join(lines[-10:]) or "(nothing)")],
        next_step="correct the files; docker compose config shows the same",
    )
