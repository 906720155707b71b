"""One run of bake: its definition, its command, and all that it told."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.build import repeatable
from hullwright.build.progress import Progress
from hullwright.errors import UnavailableError
from hullwright.files import make_folder, write_atomic
from hullwright.tools.buildx import BAKE_ENVIRONMENT, bake_argv, definition_json, parse_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from hullwright.build.models import BuildPlan, PlannedTarget
    from hullwright.build.telling import Teller
    from hullwright.run import Result
    from hullwright.secret import Secret
    from hullwright.tools.buildx import TargetMetadata
    from hullwright.workspace import Workspace

_SIBLING: Final = "target:"
_NO_ENGINE: Final = re.compile(
    r"cannot connect to the docker daemon|error during connect|is the docker daemon running|"
    r"dial unix .*docker\.sock",
    re.IGNORECASE,
)
_NO_BUILDX: Final = re.compile(
    r"is not a docker command|unknown command: docker buildx|unknown flag: --(?:file|progress)|"
    r"unknown shorthand flag: 'f'|invalid progress mode|unknown flag: --allow",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one bake run.

    Attributes:
        targets: what it was told to build.
        started_s: monotonic time.
    """

    targets: tuple[PlannedTarget, ...]
    progress: Progress
    result: Result
    metadata: Mapping[str, TargetMetadata]
    started_s: float


@dataclass(frozen=True, slots=True)
class Baker:
    """Runs bake for targets of one plan.

    Attributes:
        plan: of which targets are built.
        secrets: variables of bake with the values of secrets.
        teller: is told of what happens.
    """

    ws: Workspace
    plan: BuildPlan
    secrets: Mapping[str, Secret]
    teller: Teller

    def bake(self, targets: Sequence[PlannedTarget], there: Mapping[str, str]) -> Ran:
        """Build some targets of the plan in one bake run, and return what came of it.

        Args:
            targets: what is built, and exported.
            there: siblings that were built already, by bake's name, as contexts have images. They
                are taken as they are; other siblings are built on the way.

        Raises:
            UnavailableError: there is no engine or no usable buildx.
        """
        built = tuple(_on(target, there) for target in self.plan.targets)
        names = [target.name for target in targets]
        progress = Progress(_reached(names, built), hearing=self.teller.hearing(names))
        file, metadata_file = self._files(names, built, targets[0].node)

        def on_line(line: str) -> None:
            for target, vertex in progress.feed(line):
                self.teller.changed(progress, target, vertex)

        started_s = time.monotonic()
        with self.teller.following(progress):
            result = self.ws.runner.stream(
                *bake_argv(
                    file,
                    metadata_file,
                    targets=names if len(names) < len(built) else (),
                    no_cache=self.plan.no_cache,
                    pull=self.plan.pull,
                    overrides=self.plan.overrides,
                    allow=self.plan.allow,
                    builder=targets[0].node,
                ),
                on_line=on_line,
                cwd=self.ws.root,
                env={**BAKE_ENVIRONMENT, **self.secrets},
                check=False,
            )
        # Bake writes the file only when every target was built.
        written = metadata_file.read_text(encoding="utf-8") if metadata_file.exists() else ""
        ran = Ran(tuple(targets), progress, result, parse_metadata(written), started_s)
        refuse_unavailable(ran.result, progress.said)
        repeatable.load(self.ws, (t for t in targets if result.ok or progress.digest(t.name)))
        return ran

    def folded(self) -> AbstractContextManager[None]:
        """Return a block whose lines a log of CI folds; the report says all of it anyway."""
        console, count = self.ws.console, len(self.plan.building)
        place = self.plan.place
        title = f"build of {count} {f'on builder {place.name}' if place else 'in one bake run'}"
        if 0 < self.plan.jobs < count:
            title = f"build of {count}, {self.plan.jobs} at a time"
        return console.step(title) if console.github or console.gitlab else nullcontext()

    def _files(
        self, names: Sequence[str], built: Sequence[PlannedTarget], node: str
    ) -> tuple[Path, Path]:
        """Return the definition for a run, and where its metadata goes.

        Their names last, under the build's lock, so that the command can be run again by hand.
        """
        folder = make_folder(self.ws.state_dir / "bake-runs")
        # In a pool each target has its own run; else one run of a node follows the other.
        own = names[0] if len(names) == 1 else node or "all"
        metadata_file = folder / f"{own}.metadata.json"
        metadata_file.unlink(missing_ok=True)
        if built == self.plan.targets:
            return definition_file(self.ws), metadata_file
        file = folder / f"{own}.json"
        write_atomic(file, definition_json(target.bake for target in built))
        return file, metadata_file


def definition_file(ws: Workspace) -> Path:
    """Return where the definition of the whole plan stands."""
    return ws.state_dir / "bake.json"


def refuse_unavailable(result: Result, said: Sequence[str]) -> None:
    """Refuse to call it a failed build where nothing could be built.

    Raises:
        UnavailableError: there is no engine or no usable buildx.
    """
    if result.ok:
        return
    words = "\n".join(said)
    if _NO_ENGINE.search(words):
        raise UnavailableError(
            "the Docker engine cannot be reached",
            why="\n".join(said[-3:]),
            next_step="start it, or: invoke setup   (says what is missing)",
        )
    if _NO_BUILDX.search(words):
        raise UnavailableError(
            "docker buildx is missing or too old to build with",
            why="\n".join(said[-3:]),
            next_step="invoke setup   (says which version is needed)",
        )


def _on(target: PlannedTarget, there: Mapping[str, str]) -> PlannedTarget:
    """Return a target with the siblings that are there in place of their builds."""
    own = {name: there[sibling] for name, sibling in target.links.items() if sibling in there}
    contexts = {**target.bake.contexts, **own}
    if contexts == target.bake.contexts:
        return target
    return replace(target, bake=replace(target.bake, contexts=contexts))


def _reached(names: Iterable[str], built: Iterable[PlannedTarget]) -> list[str]:
    """Return bake's names of all that a run builds: what it is told to, and their siblings."""
    contexts = {target.name: target.bake.contexts.values() for target in built}
    reached: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in reached:
            reached[name] = None
            links = (value for value in contexts.get(name, ()) if value.startswith(_SIBLING))
            waiting += [value.removeprefix(_SIBLING) for value in links]
    return list(reached)
