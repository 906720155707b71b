"""What became of releases that exist (promoted, pulled, tagged), as text, Markdown and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hullwright.push.naming import NamePlan
from hullwright.push.promoting import Promoted
from hullwright.push.pulling import Pulled
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.push.models import Move

    Shown = Promoted | Pulled | NamePlan

_SCHEMA: Final = 1
_SHORT_DIGEST: Final = len("sha256:") + 12


def text(shown: Shown) -> str:
    """Return it for a person: what it is now, a line for each image, what to do next."""
    rows = [f"  {line}" for line in aligned(_rows(shown), gap=2).splitlines()]
    return "\n".join([_head(shown), "", *rows, *_after(shown)])


def markdown(shown: Shown) -> str:
    """Return it for a job summary or a pull request."""
    header = {
        Promoted: ("", "tag", "digest", "before"),
        Pulled: ("", "image", "digest", "version", "status", "seconds"),
        NamePlan: ("", "tag", "image", "version", "before"),
    }[type(shown)]
    table = markdown_table(header, _rows(shown), right=(5,))
    after = list(_after(shown))
    if isinstance(shown, Promoted) and after:
        after = ["", "```", *after[1:], "```"]
    return "\n".join([f"### {_head(shown)}", "", table, *after])


def as_json(shown: Shown) -> dict[str, Any]:
    """Return it as documented values."""
    if isinstance(shown, Promoted):
        return {"schema": _SCHEMA, **_promoted_json(shown)}
    if isinstance(shown, Pulled):
        return {"schema": _SCHEMA, "source": shown.source, "images": _pulled_json(shown)}
    return {"schema": _SCHEMA, "tags": _names_json(shown)}


def _head(shown: Shown) -> str:
    if isinstance(shown, Promoted):
        release, report = shown.promotion.release, shown.report
        what = f"{release.project} {release.version}"
        tag = shown.promotion.tag
        if report.failed:
            return f"✗ {what} is not {tag}"
        if not report.moved:
            return f"{what} is {tag} already"
        return (
            f"{what} is {tag}: {_count(len(report.moved), 'tag')} moved in {report.window_s:.2f} s"
        )
    if isinstance(shown, Pulled):
        fetched = sum(image.status == "pulled" for image in shown.images)
        if not fetched:
            here = "1 image is" if len(shown.images) == 1 else f"{len(shown.images)} images are"
            return f"nothing to pull: {here} here · {shown.source}"
        return f"{_count(fetched, 'image')} of {len(shown.images)} pulled · {shown.source}"
    changed = sum(not naming.done for naming in shown.namings)
    return f"{_count(changed, 'tag')} of {len(shown.namings)} set in the local store"


def _rows(shown: Shown) -> list[tuple[str, ...]]:
    if isinstance(shown, Promoted):
        return [
            (one.mark, one.move.reference, one.names[:_SHORT_DIGEST], one.told)
            for one in _fates(shown)
        ]
    if isinstance(shown, Pulled):
        return [
            (
                "✓",
                image.wanted.reference,
                image.wanted.digest[:_SHORT_DIGEST],
                image.version,
                image.status,
                f"{image.seconds:.1f} s" if image.status == "pulled" else "",
            )
            for image in shown.images
        ]
    return [
        ("✓", one.name, one.image.digest[:_SHORT_DIGEST], one.image.version, one.cause)
        for one in shown.namings
    ]


def _after(shown: Shown) -> Iterator[str]:
    if isinstance(shown, Pulled):
        yield ""
        if shown.verified:
            keys = dict.fromkeys(one.key for one in shown.verified)
            yield f"signed with {', '.join(keys)}, and verified"
        yield "recorded: up, cold-start and sizes take exactly these"
    elif isinstance(shown, NamePlan):
        yield from ("", "to a registry with: invoke push --all-tags")
    elif shown.report.failed:
        first, *rest = (shown.report.failure or "interrupted").splitlines()
        yield from ("", f"why   {first}", *rest)
        left = len(shown.report.left)
        if left:
            yield f"left  {_count(left, 'new tag')}, which the registry does not let us remove"
        yield "next  run it again: tags that are there already are left alone"


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of one tag: what it names now, and how that came."""

    move: Move
    status: str
    names: str
    told: str

    @property
    def mark(self) -> str:
        return {"moved": "✓", "unchanged": "✓", "left": "✗"}.get(self.status, "·")


def _fates(shown: Promoted) -> Iterator[_Fate]:
    report = shown.report
    why = {one.move: one.why for one in report.left}
    for move in shown.promotion.moves.moves:
        if move in why:
            yield _Fate(move, "left", move.digest, f"it is new; {why[move]}")
        elif move in report.restored:
            yield _Fate(move, "restored", move.before, "restored")
        elif move in report.deleted:
            yield _Fate(move, "deleted", "", "it was new, and is removed")
        elif move in report.moved or move.done:
            yield _Fate(move, "unchanged" if move.done else "moved", move.digest, move.cause)
        else:
            yield _Fate(move, "not moved", move.before, "not moved")


def _promoted_json(shown: Promoted) -> dict[str, Any]:
    release, report = shown.promotion.release, shown.report
    return {
        "project": release.project,
        "version": release.version,
        "revision": release.revision or None,
        "tag": shown.promotion.tag,
        "promoted": not report.failed,
        "window_seconds": round(report.window_s, 4),
        "tags": [
            {
                "reference": one.move.reference,
                "kind": one.move.kind,
                "digest": one.move.digest,
                "before": one.move.before or None,
                "status": one.status,
            }
            for one in _fates(shown)
        ],
        "failure": (report.failure or "interrupted") if report.failed else None,
    }


def _pulled_json(shown: Pulled) -> list[dict[str, Any]]:
    signed = {one.reference: one.key for one in shown.verified}
    return [
        {
            "service": image.wanted.service,
            "target": image.wanted.target,
            "reference": image.wanted.reference,
            "digest": image.wanted.digest,
            "platforms": list(image.platforms),
            "version": image.version,
            "revision": image.revision or None,
            "fingerprint": image.fingerprint or None,
            "status": image.status,
            "seconds": round(image.seconds, 3),
            "signed_by": signed.get(image.wanted.by_digest),
        }
        for image in shown.images
    ]


def _names_json(shown: NamePlan) -> list[dict[str, Any]]:
    return [
        {
            "service": one.image.service,
            "target": one.image.target,
            "reference": one.name,
            "digest": one.image.digest,
            "version": one.image.version,
            "before": one.before or None,
            "status": "unchanged" if one.done else "set",
        }
        for one in shown.namings
    ]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
