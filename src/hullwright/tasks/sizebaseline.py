"""What sizes are compared with: what tags, versions and the history know of earlier images."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullwright.config.models import Service
    from hullwright.history import Record
    from hullwright.sizes import Figures, SizeReport, Subject
    from hullwright.sizes.points import Point
    from hullwright.sizes.references import Kept
    from hullwright.tagging import RefContext
    from hullwright.tasks.session import Session

# Records of each kind that are looked through, the newest first.
_RECORDS: Final = 200
# A commit's version takes Git some processes, and is asked for where its image most likely is.
_VERSIONS: Final = 2


def against(session: Session, report: SizeReport, asked: str, *, deep: bool = False) -> SizeReport:
    """Return a report of sizes with each image compared with what `asked` means of it.

    Budgets are judged anew, by what the images grew.

    Args:
        session: the run.
        report: what was measured.
        asked: a Git ref, an image, or `release` for the last one.
        deep: whether layers of a registry's images are read.

    Raises:
        UsageError: it is neither a ref nor an image, or one image for several services.
        UnavailableError: the registry or the engine cannot be asked.
        HullwrightError: there is no image to compare with.
    """
    from hullwright.sizes.against import against as compared

    return compared(session.workspace, report, asked, Earlier(session), deep=deep)


@dataclass(frozen=True)
class Earlier:
    """What this repository's Git, rules and history know of earlier images."""

    session: Session

    def release(self, subject: Subject) -> str:
        """Return the Git tag of the last release before what was built; empty without one."""
        from hullwright.errors import UsageError
        from hullwright.tools.git import Git, find_git_dir
        from hullwright.version.model import counted_prefix, highest, of_tag

        ws = self.session.workspace
        git_dir = find_git_dir(ws.root, ws.environ)
        if git_dir is None:
            return ""
        try:
            head, dirty = Git(ws.runner, ws.root, git_dir).head(), self.session.version.dirty
        except UsageError:
            return ""
        # A release itself is compared with the one before it, and what is changed since with it.
        names = [name for name, at in head.tags.items() if dirty or at != head.revision]
        service = self._service(subject)
        prefix = counted_prefix(names, service.tag_prefix if service else "v")
        releases = [n for n in names if (found := of_tag(n, prefix)) and not found.prerelease]
        newest = highest(releases, prefix)
        return newest[0] if newest else ""

    def names(self, subject: Subject, point: Point, commit: str) -> Sequence[str]:
        """Return the references that a commit's image may have, those that never move first."""
        service = self._service(subject)
        if service is None:
            return ()
        fixed, moving = self._tags(service, point.ref, commit)
        for tag in self._git_tags(commit):
            fixed += self._tags(service, tag, commit)[0]
        if point.commits.index(commit) < _VERSIONS:
            fixed += [tag for tag in (self._image_tag(service, commit),) if tag]
        # A moving tag of a Git tag, such as `1.4`, may be a later version's by now.
        of_branch = point.ref.startswith("refs/heads/") and commit == point.revision
        return self._references(subject, service, [*fixed, *(moving if of_branch else ())])

    def guesses(self, subject: Subject, name: str) -> Sequence[str]:
        """Return the references that a name may mean which Git does not know here.

        It may be a branch that was not fetched, as in a job of CI, or a tag of the image itself.
        """
        from hullwright.images import TAG

        service = self._service(subject)
        if service is None:
            return ()
        own = [name] if TAG.fullmatch(name) else []
        branch = self._tags(service, f"refs/heads/{name.removeprefix('refs/heads/')}", "")[1]
        return self._references(subject, service, [*own, *branch])

    def kept(self, subject: Subject) -> Sequence[Kept]:
        """Return what earlier runs made and measured of it, the newest first."""
        found = list(self._recorded(subject))
        for record in self._records:
            found += _of_record(record, subject)
        return found

    @cached_property
    def _records(self) -> tuple[Record, ...]:
        """The records of runs on commits, the newest of each kind first."""
        from hullwright.errors import HullwrightError
        from hullwright.history import list_records

        found: list[Record] = []
        project = self.session.config.project
        for kind in ("push", "build", "sizes"):
            # A history that cannot be read is no reason to compare nothing.
            with suppress(HullwrightError):
                found += list_records(self.session.workspace, kind, _RECORDS, project=project)
        # What was changed is in no commit.
        return tuple(one for one in found if one.revision and "dirty" not in one.version)

    def _recorded(self, subject: Subject) -> Iterator[Kept]:
        from hullwright.recorded import load
        from hullwright.sizes.references import Kept

        image = load(self.session.workspace).get((subject.service, subject.target))
        if image is not None and image.revision and "dirty" not in image.version:
            told = f"recorded at {image.at:%Y-%m-%d %H:%M}"
            yield Kept(image.revision, image.reference, image.digest, told)

    def _service(self, subject: Subject) -> Service | None:
        return self.session.config.services.get(subject.service)

    def _references(self, subject: Subject, service: Service, tags: Sequence[str]) -> list[str]:
        from hullwright.build import reference_of

        config = self.session.config
        return [reference_of(config, service, subject.target, tag) for tag in dict.fromkeys(tags)]

    def _tags(self, service: Service, ref: str, commit: str) -> tuple[list[str], list[str]]:
        """Return the tags that the rules give a commit on a ref: those that never move, others."""
        from hullwright.errors import UsageError
        from hullwright.tagging.kinds import fixed
        from hullwright.tagging.services import of_service

        context = self._context
        if context is None:
            return [], []
        is_default = ref == f"refs/heads/{context.default_branch}"
        there = replace(
            context, event="push", ref=ref, sha=commit, base_ref="", is_default_branch=is_default
        )
        try:
            tags = of_service(
                self.session.config, service, there, lambda: self._image_tag(service, commit)
            )
        except UsageError:
            # The clone lacks tags that would decide; then these names are not known.
            return [], []
        kept = fixed(tags, tag_prefix=service.tag_prefix)
        return list(kept), [name for name in tags.names if name not in kept]

    @cached_property
    def _context(self) -> RefContext | None:
        from hullwright.errors import UsageError

        try:
            return self.session.ref_context
        except UsageError:
            return None

    def _image_tag(self, service: Service, commit: str) -> str:
        from hullwright.errors import UsageError
        from hullwright.version import describe_at

        try:
            found = describe_at(
                self.session.workspace, commit, tag_prefix=service.tag_prefix, paths=service.paths
            )
        except UsageError:
            return ""
        return found.image_tag if found else ""

    def _git_tags(self, commit: str) -> list[str]:
        """Return the full names of the Git tags on a commit."""
        return [
            ref for ref, at in self._refs.items() if at == commit and ref.startswith("refs/tags/")
        ]

    @cached_property
    def _refs(self) -> dict[str, str]:
        from hullwright.tools.git import Git, find_git_dir
        from hullwright.tools.gitrefs import refs_of

        ws = self.session.workspace
        git_dir = find_git_dir(ws.root, ws.environ)
        return dict(refs_of(Git(ws.runner, ws.root, git_dir)).commits) if git_dir else {}


