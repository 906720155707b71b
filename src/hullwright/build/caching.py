"""Where the layers of a build are kept between machines, with a scope of every service and target.

What each form needs was tried with the `docker` driver on the containerd image store: it exports
to registries, folders, GitHub and into images, but the classic store exports inline only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hullwright.build.outputs import attributes, placed, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullwright.config.models import Service
    from hullwright.workspace import Workspace

_WRITING: Final = frozenset(
    {
        *("mode", "ignore-error", "dest", "image-manifest", "oci-mediatypes"),
        *("compression", "compression-level", "force-compression"),
    }
)
_GHA_TOKEN: Final = "ACTIONS_RUNTIME_TOKEN"  # noqa: S105  the name of a variable
_GHA_ADDRESSES: Final = ("ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL")
# A registry that is full or down loses us a cache, not a build.
_LENIENT: Final = "mode=max,ignore-error=true"


@dataclass(frozen=True, slots=True)
class Caches:
    """What bake is told of one target's caches.

    Attributes:
        sources, goals: `cache-from` and `cache-to`.
        notes: what was left out, and what it needs.
    """

    sources: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caching:
    """How the builds of one run use their caches.

    Attributes:
        ws: the repository.
        writes: whether caches that others read are written: by pushes, and in CI.
    """

    ws: Workspace
    writes: bool

    def of(self, service: Service, stage: str, repository: str) -> Caches:
        """Return the caches of a target.

        Args:
            service: its service.
            stage: empty for the last one under no name.
            repository: its image's, with the registry; the tag is not part of it.
        """
        found = [
            self._one(text, service.name, stage, repository, service.default_target)
            for text in service.cache or self.ws.config.build.cache
        ]
        sources = [source for each in found for source in each.sources]
        goals = [goal for each in found for goal in each.goals]
        if not service.cache:
            # A bake file's own, as bake printed them.
            sources += _entries(service.extra.get("cache-from"))
            goals += _entries(service.extra.get("cache-to")) if self.writes else ()
        notes = tuple(note for each in found for note in each.notes)
        return Caches(tuple(dict.fromkeys(sources)), tuple(dict.fromkeys(goals)), notes)

    def _one(self, text: str, service: str, stage: str, repository: str, usual: str) -> Caches:
        scope = f"{service}-{stage}" if stage else service
        match text:
            case "registry":
                return self._registry(f"{repository}:buildcache{f'-{stage}' if stage else ''}")
            case "local":
                return self._local(f".hullwright/cache/{scope}")
            case "inline":
                suffix = "" if stage == usual else f"-{stage}"
                return Caches((f"type=registry,ref={repository}:latest{suffix}",), ("type=inline",))
            case "gha":
                return self._github(scope)
        return self._raw(placed(text, service, stage))

    def _registry(self, reference: str) -> Caches:
        if not self.ws.config.registry:
            return Caches(
                notes=("the registry cache is left out: no registry is configured to keep it in",)
            )
        goal = f"type=registry,ref={reference},{_LENIENT}"
        return Caches((f"type=registry,ref={reference}",), (goal,) if self.writes else ())

    def _local(self, folder: str) -> Caches:
        # BuildKit warns of a folder that was not written yet.
        there = (self.ws.root / folder / "index.json").is_file()
        return Caches(
            (f"type=local,src={folder}",) if there else (), (f"type=local,dest={folder},mode=max",)
        )

    def _github(self, scope: str) -> Caches:
        environ = self.ws.environ
        missing = [name for name in (_GHA_TOKEN,) if not environ.get(name)]
        if not any(environ.get(name) for name in _GHA_ADDRESSES):
            missing.append(_GHA_ADDRESSES[0])
        if missing:
            note = (
                f"GitHub's cache is left out: {' and '.join(missing)} not set; a step of "
                "actions/github-script has to hand them on (core.exportVariable), for plain "
                "steps do not get them"
            )
            return Caches(notes=(note,))
        goal = f"type=gha,scope={scope},{_LENIENT}"
        return Caches((f"type=gha,scope={scope}",), (goal,) if self.writes else ())

    def _raw(self, text: str) -> Caches:
        values = attributes(text)
        local = values.get("type") == "local"
        folder = values.get("src") or values.get("dest") or ""
        source = {k: v for k, v in values.items() if k not in _WRITING}
        goal = {k: v for k, v in values.items() if k != "src"}
        if local:
            source, goal = {**source, "src": folder}, {**goal, "dest": folder}
            if not (self.ws.root / folder / "index.json").is_file():
                source = {}
        if values.get("type") == "inline":
            source = {}
        kept = local or self.writes or values.get("type") == "inline"
        return Caches((written(source),) if source else (), (written(goal),) if kept else ())


def _entries(entries: Sequence[Mapping[str, Any] | str] | None) -> Iterator[str]:
    for entry in entries or ():
        if isinstance(entry, str):
            yield entry
        else:
            # The type first, where a reader looks for it.
            values = {"type": entry.get("type", "registry"), **entry}
            yield written({name: str(value) for name, value in values.items()})
