"""The timeline of a real bake: one target built on another, two platforms, one that fails."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from goldens import goldens
from hullwright.build.progress import Progress
from hullwright.build.timeline import RecordedRun, Timeline, timeline
from hullwright.report.table import aligned
from hullwright.report.timeline import html

if TYPE_CHECKING:
    from hullwright.build.timeline import TimelineStep

HERE: Final = Path(__file__).parent
TARGETS: Final = ("api", "web", "check")

held = goldens(HERE, end="")


@pytest.fixture(scope="module")
def recorded() -> Timeline:
    progress = Progress(TARGETS)
    for line in (HERE / "siblings.jsonl").read_text(encoding="utf-8").splitlines():
        progress.feed(line)
    return timeline([RecordedRun(TARGETS, progress.vertexes)])


def row(step: TimelineStep) -> tuple[str, ...]:
    waited = f"waited {step.waited_s:.3f}" if step.waited_s else ""
    mark = "*" if step.critical else ""
    return (f"{step.start_s:.3f}", f"{step.end_s:.3f}", mark, step.kind, step.name, waited)


def test_the_lanes_of_a_recorded_bake(recorded: Timeline) -> None:
    lines = []
    for lane in recorded.lanes:
        lines += [lane.name, *(f"  {x}" for x in aligned([*map(row, lane.steps)]).splitlines())]
    held("siblings.txt", "\n".join([*lines, f"total {recorded.total_s:.3f} s", ""]))


def test_the_critical_path_goes_from_the_first_file_read_to_the_last_export(
    recorded: Timeline,
) -> None:
    names = [step.name for step in recorded.critical_path]
    assert names[0] == "load local bake definitions"
    assert names[-4:] == [
        "RUN sleep 0.3; echo more >> /out.txt",
        "COPY --from=builder /out.txt /out.txt",
        "COPY --from=tools /tools /tools",
        "exporting to image",
    ]
    # The other stage was done long before: `COPY --from=tools` did not wait for it.
    assert "RUN sleep 0.4; echo tools > /tools" not in names
    assert recorded.critical_path[-1].end_s == recorded.total_s


class Elements(HTMLParser):
    """Collects what a page consists of, and holds that all that is opened is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_is_well_formed_and_asks_nobody_for_anything(recorded: Timeline) -> None:
    page = Elements()
    page.feed(html(recorded, title="build of shop 1.2.3"))
    assert page.open == []
    tags = {tag for tag, _ in page.seen}
    assert not tags & {"script", "link", "img", "iframe", "object", "foreignobject"}
    for _, attributes in page.seen:
        assert not {"src", "href", "xlink:href", "onclick", "onload"} & set(attributes)
    pictures = [attributes for tag, attributes in page.seen if attributes.get("role") == "img"]
    assert len(pictures) == 5
    assert all(attributes["aria-label"] for attributes in pictures)
