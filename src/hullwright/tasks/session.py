"""One run of a task: its workspace, how it shows results, and the one error boundary."""

from __future__ import annotations

import os
import sys
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from invoke.exceptions import Exit, ParseError, UnexpectedExit

from hullwright.console import Console
from hullwright.errors import ExitCode, HullwrightError, UsageError, unknown
from hullwright.run import DryRunner, Runner, machine_state_dir
from hullwright.secret import Secret
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from invoke import Context

    from hullwright.build import Place
    from hullwright.config.models import Config
    from hullwright.history import Status
    from hullwright.tagging import RefContext
    from hullwright.version import Version

FORMS: Final = ("text", "json", "markdown")


class Renderer(Protocol):
    """A module of `hullwright.report`: the forms of one kind of result."""

    def text(self, result: Any, /) -> str: ...
    def markdown(self, result: Any, /) -> str: ...
    def as_json(self, result: Any, /) -> Any: ...


class Session:
    """What a task's body works with; everything is made when it is first asked for."""

    def __init__(self, context: Context) -> None:
        self._options = context.config.run
        self.environ: Mapping[str, str] = dict(os.environ)
        self.started_s = time.monotonic()
        # Set by a task that asks Git for more than a version, before it asks for one.
        self.other_git_processes = 0
        self._places: dict[str, Place | None] = {}

    @property
    def dry(self) -> bool:
        """Whether only the plan is wanted; asked for here and by renderers, never by a feature."""
        return bool(self._options.dry)

    @cached_property
    def console(self) -> Console:
        """The console of this run."""
        verbose = bool(self._options.echo) or self.environ.get("HULLWRIGHT_VERBOSE") == "1"
        return Console(self.environ, verbose=verbose)

    @cached_property
    def runner(self) -> Runner:
        """The runner of this run: a dry one under `--dry`."""
        kind = DryRunner if self.dry else Runner
        told = self._options.echo or self.dry
        return kind(self.environ, echo=self.console.command if told else None)

    @cached_property
    def root(self) -> Path:
        """The top folder of the repository that this run is in."""
        from hullwright.config.discover import find_root

        return find_root(Path.cwd())

    @cached_property
    def config(self) -> Config:
        """The repository's configuration."""
        from hullwright.config.load import load

        return load(self.root, self.environ, runner=self.runner)

    @cached_property
    def workspace(self) -> Workspace:
        """What features work with."""
        return Workspace(self.root, self.config, self.runner, self.console, self.environ)

    def place(self, asked: str) -> Place | None:
        """Return the builder that builds, chosen once; None for the engine's own.

        What is started from then on has it as its builder.
        """
        from hullwright.build import at, choose

        if asked not in self._places:
            here = self.workspace
            place = self._places[asked] = choose(here, asked)
            if place is not None or asked:
                self.workspace = at(here, place)
        return self._places[asked]

    @cached_property
    def versions(self) -> Mapping[str, Version]:
        """The version of each service, from Git."""
        from hullwright.version import describe_services

        return describe_services(self.workspace, others=self.other_git_processes)

    @cached_property
    def version(self) -> Version:
        """The version of the repository, from Git; looked up once, also for services."""
        from hullwright.version import describe

        known: Mapping[str, Version] = self.__dict__.get("versions", {})
        whole = [name for name in known if self.is_whole(name)]
        if whole:
            return known[whole[0]]
        return describe(self.workspace, others=self.other_git_processes)

    @cached_property
    def ref_context(self) -> RefContext:
        """What tags are computed from; looked up once for all services."""
        from hullwright.tasks.tagging import context_here

        return context_here(self)

    @cached_property
    def source(self) -> str:
        """The address of the repository for a browser; empty where it has none."""
        from hullwright.version import source

        return source(self.workspace)

    @cached_property
    def created(self) -> datetime | None:
        """When images of this run are created, or None for when their commit was."""
        return datetime.now(UTC) if self.config.build.created == "now" else None

    def is_whole(self, service: str) -> bool:
        """Return whether a service is counted as the repository itself is."""
        configured = self.config.services[service]
        return configured.tag_prefix == "v" and not configured.paths

    def show(
        self, renderer: Renderer, result: object, output_format: str, *, summarise: bool = False
    ) -> None:
        """Print a result in the wanted form.

        Args:
            renderer: the module of its forms.
            result: what a feature gave.
            output_format: text, json or markdown.
            summarise: whether it goes to the job summary too, where CI has one.

        Raises:
            UsageError: the form is not known.
        """
        # Marks are coloured for people; in JSON an escape character would be a syntax error.
        shown = rendered(renderer, result, output_format)
        self.console.result(shown, coloured=output_format == "text")
        if summarise and "GITHUB_STEP_SUMMARY" in self.environ:
            self.console.summarise(renderer.markdown(result))

    def record(self, kind: str, data: Mapping[str, object], status: Status) -> None:
        """Leave one record of this run in the history; a dry run leaves none.

        A history that cannot be written is told of and fails nothing: the work itself was done.
        """
        if self.dry:
            return
        from hullwright.history import Record, append, flush

        # A repository without Git, or without a commit, has no version; its runs are kept all the
        # same.
        with suppress(UsageError):
            _ = self.version
        version = self.__dict__.get("version")
        try:
            append(
                self.workspace,
                Record(
                    kind=kind,
                    project=self.config.project,
                    status=status,
                    duration_s=round(time.monotonic() - self.started_s, 3),
                    version=version.version if version else "",
                    revision=version.revision if version else "",
                    data=data,
                ),
            )
            note = flush(self.workspace, self.history_token).note
        except HullwrightError as error:
            self.console.warn(str(error))
        else:
            if note:
                self.console.note(note)

    def leave(self, *, held: bool, why: str) -> None:
        """End the task with 1 where the thing that was checked did not hold.

        The result has been shown by then; GitHub Actions gets the reason as an annotation too.
        """
        if held:
            return
        if self.console.github:
            self.console.error(why)
        _leave(ExitCode.FAILED)

    def end(self, code: int) -> None:
        """End the task with the exit code of a program that had the terminal to itself."""
        if code:
            raise Exit(code=code)

    def history_token(self) -> Secret | None:
        """Return the dashboard's token: from the environment, else from the secrets file."""
        given = self.environ.get("HULLWRIGHT_HISTORY_TOKEN")
        if given:
            return Secret(given)
        return self.secrets().get(self.config.history.token)

    def secrets(self) -> Mapping[str, Secret]:
        """Return the decrypted values of development; none where no secrets are kept."""
        from hullwright.secrets import available, environment

        return environment(self.workspace) if available(self.workspace) else {}


