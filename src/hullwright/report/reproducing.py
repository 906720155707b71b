"""Whether images came out the same twice, in three forms; paths and keys, never content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullwright.reproducing import (
        Cause,
        FileDifference,
        ImageResult,
        LayerDifference,
        PlatformResult,
        Verification,
    )

_SCHEMA: Final = 1
_SHOWN_FILES: Final = 8
_WORDS: Final = {"first": "only in the first", "second": "only in the second"}


def text(checked: Verification) -> str:
    """Return what differs of each image with what helps, then the verdict."""
    blocks = [
        "\n".join(_block(image, platform))
        for image in checked.images
        for platform in image.platforms
        if not platform.same
    ]
    same = [
        [f"✓ {_name(image)}", platform.platform, platform.digests[0]]
        for image in checked.images
        for platform in image.platforms
        if platform.same
    ]
    return "\n\n".join([*blocks, *([aligned(same, gap=2)] if same else []), verdict(checked)])


def markdown(checked: Verification) -> str:
    """Return the same for a pull request or a job summary."""
    rows = [
        [
            f"{'✓' if platform.same else '✗'} {_name(image)}",
            platform.platform,
            f"`{platform.digests[0]}`" if platform.same else _cell(platform),
        ]
        for image in checked.images
        for platform in image.platforms
    ]
    table = markdown_table(("image", "platform", "both builds"), rows)
    return "\n\n".join(["### Reproducibility", verdict(checked), table])


def as_json(checked: Verification) -> dict[str, Any]:
    """Return the same for machines."""
    return {
        "schema": _SCHEMA,
        "held": checked.held,
        "builders": list(checked.builders),
        "seconds": round(checked.seconds, 3),
        "images": [
            {
                "service": image.service,
                "target": image.target,
                "same": image.same,
                "platforms": [_platform(platform) for platform in image.platforms],
            }
            for image in checked.images
        ],
    }


def verdict(checked: Verification) -> str:
    """Return the outcome in one line."""
    count = len(checked.images)
    same = sum(image.same for image in checked.images)
    of = f"{same} of {count} image{'' if count == 1 else 's'} came out the same"
    first, second = checked.builders
    by = f"by {first}" if first == second else f"by {first} and by {second}"
    return f"{of} · built twice without cache {by} in {checked.seconds:.1f} s"


def _block(image: ImageResult, platform: PlatformResult) -> Iterator[str]:
    first, second = platform.digests
    head = f"✗ {_name(image)} {platform.platform} does not come out the same"
    layer = platform.layer
    if not first or not second:
        yield f"{head}: only the {'second' if second else 'first'} build has this platform"
        return
    where = f"layer {layer.number} of {layer.count}" if layer else "its configuration"
    yield f"{head}: {where}"
    if layer:
        yield from _layer(layer)
    else:
        yield _line("differ", ", ".join(platform.settings))
        yield from _causes({platform.cause: []})
    yield _line("first", first)
    yield _line("second", second)


def _layer(layer: LayerDifference) -> Iterator[str]:
    if layer.step:
        yield _line("step", f"{_short(layer.step)}{f'   {layer.place}' if layer.place else ''}")
    shown = layer.files[:_SHOWN_FILES]
    rows = [[f"/{file.path}", _kinds(file), file.told] for file in shown]
    for number, line in enumerate(aligned(rows, gap=2).splitlines()):
        yield _line("" if number else "files", line)
    rest = layer.file_count - len(shown)
    if rest:
        yield _line("", f"and {rest} more")
    by_cause: dict[Cause | None, list[str]] = {layer.cause: []}
    for file in layer.files:
        by_cause.setdefault(file.cause, []).append(f"/{file.path}")
    yield from _causes(by_cause)
    if layer.further:
        yield _line("above", f"{_layers(layer.further)} above it differ, too")


def _causes(causes: Mapping[Cause | None, Sequence[str]]) -> Iterator[str]:
    """Yield each cause with the first of the files that it is of, and what helps."""
    for cause, paths in causes.items():
        if cause is not None:
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            yield _line("cause", f"{paths[0]}{more}: {cause.summary}" if paths else cause.summary)
            yield _line("try", cause.help)


def _line(name: str, told: str) -> str:
    return f"  {name:<7} {told}"


def _short(step: str, longest: int = 100) -> str:
    return step if len(step) <= longest else f"{step[: longest - 1]}…"


def _kinds(file: FileDifference) -> str:
    return ", ".join(_WORDS.get(kind, kind) for kind in file.kinds)


def _layers(count: int) -> str:
    return "1 layer" if count == 1 else f"{count} layers"


def _name(image: ImageResult) -> str:
    return f"{image.service} {image.target}".strip()


def _cell(platform: PlatformResult) -> str:
    layer = platform.layer
    if not all(platform.digests):
        return "one build has no such platform"
    if layer is None:
        return f"configuration: {', '.join(f'`{key}`' for key in platform.settings)}"
    files = ", ".join(f"`/{file.path}`" for file in layer.files[:_SHOWN_FILES]) or "no file"
    told = [layer.cause, *(file.cause for file in layer.files)]
    why = "; ".join(dict.fromkeys(cause.summary for cause in told if cause))
    step = f" `{_short(layer.step).replace('`', '')}`" if layer.step else ""
    return f"layer {layer.number} of {layer.count}{step}: {files}{f' ({why})' if why else ''}"


def _platform(platform: PlatformResult) -> dict[str, Any]:
    return {
        "platform": platform.platform,
        "same": platform.same,
        "digests": [digest or None for digest in platform.digests],
        "settings": list(platform.settings),
        "layer": _layer_json(platform.layer) if platform.layer else None,
    }


def _layer_json(layer: LayerDifference) -> dict[str, Any]:
    return {
        "number": layer.number,
        "layers": layer.count,
        "step": layer.step,
        "place": layer.place or None,
        "file_count": layer.file_count,
        "further": layer.further,
        "cause": _cause(layer.cause),
        "files": [
            {"path": f"/{file.path}", "differs": list(file.kinds), "cause": _cause(file.cause)}
            for file in layer.files
        ],
    }


def _cause(cause: Cause | None) -> dict[str, str] | None:
    return {"summary": cause.summary, "help": cause.help} if cause else None
