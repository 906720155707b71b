"""The page of sizes: a treemap by folder or by layer, trends of like images, nothing but text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hullwright.history import Record
from hullwright.report.sizefolders import by_type, largest, tree
from hullwright.report.sizes import recorded
from hullwright.report.sizespage import html
from hullwright.report.sizetrend import trend
from hullwright.sizes import BudgetResult, SizeReport, Subject
from hullwright.sizes.contents import Contents, Seen
from sizereports import AGAINST, CAUSE, DEEP, FIGURES, SUBJECT

IMAGE = DEEP.images[0]
UNREAD = replace(IMAGE, contents=None)
HOSTILE = "</svg><script>alert(1)</script>"


def record(number: int, data: dict[str, Any]) -> Record:
    at = datetime(2026, 11, number, 12, tzinfo=UTC)
    version = f"1.4.{number}"
    return Record(kind="sizes", project="shop", status="done", at=at, version=version, data=data)


def records(*unpacked: int | None, reference: str = "shop/api:1") -> list[Record]:
    """Return records of one image, the newest first."""
    row = recorded(DEEP)["images"][0]
    return [
        record(i, {"images": [{**row, "unpacked_bytes": value, "reference": reference}]})
        for i, value in reversed(list(enumerate(unpacked, 1)))
    ]


def page(report: SizeReport = DEEP, found: list[Record] | None = None) -> str:
    return html(report, found or [], title="sizes of shop")


def test_folders_are_drawn_where_files_are_known() -> None:
    shown = page()
    assert "shop/api:1.4.1 linux/amd64 by folder" in shown
    assert "<title>usr/lib/libcrypto.so.3\n45.0 MB\nlibrary\ndpkg libssl3 3.5.0-1\n" in shown
    assert "layer 1 of the base: ADD rootfs.tar /</title>" in shown
    assert "paler: from the base image" in shown


def test_layers_are_drawn_where_they_are_not() -> None:
    shown = page(SizeReport((UNREAD,)))
    assert "by layer, unpacked" in shown
    assert "<title>COPY models/\n31.2 MB\nlayer 3: COPY models/</title>" in shown
    assert "with --deep it is drawn by folder and file" in shown


def test_of_a_manifest_alone_the_compressed_layers_are_drawn() -> None:
    layers = tuple(replace(layer, unpacked_bytes=None) for layer in FIGURES.layers)
    figures = replace(FIGURES, unpacked_bytes=None, layers=layers)
    shown = page(SizeReport((replace(UNREAD, figures=figures),)))
    assert "by layer, compressed" in shown


def test_a_page_of_nothing_is_a_page() -> None:
    assert "<h1>sizes of shop</h1>" in page(SizeReport(()))


def test_a_comparison_stands_at_the_top() -> None:
    shown = page(AGAINST)
    assert CAUSE in shown
    assert "+31.4 MB" in shown


def test_many_images_are_tables_and_few_pictures() -> None:
    many = [replace(IMAGE, subject=Subject(f"shop/api:{n}")) for n in range(9)]
    shown = page(SizeReport(tuple(many)))
    assert shown.count('class="treemap"') == 4
    assert all(f"<td>shop/api:{n}</td>" in shown for n in range(9))


def test_no_name_is_markup() -> None:
    seen = (Seen(f"usr/{HOSTILE}", 9, 0),)
    hostile = replace(IMAGE, subject=Subject(HOSTILE), contents=Contents(seen))
    shown = page(SizeReport((hostile,)), records(1, 2, reference=HOSTILE))
    assert "<script" not in shown


def test_a_trend_follows_a_service_over_its_versions() -> None:
    drawn = trend(IMAGE, records(100, None, 300))
    assert drawn is not None
    assert [run.label for run in drawn.runs] == ["1.4.1", "1.4.2", "1.4.3"]
    assert drawn.lines[0].name == "unpacked"
    assert drawn.lines[0].values == (100.0, None, 300.0)
    assert "3 runs" in drawn.title


def test_figures_that_hide_each_other_are_one_line() -> None:
    assert IMAGE.figures.visible_bytes is not None
    drawn = trend(IMAGE, records(*[IMAGE.figures.visible_bytes] * 2))
    assert drawn is not None
    assert [line.name for line in drawn.lines] == ["unpacked and visible", "compressed"]


@pytest.mark.parametrize(
    ("subject", "is_drawn"),
    [
        (SUBJECT, True),
        (replace(SUBJECT, service="web"), False),
        (replace(SUBJECT, target="development"), False),
        (Subject("shop/api:1.4.1"), False),
    ],
)
def test_a_trend_is_of_like_images_only(subject: Subject, *, is_drawn: bool) -> None:
    drawn = trend(replace(IMAGE, subject=subject), records(1, 2))
    assert (drawn is not None) is is_drawn


@pytest.mark.parametrize(
    ("reference", "is_drawn"),
    [
        ("busybox:2", True),
        ("busybox@sha256:0", True),
        ("localhost:5000/busybox:1", False),
        ("busy:1", False),
    ],
)
def test_images_of_no_service_are_followed_by_their_repository(
    reference: str, *, is_drawn: bool
) -> None:
    found = records(1, 2, reference="busybox:1")
    for each in found:
        each.data["images"][0]["service"] = None
    drawn = trend(replace(IMAGE, subject=Subject(reference)), found)
    assert (drawn is not None) is is_drawn


def test_one_run_is_no_trend() -> None:
    assert trend(IMAGE, records(1)) is None


def test_records_of_another_shape_are_passed_over() -> None:
    assert trend(IMAGE, [record(1, {"error": "x"}), record(2, {"images": ["x"]})]) is None


def test_budgets_are_limits_of_a_trend() -> None:
    budgets = (
        BudgetResult("unpacked", 1, 200, 300, None, "ok"),
        BudgetResult("layers", 3, None, 20, None, "ok"),
    )
    drawn = trend(replace(IMAGE, budgets=budgets), records(100, 150))
    assert drawn is not None
    assert [(limit.name, limit.value) for limit in drawn.limits] == [
        ("unpacked soft", 200),
        ("unpacked hard", 300),
    ]


def test_a_run_over_its_budget_is_marked() -> None:
    found = records(100, 150)
    found[0].data["images"][0]["verdict"] = "fail"
    drawn = trend(IMAGE, found)
    assert drawn is not None
    assert [run.failed for run in drawn.runs] == [False, True]


def test_a_large_folder_is_opened_where_that_says_more() -> None:
    seen = [
        Seen("a/b/large", 60, 0),
        Seen("a/c", 20, 0),
        *(Seen(f"d/{n}", 1, 0) for n in range(20)),
    ]
    found = [(folder.path, folder.size_bytes) for folder in largest(tree(seen))]
    assert found == [("/a/b/large", 60), ("/a/c", 20), ("/d", 20)]


def test_types_add_up() -> None:
    seen = [Seen("a", 1, 0, type="data"), Seen("b", 5, 0, type="library"), Seen("c", 2, 0)]
    assert by_type(seen) == [("library", 5, 1), ("data", 3, 2)]