def _of_record(record: Record, subject: Subject) -> list[Kept]:
    """Return what a record tells of an image; records of older versions may lack anything."""
    from hullwright.sizes.references import Kept

    told = f"history, {record.kind} of {record.at:%Y-%m-%d}"
    try:
        if record.kind == "sizes":
            rows = [row for row in record.data["images"] if _is_of(row, subject)]
            if not rows:
                return []
            figures = tuple(_figures(row) for row in rows)
            return [Kept(record.revision, rows[0]["reference"], "", told, figures)]
        images = record.data["targets" if record.kind == "build" else "images"]
        return [
            Kept(
                record.revision,
                # A push keeps the repository and its tags apart; a digest is one image for ever.
                each.get("reference") or f"{each['repository']}@{each['digest']}",
                each["digest"],
                told,
            )
            for each in images
            if _is_of(each, subject)
            and each.get("digest")
            and each.get("status") not in {"failed", "skipped"}
            and "dirty" not in (each.get("version") or "")
        ]
    except (KeyError, TypeError, AttributeError):
        return []


def _is_of(row: dict[str, Any], subject: Subject) -> bool:
    return (row.get("service") or "", row.get("target") or "") == (subject.service, subject.target)


def _figures(row: dict[str, Any]) -> Figures:
    from hullwright.sizes import Figures, LayerSize

    return Figures(
        platform=row["platform"],
        digest=row.get("digest") or "",
        compressed_bytes=row.get("compressed_bytes"),
        unpacked_bytes=row.get("unpacked_bytes"),
        layers=tuple(
            LayerSize(
                digest=layer.get("digest") or "",
                diff_id=layer.get("diff_id") or "",
                compressed_bytes=layer.get("compressed_bytes"),
                unpacked_bytes=layer.get("unpacked_bytes"),
                created_by=layer.get("created_by") or "",
                origin=layer.get("origin"),
                step=layer.get("step") or "",
            )
            for layer in row.get("layers") or ()
        ),
        visible_bytes=row.get("visible_bytes"),
        waste_bytes=row.get("waste_bytes"),
        efficiency=row.get("efficiency"),
        created=row.get("created") or "",
    )
