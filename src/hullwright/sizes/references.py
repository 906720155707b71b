"""What an image is compared with: what `--against REF` means for each of them.

REF is `release`, whatever Git knows, or an image. A commit's image is looked for where a push or a
build left it: in the registry, by the tags that the rules give that commit; in the local store, by
what builds recorded and by labels; at last in the history, which has figures of what is gone. So a
run of CI needs nothing of an earlier one: the base branch's image in the registry is enough.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

from hullwright.errors import HullwrightError, UnavailableError, UsageError, suggestion
from hullwright.images import Reference
from hullwright.run import cache_dir
from hullwright.sizes.cache import Cache
from hullwright.sizes.choosing import locate
from hullwright.sizes.models import ImageSizes, Subject
from hullwright.sizes.points import SHORT, known_names, point_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullwright.sizes.choosing import Place
    from hullwright.sizes.models import Figures
    from hullwright.sizes.points import Point
    from hullwright.tools.engine import LocalImage
    from hullwright.tools.registryclient import RegistryClient
    from hullwright.workspace import Workspace

RELEASE: Final = "release"
_LABEL: Final = "dev.hullwright."
_OCI: Final = "org.opencontainers.image."
_SHOWN_TAGS: Final = 6


@dataclass(frozen=True, slots=True)
class Kept:
    """An image that an earlier run made or measured.

    Attributes:
        revision: the commit that was checked out.
        reference: what it was called.
        digest: by which a store or a registry knows it; empty where only figures were kept.
        told: who says so, such as `history, build of 2026-11-20`.
        rows: its figures, one for each platform; none where nothing was measured.
    """

    revision: str
    reference: str
    digest: str
    told: str
    rows: tuple[Figures, ...] = ()


class Known(Protocol):
    """What other parts know of images; the task hands it over."""

    def release(self, subject: Subject) -> str:
        """Return the Git tag of the last release before what was built; empty without one."""
        ...

    def names(self, subject: Subject, point: Point, commit: str) -> Sequence[str]:
        """Return the references that a commit's image may have, those that never move first."""
        ...

    def guesses(self, subject: Subject, name: str) -> Sequence[str]:
        """Return the references that a name may mean which Git does not know here."""
        ...

    def kept(self, subject: Subject) -> Sequence[Kept]:
        """Return what earlier runs made and measured of it, the newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """An image to compare with.

    Attributes:
        subject: the image; it can be measured unless there are `rows`.
        how: where and by what it was found, for a person.
        place: where it is; None to look for it.
        rows: what is known of it where the image itself is gone.
    """

    subject: Subject
    how: str
    place: Place | None = None
    rows: tuple[ImageSizes, ...] = ()


def find(ws: Workspace, subject: Subject, asked: str, known: Known) -> Found:
    """Return the image that an image is compared with.

    Raises:
        UsageError: it is neither a ref of this clone nor an image, and looks like a ref.
        UnavailableError: it is nowhere else, and the registry cannot be asked.
        HullwrightError: there is no such image, or none of that commit.
    """
    search = _Search(ws, subject, asked, known)
    point = search.point()
    found = search.of_point(point) if point else search.of_name()
    if found is not None:
        return found
    if search.unheard is not None:
        raise search.unheard
    raise search.nowhere(point) if point else search.unknown()


@dataclass
class _Search:
    """One search, and where it has looked."""

    ws: Workspace
    subject: Subject
    asked: str
    known: Known
    looked: dict[str, list[str]] = field(default_factory=dict)
    unheard: UnavailableError | None = None
    clients: dict[str, RegistryClient] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    def point(self) -> Point | None:
        """Return the commit that is meant; None where no name of Git's is."""
        if self.asked != RELEASE:
            point = point_of(self.ws, self.asked)
        else:
            self._refuse_foreign()
            tag = self.known.release(self.subject)
            if not tag:
                raise HullwrightError(
                    f"there is no release of {self._name} to compare with",
                    why="no Git tag of a release is in the history of what is checked out",
                    next_step="git fetch --tags, or compare with a branch: --against main",
                )
            point = point_of(self.ws, f"refs/tags/{tag}")
        if point is not None:
            self._refuse_foreign()
        return point

    def of_point(self, point: Point) -> Found | None:
        """Return the image of a commit, or of the nearest one that has any.

        On the branch that is asked for, what was just built is of its commit, too. It is compared
        with itself only where there is no other.
        """
        own: Found | None = None
        for commit in point.commits:
            for found in self._of_commit(point, commit):
                if not self._is_own(found):
                    return found
                own = own or found
        return own

    def _is_own(self, found: Found) -> bool:
        """Return whether an image that was found here is the one that is compared."""
        if found.how.startswith("registry"):
            return False
        digest = found.subject.digest
        if digest:
            return digest == self.subject.digest
        return found.subject.reference == self.subject.reference

    def of_name(self) -> Found | None:
        """Return the image of a name that Git does not know."""
        for reference in self.known.guesses(self.subject, self.asked) if self._is_word else ():
            found = self._named(reference, "")
            if found is not None:
                return found
        try:
            located = locate(self.ws, Subject(self.asked))
        except UnavailableError as error:
            self.unheard = error
            return None
        except UsageError:
            return None
        if located is None:
            return None
        where = {"store": "local store", "registry": "registry", "file": "file"}[located.place]
        return Found(Subject(self.asked, digest=located.digest), where, located.place)

    def _of_commit(self, point: Point, commit: str) -> Iterator[Found]:
        instead = "" if commit == point.revision else self._instead(point, commit)
        for reference in self.known.names(self.subject, point, commit):
            found = self._named(reference, commit)
            if found is not None:
                yield _with(found, commit, instead)
        for kept in self.kept:
            if kept.revision == commit:
                found = self._of_kept(kept)
                if found is not None:
                    yield _with(found, commit, instead)
        image = self.local.get(commit)
        self._looked("local store", f"built of {commit[:SHORT]}")
        if image is not None:
            name = image.tags[0] if image.tags else image.id
            how = f"local store, built of {commit[:SHORT]}{instead}"
            yield Found(self._subject(name, image.id), how, "store")
        found = self._figures_of(commit, instead)
        if found is not None:
            yield found

    def _named(self, reference: str, commit: str) -> Found | None:
        """Return the image of a name: the registry's, for a local tag may be of long ago."""
        parsed = Reference.parse(reference)
        if _names_registry(reference):
            self._looked(parsed.repository, parsed.tag or "")
            found = self._published(reference, commit)
            if found is not None:
                return found
        else:
            self._looked("local store", reference)
        try:
            located = locate(self.ws, self._subject(reference), "store")
        except UnavailableError as error:
            self.unheard = self.unheard or error
            return None
        if located is None:
            return None
        subject = self._subject(reference, located.digest)
        return Found(subject, f"local store, tag {parsed.tag}", "store")

    def _published(self, reference: str, commit: str) -> Found | None:
        from hullwright.tools import published
        from hullwright.tools.registryclient import Patience, connect

        parsed = Reference.parse(reference)
        if parsed.domain in self.silent:
            return None
        try:
            if parsed.domain not in self.clients:
                patience = Patience(attempts=2, most_told_s=2.0)
                self.clients[parsed.domain] = connect(self.ws, parsed.domain, patience=patience)
            client = self.clients[parsed.domain]
            found = published.read(client, parsed.repository, parsed.tag or "")
        except UnavailableError as error:
            self.silent.add(parsed.domain)
            self.unheard = error
            return None
        if found is None:
            return None
        revision = found.revision[:SHORT]
        other = f" ({revision})" if revision and not commit.startswith(revision) else ""
        # By its digest the local store has it too, where it was built or pulled here.
        subject = self._subject(reference, found.digest)
        return Found(subject, f"registry, tag {parsed.tag}{other}")

    def _of_kept(self, kept: Kept) -> Found | None:
        """Return an image that an earlier run had, where its bytes or its files still are."""
        if not kept.digest:
            return None
        self._looked("local store", kept.digest[:19])
        subject = self._subject(kept.reference, kept.digest)
        try:
            if locate(self.ws, subject, "store") is not None:
                return Found(subject, f"local store, {kept.told}", "store")
            reference = f"{Reference.parse(kept.reference).repository}@{kept.digest}"
            if _names_registry(reference) and locate(self.ws, Subject(reference), "registry"):
                named = Subject(reference, self.subject.service, self.subject.target)
                return Found(named, f"registry, {kept.told}", "registry")
        except UnavailableError as error:
            self.unheard = self.unheard or error
        cache = Cache(cache_dir(self.ws.environ))
        rows = cache.figures(kept.digest)
        if rows is None:
            return None
        return Found(
            subject,
            f"{kept.told}; the image itself is gone",
            rows=tuple(
                ImageSizes(subject, row, contents=cache.contents(row.digest)) for row in rows
            ),
        )

    def _figures_of(self, commit: str, instead: str) -> Found | None:
        self._looked("history", f"measured at {commit[:SHORT]}")
        at = f" at {commit[:SHORT]}{instead}" if instead else ""
        for kept in self.kept:
            if kept.revision == commit and kept.rows:
                subject = self._subject(kept.reference, kept.digest)
                return Found(
                    subject,
                    f"{kept.told}{at}; the image itself is gone",
                    rows=tuple(ImageSizes(subject, row) for row in kept.rows),
                )
        return None

    @cached_property
    def kept(self) -> Sequence[Kept]:
        return self.known.kept(self.subject)

    @cached_property
    def local(self) -> dict[str, LocalImage]:
        """The local images of the same service and stage by their commit, the newest of each."""
        from hullwright.tools import engine

        words = [f"project={self.ws.config.project}", f"service={self.subject.service}"]
        filters = [word for each in words for word in ("--filter", f"label={_LABEL}{each}")]
        try:
            answer = self.ws.runner.read(
                *("docker", "image", "ls", "--all", "--quiet", "--no-trunc", *filters), check=False
            )
            engine.check_reachable(answer)
            images = engine.images(self.ws.runner, answer.stdout.split()).values()
        except UnavailableError as error:
            self.unheard = self.unheard or error
            return {}
        found: dict[str, LocalImage] = {}
        for image in images:
            if image is None or image.labels.get(f"{_LABEL}target", "") != self.subject.target:
                continue
            # What was built of a changed tree is no commit's image.
            if "dirty" not in image.labels.get(f"{_OCI}version", ""):
                found.setdefault(image.labels.get(f"{_OCI}revision", ""), image)
        return found

    def nowhere(self, point: Point) -> HullwrightError:
        """Return the error of a commit that has no image anywhere."""
        count = len(point.commits)
        also = f", nor of {count - 1} commits before it" if count > 1 else ""
        deepen = "git fetch --unshallow, or " if point.cut else ""
        return HullwrightError(
            f"there is no image of {self._name} at {self.asked} ({point.revision[:SHORT]}){also}",
            why=[(place, _some(names)) for place, names in self.looked.items()],
            next_step=f"{deepen}build or push it there (invoke push), or name an image: "
            "--against REF",
        )

    def unknown(self) -> HullwrightError:
        """Return the error of a name that is neither a ref nor an image."""
        names = [RELEASE, *known_names(self.ws)]
        close = suggestion(self.asked, names)
        if not close and not self._is_word:
            also = ", nor in its registry" if _names_registry(self.asked) else ""
            return HullwrightError(
                f"the image {self.asked} is not in the local store{also}",
                next_step="docker pull it, or name a tag that there is",
            )
        return UsageError(
            f'"{self.asked}" is no ref of this clone and no image{close}',
            why=[("looked for", _some(tried)) for tried in self.looked.values()],
            next_step="a branch, tag or commit (git fetch brings those of a remote), an image, or "
            f"{RELEASE}",
        )

    @property
    def _is_word(self) -> bool:
        """Whether it may be a tag or a branch: an image of another place has more to it."""
        return not set(self.asked) & set(":@")

    @property
    def _name(self) -> str:
        return " ".join(filter(None, (self.subject.service, self.subject.target)))

    def _refuse_foreign(self) -> None:
        if not self.subject.service:
            raise UsageError(
                f"{self.subject.reference} is no service's image, so it has none at {self.asked}",
                next_step="name the image to compare it with: --against REPOSITORY:TAG",
            )

    def _subject(self, reference: str, digest: str = "") -> Subject:
        return Subject(reference, self.subject.service, self.subject.target, digest)

    def _instead(self, point: Point, commit: str) -> str:
        place = point.commits.index(commit)
        which = "where this history left it" if place == 1 else "the newest before it"
        return f", {which}; there is none of {self.asked} itself"

    def _looked(self, place: str, name: str) -> None:
        names = self.looked.setdefault(place, [])
        if name not in names:
            names.append(name)


def _with(found: Found, commit: str, instead: str) -> Found:
    if not instead:
        return found
    return replace(found, how=f"{found.how} at {commit[:SHORT]}{instead}")


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_TAGS
    return ", ".join(names[:_SHOWN_TAGS]) + (f" and {more} more" if more > 0 else "")


def _names_registry(text: str) -> bool:
    first, slash, _ = text.partition("/")
    return bool(slash) and (bool(set(first) & set(".:")) or first == "localhost")
