"""What a build gave, as text, Markdown and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hullwright.images import size_text
from hullwright.report.table import aligned, bytes_text
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullwright.build import BuildPlan, BuildReport, Failure, TargetResult
    from hullwright.sizes import Figures

    # What became of the run, and the figures of its images by their digest; may lack some.
    Shown = tuple[BuildReport, Mapping[str, Sequence[Figures]]]

_SCHEMA: Final = 1
_AGAIN: Final = "invoke build --failed"
_MARKS: Final = {"built": "✓", "current": "✓", "joined": "✓", "failed": "✗", "skipped": "·"}
_SHORT_DIGEST: Final = len("sha256:") + 12


def text(shown: Shown, *, again: str = _AGAIN) -> str:
    """Return the report for a person: a line for each image, what failed below it, the sum.

    `again` is the command that builds what failed.
    """
    report, sizes = shown
    if not report.targets:
        return _sum(report, again)
    heads = aligned([_row(target) for target in report.targets], right=(3,), gap=2).splitlines()
    width = max(map(len, heads))
    tails = aligned([_tail(target, sizes) for target in report.targets], gap=2).split("\n")
    lines = [_head(report), ""]
    for target, head, tail in zip(report.targets, heads, tails, strict=True):
        # What is longer than figures stands apart from their columns.
        told = tail or _reason(target)
        lines.append(f"  {head.ljust(width)}  {told}".rstrip())
        lines += [f"      {line}" for line in _details(target, report, sizes)]
    notes = [*_emulated(report), *_kept(report)]
    return "\n".join([*lines, *(["", *notes] if notes else []), "", _sum(report, again)])


@dataclass(frozen=True)
class Again:
    """The forms of a build that is repeated by another command than `build --failed`."""

    command: str

    def text(self, shown: Shown) -> str:
        return text(shown, again=self.command)

    def markdown(self, shown: Shown) -> str:
        return markdown(shown, again=self.command)

    def as_json(self, shown: Shown) -> dict[str, Any]:
        return as_json(shown)


def why(plan: BuildPlan) -> str:
    """Return for each image what is done, why, and what differs from its last build."""
    lines: list[str] = []
    needed = {True: "", False: "   (another one needs it)"}
    rows = [
        (f"{t.service} {t.target}".strip(), t.decision.action, t.decision.reason + needed[t.asked])
        for t in plan.targets
    ]
    for planned, line in zip(plan.targets, aligned(rows, gap=2).split("\n"), strict=True):
        decision = planned.decision
        lines.append(line)
        lines += [f"    {change}" for change in decision.changes if change != decision.reason]
    return "\n".join(lines)


def markdown(shown: Shown, *, again: str = _AGAIN) -> str:
    """Return the report for a job summary or a pull request."""
    report, sizes = shown
    if not report.targets:
        return _sum(report, again)
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
    emulated = "\n".join(f"- {_escaped(line)}" for line in _emulated(report))
    return "\n\n".join([*blocks, *([emulated] if emulated else []), _sum(report, again)])


def annotated(report: BuildReport) -> Iterator[tuple[str, str, str]]:
    """Yield a line for each image that failed, with the file and line that it is about.

    These are empty where they are not known.
    """
    for target in report.targets:
        if target.failure:
            failure = target.failure
            file, _, line = failure.place.rpartition(":")
            why = failure.causes[0].summary if failure.causes else failure.error
            yield f"{_name(target)} failed: {_line(failure.step)}: {_line(why)}", file, line


def as_json(shown: Shown) -> dict[str, Any]:
    """Return the report as documented values; figures that are not known are null."""
    report, sizes = shown
    return {
        "schema": _SCHEMA,
        "seconds": round(report.seconds, 3),
        "runs": report.runs,
        "interrupted": report.interrupted,
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
        "fingerprint": target.fingerprint or None,
        "changes": list(target.changes),
        "emulated": [
            {"step": step.step, "platform": step.platform, "seconds": round(step.seconds, 3)}
            for step in target.emulated
        ],
        "sizes": [
            {
                "platform": row.platform,
                "compressed_bytes": row.compressed_bytes,
                "unpacked_bytes": row.unpacked_bytes,
            }
            for row in figures
        ],
        "nodes": list(target.nodes),
        "parts": [{"platform": platform, "digest": digest} for platform, digest in target.parts],
        "failure": _failure(target.failure) if target.failure else None,
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "step": failure.step,
        "platform": failure.platform or None,
        "place": failure.place or None,
        "error": failure.error,
        "output": list(failure.output),
        "causes": [{"summary": cause.summary, "next": cause.next_step} for cause in failure.causes],
    }


def _head(report: BuildReport) -> str:
    # What is current may have earlier versions; what was built has the one of this run.
    built = [target for target in report.targets if target.status != "current"]
    versions = dict.fromkeys(target.version for target in built or report.targets)
    stages = dict.fromkeys(target.target or "(last stage)" for target in report.targets)
    platforms = dict.fromkeys(p for target in report.targets for p in target.platforms)
    services = list(dict.fromkeys(target.service for target in report.targets))
    who = services[0] if len(services) == 1 else f"{len(services)} services"
    parts = [who, ", ".join(stages), ", ".join(platforms)]
    version = next(iter(versions)) if len(versions) == 1 else f"{len(versions)} versions"
    return f"{' × '.join(part for part in parts if part)}  {version}"


def _row(target: TargetResult) -> list[str]:
    tried = target.status in {"built", "failed"}
    seconds = f"{target.seconds:.1f} s" if tried else ""
    return [_MARKS[target.status], _name(target), target.status, seconds]


def _tail(target: TargetResult, sizes: Mapping[str, Sequence[Figures]]) -> list[str]:
    """Return the figures of an image that was built."""
    if target.status != "built":
        return [""]
    cached = f"{target.cached_steps} of {target.steps} steps cached"
    figures = sizes.get(target.digest, ())
    told = [cached if target.steps else "no steps"]
    return [*told, *_sizes(figures[0], target, sizes)] if len(figures) == 1 else told


def _reason(target: TargetResult) -> str:
    """Return why an image was not built: where it failed, or why it did not have to be."""
    if target.failure is None:
        return target.reason
    platform = f"   ({target.failure.platform})" if target.failure.platform else ""
    return f"{_line(target.failure.step)}{platform}"


def _details(
    target: TargetResult, report: BuildReport, sizes: Mapping[str, Sequence[Figures]]
) -> list[str]:
    lines = []
    figures = sizes.get(target.digest, ())
    # Of many that are current only the reason is of interest.
    if target.digest and (target.status == "built" or len(report.targets) == 1):
        lines.append(f"{target.reference}   {target.digest[:_SHORT_DIGEST]}{_on(target)}")
    elif target.status == "built":
        lines.append(f"{target.reference if target.parts else target.reason}{_on(target)}")
        lines += [f"{platform}   {digest[:_SHORT_DIGEST]}" for platform, digest in target.parts]
    if len(figures) > 1 and target.status == "built":
        rows = [[row.platform, *_sizes(row, target, sizes)] for row in figures]
        lines += aligned(rows).splitlines()
    return [*lines, *(_failure_lines(target.failure) if target.failure else ())]


def _on(target: TargetResult) -> str:
    return f"   on {', '.join(target.nodes)}" if target.nodes else ""


def _kept(report: BuildReport) -> list[str]:
    """Return where images are that a builder elsewhere made, for nothing here can start them."""
    made = (t for t in report.targets if t.status == "built" and t.nodes)
    said = dict.fromkeys(target.reason for target in made if target.digest or target.parts)
    return [reason for reason in said if reason]


def _emulated(report: BuildReport) -> list[str]:
    """Return the steps that ran foreign code, for emulation is what makes such builds slow."""
    return [
        f"emulated  {_name(target)}  {_line(step.step)}  {step.platform}  {step.seconds:.1f} s"
        for target in report.targets
        for step in target.emulated
    ]


def _sizes(
    row: Figures, target: TargetResult, sizes: Mapping[str, Sequence[Figures]]
) -> tuple[str, ...]:
    told = (
        f"{bytes_text(row.unpacked_bytes)} unpacked",
        f"{bytes_text(row.compressed_bytes)} compressed",
    )
    before = [each for each in sizes.get(target.before, ()) if each.platform == row.platform]
    if not before or row.unpacked_bytes is None or before[0].unpacked_bytes is None:
        return told
    grown = row.unpacked_bytes - before[0].unpacked_bytes
    return (*told, f"{'+' if grown > 0 else ''}{size_text(grown)}" if grown else "±0")


def _failure_lines(failure: Failure) -> list[str]:
    lines = [f"at     {failure.place}"] if failure.place else []
    for cause in failure.causes:
        lines += [f"cause  {cause.summary}", f"next   {cause.next_step}"]
    # The step's own words say more than the instruction, where there are any.
    told = list(failure.output) or list(failure.excerpt)
    told += [] if failure.error in told else [failure.error]
    return [*lines, *(f"  {line}".rstrip() for line in told)]


def _sum(report: BuildReport, again: str) -> str:
    if not report.targets:
        return f"✓ nothing to build: {report.nothing}"
    count = len(report.targets)
    statuses = [target.status for target in report.targets]
    if statuses.count("current") == count:
        which = "it is" if count == 1 else f"all {count} are"
        return f"{which} current: nothing was built"
    done = sum(status in {"built", "current"} for status in statuses)
    parts = [f"{done} of {count} in {report.seconds:.1f} s"]
    if report.interrupted:
        parts.insert(0, "interrupted")
    if report.longest:
        parts.append(f"longest step: {_line(report.longest)}")
    if report.failed:
        parts.append(f"again with: {again}")
    return " · ".join(parts)


def _markdown_row(target: TargetResult, figures: Sequence[Figures]) -> list[str]:
    def each(values: list[int | None]) -> str:
        return "<br>".join(bytes_text(value) for value in values)

    tried = target.status in {"built", "failed"}
    why = f": {_escaped(target.reason)}" if target.reason and not tried else ""
    return [
        f"`{target.reference}`",
        f"{_MARKS[target.status]} {target.status}{why}",
        f"{target.seconds:.1f}" if tried else "",
        f"{target.cached_steps} of {target.steps}" if tried else "",
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
