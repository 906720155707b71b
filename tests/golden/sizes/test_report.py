"""The report of sizes in its three forms."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

from goldens import goldens
from hullwright.report import sizes as report
from hullwright.report import sizewords as words
from hullwright.sizes import BudgetResult, Figures, ImageSizes, LayerSize, SizeReport, Subject
from sizereports import AGAINST, CAUSE, DEEP

HERE: Final = Path(__file__).parent
MB: Final = 1_000_000
UNKNOWN: Final = "unknown until pushed"


def layer(number: int, compressed: int | None, unpacked: int, step: str) -> LayerSize:
    return LayerSize(f"sha256:{number:064}", f"sha256:{number:064x}", compressed, unpacked, step)


API: Final = Subject("shop/api:1.4.1", "api", "production", f"sha256:{'a' * 64}")
LAYERS: Final = (
    layer(1, 28 * MB, 78 * MB, "ADD rootfs.tar / # buildkit"),
    layer(2, 40 * MB, 140 * MB, "RUN pip install | tee `log` # buildkit"),
)
REPORT: Final = SizeReport(
    (
        ImageSizes(
            API,
            Figures("linux/amd64", f"sha256:{'b' * 64}", 68 * MB, 218 * MB, LAYERS),
            (
                BudgetResult(
                    "unpacked", 218 * MB, 150 * MB, 200 * MB, 5 * MB, "fail", "no reference"
                ),
                BudgetResult("layers", 2, 1, 3, None, "warn"),
                BudgetResult("compressed", 68 * MB, 70 * MB, None, None, "ok"),
            ),
        ),
        ImageSizes(
            API,
            Figures(
                "linux/arm64",
                f"sha256:{'c' * 64}",
                None,
                3 * MB,
                LAYERS[:1],
                "unknown until pushed",
            ),
            (
                BudgetResult(
                    "compressed", None, 70 * MB, None, None, "unknown", "unknown until pushed"
                ),
            ),
        ),
        ImageSizes(
            Subject("busybox:1"), Figures("linux/amd64", f"sha256:{'d' * 64}", 900, 2000, ())
        ),
    ),
    missing=("shop/web:1.4.0",),
)

held = goldens(HERE)


def test_a_person_sees_what_is_over_its_budget_first() -> None:
    held("report.txt", report.text(REPORT))


def test_a_pull_request_gets_one_table_and_folded_layers() -> None:
    held("report.md", report.markdown(REPORT))


def test_a_machine_gets_every_field_of_the_schema() -> None:
    held("report.json", json.dumps(report.as_json(REPORT), indent=2))


def test_a_deep_look_says_what_to_do_and_where_the_bytes_lie() -> None:
    held("deep.txt", report.text(DEEP))


def test_a_deep_look_is_values_too() -> None:
    held("deep.json", json.dumps(report.as_json(DEEP), indent=2))


def test_a_deep_look_of_a_pull_request_folds_its_advice() -> None:
    held("deep.md", report.markdown(DEEP))


def test_a_comparison_begins_with_its_cause() -> None:
    held("against.txt", report.text(AGAINST))


def test_a_pull_request_gets_what_grew_most_first() -> None:
    held("against.md", report.markdown(AGAINST))


def test_a_comparison_is_values_too() -> None:
    held("against.json", json.dumps(report.as_json(AGAINST), indent=2))


def test_the_history_keeps_causes_and_no_files() -> None:
    kept = report.recorded(AGAINST)
    assert "files_count" not in json.dumps(kept)
    assert len(kept["images"][1]["compared"]["files"]) == 5
    assert kept["images"][1]["compared"]["cause"] == CAUSE
    assert report.recorded(DEEP)["images"][0].keys() == report.as_json(REPORT)["images"][0].keys()


def test_one_reason_of_many_images_is_told_once() -> None:
    unread = replace(REPORT.images[2], figures=replace(REPORT.images[2].figures, problem="unread"))
    shown = report.text(SizeReport(tuple(map(named, [unread] * 5, range(5)))))
    assert shown.splitlines()[-1] == "5 images: unread"


def named(image: ImageSizes, number: int) -> ImageSizes:
    return replace(image, subject=Subject(f"busybox:{number}"))


def test_a_long_path_keeps_its_beginning_and_its_end() -> None:
    shown = words.path("/opt/app/lib/python3.13/site-packages/" + "x" * 80 + "/_engine.so")
    assert len(shown) == 72
    assert shown.startswith("/opt/app/lib/python3…x")
    assert shown.endswith("x/_engine.so")
    assert words.path("/usr/bin/tool") == "/usr/bin/tool"


def test_a_digest_is_cut_for_people_and_whole_for_machines() -> None:
    reference = f"registry.example.com/api@sha256:{'1a' * 32}"
    found = SizeReport((replace(REPORT.images[2], subject=Subject(reference)),))
    assert "registry.example.com/api@sha256:1a1a1a1a1a1a…  " in report.text(found)
    assert report.as_json(found)["images"][0]["reference"] == reference


def test_many_rows_are_folded_in_a_pull_request() -> None:
    shown = report.markdown(SizeReport(tuple(map(named, [REPORT.images[2]] * 14, range(14)))))
    assert "<details><summary>2 more</summary>" in shown
    assert shown.count("| `busybox:") == 14


def test_nothing_to_show_is_still_a_table() -> None:
    assert report.text(SizeReport(())) == "      compressed   unpacked   layers"
