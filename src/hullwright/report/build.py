"""What a build gave, as text, Markdown and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.images import size_text
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.build import BuildReport, Failure, TargetResult
    from hullwright.sizes import Figures

    # What became of the run, and the figures of its images by their digest; may lack some.
    Shown = tuple[BuildReport, Mapping[str, Sequence[Figures]]]

_SCHEMA: Final = 1
_MARKS: Final = {"built": "✓", "current": "✓", "failed": "✗", "skipped": "·"}
_SHORT_DIGEST: Final = len("sha256:") + 12


def text(shown: Shown) -> str:
    """Return the report for a person: a line for each image, what failed below it, the sum."""
    report, sizes = shown
    rows = [_row(target, sizes.get(target.digest, ())) for target in report.targets]
    lines = [_head(report), ""]
    table = aligned(rows, right=(3,), gap=2).splitlines()
    for target, line in zip(report.targets, table, strict=True):
        lines.append(f"  {line}")
        lines += [f"      {detail}" for detail in _details(target, sizes.get(target.digest, ()))]
    return "\n".join([*lines, "", _sum(report)])


def markdown(shown: Shown) -> str:
    """Return the report for a job summary or a pull request."""
    report, sizes = shown
    header = ("image", "status", "seconds", "cached steps", "compressed", "unpacked", "digest")
    rows = [_markdown_row(target, sizes.get(target.digest, ())) for target in report.targets]
    blocks = [f"### {_head(report)}", markdown_table(header, rows, right=(2, 3, 4, 5))]
    for target in report.targets:
        if target.failure:
            told = "\n".join(_failure_lines(target.failure))
            # A fence longer than any run of backticks in it, so that output cannot end it.
            fence = "`" * (max((len(run) for run in _backticks(told)), default=0) + 3)
            title = f"<summary>{_name(target)} failed: {_escaped(target.failure.step)}</summary>"
            blocks.append(f"<details open>{title}\n\n{fence}\n{told}\n{fence}\n\n</details>")
    return "\n\n".join([*blocks, _sum(report)])


def as_json(shown: Shown) -> dict[str, Any]:
    """Return the report as documented values; figures that are not known are null."""
    report, sizes = shown
    return {
        "schema": _SCHEMA,
        "seconds": round(report.seconds, 3),
        "targets": [_target(target, sizes.get(target.digest, ())) for target in report.targets],
    }


def _target(target: TargetResult, figures: Sequence[Figures]) -> dict[str, Any]:
    return {
        "service": target.service,
        "target": target.target,
        "platforms": list(target.platforms),
        "reference": target.reference,
        "digest": target.digest or None,
        "status": target.status,
        "seconds": round(target.seconds, 3),
        "steps": target.steps,
        "cached_steps": target.cached_steps,
        "reason": target.reason or None,
        "version": target.version,
        "revision": target.revision or None,
        "sizes": [
            {
                "platform": row.platform,
                "compressed_bytes": row.compressed_bytes,
                "unpacked_bytes": row.unpacked_bytes,
            }
            for row in figures
        ],
        "failure": _failure(target.failure) if target.failure else None,
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "step": failure.step,
        "platform": failure.platform or None,
        "error": failure.error,
        "output": list(failure.output),
        "causes": [{"summary": cause.summary, "next": cause.next_step} for cause in failure.causes],
    }


def _head(report: BuildReport) -> str:
    versions = dict.fromkeys(target.version for target in report.targets)
    stages = dict.fromkeys(target.target or "(last stage)" for target in report.targets)
    platforms = dict.fromkeys(p for target in report.targets for p in target.platforms)
    services = list(dict.fromkeys(target.service for target in report.targets))
    who = services[0] if len(services) == 1 else f"{len(services)} services"
    parts = [who, ", ".join(stages), ", ".join(platforms)]
    version = next(iter(versions)) if len(versions) == 1 else f"{len(versions)} versions"
    return f"{' × '.join(part for part in parts if part)}  {version}"


def _row(target: TargetResult, figures: Sequence[Figures]) -> list[str]:
    row = [_MARKS[target.status], _name(target), target.status]
    row.append(f"{target.seconds:.1f} s" if target.status != "skipped" else "")
    if target.failure:
        platform = f"   ({target.failure.platform})" if target.failure.platform else ""
        return [*row, f"{_line(target.failure.step)}{platform}"]
    if target.status == "skipped":
        return [*row, target.reason]
    cached = f"{target.cached_steps} of {target.steps} steps cached"
    row.append(cached if target.steps else "no steps")
    return [*row, *(_sizes(figures[0]) if len(figures) == 1 else ())]


def _details(target: TargetResult, figures: Sequence[Figures]) -> list[str]:
    lines = []
    if target.digest:
        lines.append(f"{target.reference}   {target.digest[:_SHORT_DIGEST]}")
    elif target.status == "built":
        lines.append(target.reason)
    if len(figures) > 1:
        lines += aligned([[row.platform, *_sizes(row)] for row in figures]).splitlines()
    return [*lines, *(_failure_lines(target.failure) if target.failure else ())]


def _sizes(row: Figures) -> tuple[str, str]:
    return f"{_bytes(row.unpacked_bytes)} unpacked", f"{_bytes(row.compressed_bytes)} compressed"


def _bytes(count: int | None) -> str:
    return "unknown" if count is None else size_text(count)


def _failure_lines(failure: Failure) -> list[str]:
    lines = []
    for cause in failure.causes:
        lines += [f"cause  {cause.summary}", f"next   {cause.next_step}"]
    # The step's own words say more than the instruction, where there are any.
    told = list(failure.output) or list(failure.excerpt)
    told += [] if failure.error in told else [failure.error]
    return [*lines, *(f"  {line}".rstrip() for line in told)]


def _sum(report: BuildReport) -> str:
    done = sum(target.status in {"built", "current"} for target in report.targets)
    parts = [f"{done} of {len(report.targets)} in {report.seconds:.1f} s"]
    if report.longest:
        parts.append(f"longest step: {_line(report.longest)}")
    undone = [target for target in report.targets if target.status in {"failed", "skipped"}]
    if undone:
        services = ",".join(dict.fromkeys(target.service for target in undone))
        stage = f" --target {undone[0].target}" if undone[0].target else ""
        parts.append(f"again with: invoke build --service {services}{stage}")
    return " · ".join(parts)


def _markdown_row(target: TargetResult, figures: Sequence[Figures]) -> list[str]:
    def each(values: list[int | None]) -> str:
        return "<br>".join(_bytes(value) for value in values)

    return [
        f"`{target.reference}`",
        f"{_MARKS[target.status]} {target.status}",
        f"{target.seconds:.1f}",
        f"{target.cached_steps} of {target.steps}",
        each([row.compressed_bytes for row in figures]),
        each([row.unpacked_bytes for row in figures]),
        f"`{target.digest[:_SHORT_DIGEST]}`" if target.digest else "",
    ]


def _name(target: TargetResult) -> str:
    return f"{target.service} {target.target}".strip()


def _line(value: str) -> str:
    words = " ".join(value.split())
    return words if len(words) <= 110 else f"{words[:109]}…"


def _backticks(value: str) -> list[str]:
    return "".join(c if c == "`" else " " for c in value).split()


def _escaped(value: str) -> str:
    return _line(value).replace("&", "&amp;").replace("<", "&lt;")
