"""What a push gave, as text, Markdown and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.report import build as build_report
from hullwright.report import sizejson
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table
from hullwright.sizes.models import SizeReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullwright.build import BuildReport
    from hullwright.push import Checked, Content, Move, MoveReport
    from hullwright.push.pushed import Pushed
    from hullwright.sizes import Figures, ImageSizes

    # What became of the build, the figures of its images by their digest, the push itself, and
    # what was held against budgets.
    Shown = tuple[BuildReport, Mapping[str, Sequence[Figures]], Pushed, Sequence[ImageSizes]]

_SCHEMA: Final = 1
_AGAIN: Final = "invoke push --failed"
_SHORT_DIGEST: Final = len("sha256:") + 12


def text(shown: Shown) -> str:
    """Return the report for a person: the images with their tags, and what was moved how."""
    built, sizes, pushed, _ = shown
    if pushed.moves is None:
        images = build_report.text((built, sizes), again=_again(pushed))
        return "\n\n".join([*([images] if built.targets else []), *_unmoved(pushed)])
    blocks = ["\n".join([_head(pushed), "", *_rows(built, pushed)]), _sum(pushed)]
    blocks += ["\n".join(_failure(pushed.moves))] if pushed.moves.failed else []
    return "\n\n".join([*blocks, *_notes(pushed)])


def markdown(shown: Shown) -> str:
    """Return the report for a job summary or a pull request."""
    built, sizes, pushed, _ = shown
    if pushed.moves is None:
        images = build_report.markdown((built, sizes), again=_again(pushed))
        return "\n\n".join([*([images] if built.targets else []), *_unmoved(pushed)])
    status = _statuses(built)
    rows = [
        [
            f"`{image.content.repository}`",
            status.get((image.content.service, image.content.target), ""),
            "<br>".join(image.platforms),
            "<br>".join(f"`{tag}`" for tag in pushed.tags_of(image.content)),
            f"`{image.content.digest}`",
        ]
        for image in pushed.images
    ]
    header = ("image", "status", "platforms", "tags", "digest")
    blocks = [f"### {_head(pushed)}", markdown_table(header, rows), _sum(pushed)]
    if pushed.moves.failed:
        blocks.append("\n".join(["```", *_failure(pushed.moves), "```"]))
    return "\n\n".join([*blocks, *_notes(pushed)])


def as_json(shown: Shown) -> dict[str, Any]:
    """Return the report as documented values."""
    built, sizes, pushed, limited = shown
    moves = pushed.moves
    return {
        "schema": _SCHEMA,
        "pushed": pushed.done and not pushed.plan.part,
        "part": pushed.plan.part or None,
        "version": pushed.version,
        "revision": pushed.revision or None,
        "seconds": round(pushed.seconds, 3),
        "window_seconds": round(moves.window_s, 4) if moves else None,
        "images": [_image(pushed, image, limited) for image in pushed.images],
        "staged": [
            {
                "service": c.service,
                "target": c.target,
                "reference": c.reference,
                "tag": c.staging_tags[0],
            }
            for c in pushed.staged
        ],
        "tags": list(_tag_values(moves)) if moves else [],
        "gates": [
            {"command": gate.command, "seconds": round(gate.seconds, 3)} for gate in pushed.gates
        ],
        "signatures": [
            {
                "reference": one.reference,
                "key": one.key,
                "already": one.already,
                "seconds": round(one.seconds, 3),
            }
            for one in pushed.signed
        ],
        "staging_tags_left": list(pushed.staging_left),
        "release_file": pushed.release_file or None,
        "failure": _failed(pushed) or None,
        "build": build_report.as_json((built, sizes)),
    }


def reason(shown: Shown) -> str:
    """Return in one line why there is no release, for an annotation."""
    built, _, pushed, _ = shown
    if pushed.moves is not None:
        return f"tags were not moved: {(pushed.moves.failure or 'interrupted').splitlines()[0]}"
    if pushed.refusal:
        return pushed.refusal
    names = [t.service for t in built.targets if t.status in {"failed", "skipped"}]
    return f"not built: {', '.join(names)}; no release tag was changed"


def _again(pushed: Pushed) -> str:
    """Return the command that builds what failed."""
    platform = f" --platform {pushed.plan.part}" if "/" in pushed.plan.part else ""
    return f"invoke push --part{platform}" if pushed.plan.part else _AGAIN


def _failed(pushed: Pushed) -> str:
    if pushed.moves is not None and pushed.moves.failed:
        return pushed.moves.failure or "interrupted"
    return pushed.refusal


def _image(pushed: Pushed, image: Checked, limited: Sequence[ImageSizes]) -> dict[str, Any]:
    content = image.content
    return {
        "service": content.service,
        "target": content.target,
        "repository": content.repository,
        "digest": content.digest,
        "media_type": image.media_type,
        "platforms": dict(image.platforms),
        "attestations": sorted(image.attestations),
        "version": content.version,
        "revision": content.revision or None,
        "fingerprint": content.fingerprint,
        "tags": list(pushed.tags_of(content)),
        "sizes": _sizes(content, limited),
    }


def _sizes(content: Content, limited: Sequence[ImageSizes]) -> list[dict[str, Any]]:
    """Return the figures of each platform, as `invoke sizes` has them; none without a budget."""
    own = (row for row in limited if row.subject.digest == content.digest)
    rows = tuple(row for row in own if row.subject.service == content.service)
    found: list[dict[str, Any]] = sizejson.recorded(SizeReport(rows))["images"]
    return found


def _tag_values(moves: MoveReport) -> Iterator[dict[str, Any]]:
    """Yield each tag that was to name the release, with what it names now."""
    left = tuple(one.move for one in moves.left)
    groups: tuple[tuple[str, Sequence[Move]], ...] = (
        *(("moved", moves.moved), ("unchanged", moves.unchanged)),
        *(("restored", moves.restored), ("deleted", moves.deleted), ("left", left)),
    )
    for status, group in groups:
        for move in group:
            yield {
                "reference": move.reference,
                "kind": move.kind,
                "digest": move.digest,
                "before": move.before or None,
                "status": status,
            }


def _head(pushed: Pushed) -> str:
    images = pushed.images
    services = list(dict.fromkeys(image.content.service for image in images))
    stages = dict.fromkeys(image.content.target or "(last stage)" for image in images)
    platforms = dict.fromkeys(platform for image in images for platform in image.platforms)
    who = services[0] if len(services) == 1 else f"{len(services)} services"
    parts = [who, ", ".join(stages), ", ".join(platforms)]
    registries = dict.fromkeys(i.content.repository.rpartition("/")[0] for i in images)
    goal = ", ".join(registries)
    return f"{' × '.join(part for part in parts if part)}  {pushed.version}  to {goal}"


def _rows(built: BuildReport, pushed: Pushed) -> list[str]:
    status = _statuses(built)
    mark = "✓" if pushed.done else "·"
    rows = [
        [
            mark,
            image.content.name,
            status.get((image.content.service, image.content.target), ""),
            image.content.digest[:_SHORT_DIGEST],
            " ".join(pushed.tags_of(image.content)) if pushed.done else "",
        ]
        for image in pushed.images
    ]
    return [f"  {line}" for line in aligned(rows, gap=2).splitlines()]


def _statuses(built: BuildReport) -> dict[tuple[str, str], str]:
    return {(target.service, target.target): target.status for target in built.targets}


def _sum(pushed: Pushed) -> str:
    moves = pushed.moves
    if moves is None or moves.failed:
        return f"no release · {pushed.seconds:.1f} s"
    count = len(moves.moved)
    tags = "1 tag" if count == 1 else f"{count} tags"
    images = "1 image" if len(pushed.images) == 1 else f"{len(pushed.images)} images"
    parts = [f"{tags} of {images} moved in {moves.window_s:.2f} s" if count else "no tag to move"]
    if moves.unchanged:
        parts.append(f"{len(moves.unchanged)} already there")
    if pushed.gates:
        passed = "1 gate" if len(pushed.gates) == 1 else f"{len(pushed.gates)} gates"
        parts.append(f"{passed} passed")
    if pushed.signed:
        parts.append(f"signed with {pushed.signed[0].key}")
    if pushed.release_file:
        parts.append(f"release file {pushed.release_file}")
    return " · ".join([*parts, f"{pushed.seconds:.1f} s"])


def _unmoved(pushed: Pushed) -> Iterator[str]:
    """Yield what a push says that ended before its tags."""
    if pushed.done:
        count = len(pushed.staged)
        images = "1 image" if count == 1 else f"{count} images"
        what = f"{pushed.plan.part} of {images}"
        yield f"{what} in the registry, without a tag · {pushed.seconds:.1f} s"
        yield "when every part is there: invoke push --join"
        return
    count = len(pushed.staged)
    others = "" if pushed.refusal else " for the others"
    waits = f"{count} of {len(pushed.plan.images)} wait in the registry{others}"
    if pushed.refusal:
        yield f"✗ {pushed.refusal}"
    yield f"no release tag was changed · {waits if count else 'nothing was sent'}"


def _failure(moves: MoveReport) -> Iterator[str]:
    """Yield why no tag names the release, and what each one names instead."""
    first, *rest = (moves.failure or "interrupted").splitlines()
    yield f"✗ while tags were moved: {first}"
    yield from rest
    rows = [
        *(["restored", move.reference, move.before[:_SHORT_DIGEST]] for move in moves.restored),
        *(["removed", move.reference, "it was new"] for move in moves.deleted),
        *(["left", one.move.reference, f"{one.move.cause}; {one.why}"] for one in moves.left),
    ]
    yield from (f"  {line}" for line in aligned(rows, gap=2).splitlines())
    if moves.left:
        yield "  next  remove what is left by hand, or push again: the same images are no conflict"


def _notes(pushed: Pushed) -> Iterator[str]:
    count = len(pushed.staging_left)
    if count:
        tags = "1 staging tag stays" if count == 1 else f"{count} staging tags stay"
        why = next(iter(pushed.staging_left.values()))
        yield f"{tags}: {why} · invoke prune --registry   lists them"