def rendered(renderer: Renderer, result: object, output_format: str) -> str:
    """Return a result in one of the three forms of every task.

    Raises:
        UsageError: the form is not known.
    """
    import json

    match output_format:
        case "text":
            return renderer.text(result)
        case "markdown":
            return renderer.markdown(result)
        case "json":
            return json.dumps(renderer.as_json(result), indent=2, ensure_ascii=False)
    raise unknown("format", output_format, FORMS)


def run_task(
    body: Callable[..., None],
    context: Context,
    arguments: Mapping[str, object],
    formats: tuple[str, ...] = FORMS,
) -> None:
    """Run a task's body; every expected failure becomes one message and its exit code."""
    session = Session(context)
    try:
        _check_format(arguments, formats)
        body(session, **arguments)
    except (Exit, ParseError, UnexpectedExit):
        raise
    except HullwrightError as error:
        session.console.error(session.runner.redacted(str(error)))
        _leave(error.exit_code)
    except KeyboardInterrupt:
        session.console.error("interrupted")
        _leave(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader went away (`| head`): nobody is left to tell, and nothing went wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _leave(ExitCode.DONE)
    except Exception as bug:  # noqa: BLE001  the one boundary: anything unforeseen is a bug
        session.console.error(_bug_message(session, bug))
        _leave(ExitCode.BUG)


def _check_format(arguments: Mapping[str, object], formats: tuple[str, ...]) -> None:
    """Refuse a form that is not known before the work, not after it."""
    given = str(arguments.get("format", formats[0]))
    if given not in formats:
        raise unknown("format", given, formats)


def _leave(code: ExitCode) -> NoReturn:
    raise Exit(code=int(code))


def _bug_message(session: Session, bug: Exception) -> str:
    """Write the log of a bug and return the message that names it."""
    import platform

    folder = machine_state_dir(session.environ) / "bugs"
    log = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log"
    versions = f"hullwright {own_version()}, invoke {_installed('invoke')}"
    told = "".join(traceback.format_exception(bug))
    system = f"{os.uname().sysname} {os.uname().release}"
    content = f"{versions}, Python {platform.python_version()}, {system}\n\n{told}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log.write_text(session.runner.redacted(content), encoding="utf-8")
    except OSError as error:
        return f"a bug in Hullwright: {bug!r}\n  log  could not be written: {error.strerror}"
    return (
        f"a bug in Hullwright: {session.runner.redacted(repr(bug))}\n"
        f"  log   {log}\n"
        "  next  report it with that file; it holds versions and the traceback"
    )


def own_version() -> str:
    """Return what this Hullwright is called: an image carries Git's version, a wheel its own."""
    return os.environ.get("HULLWRIGHT_VERSION") or _installed("hullwright")


def _installed(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
