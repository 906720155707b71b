"""The dashboard's page: what it shows, and that nothing of a record is ever markup."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from typing import Any

import pytest

from hullwright.dashboard import page
from recording import record

_HOSTILE = "<script>alert('x')</script>\"&"
_VOID = {"meta", "link", "br"}


class _Reader(HTMLParser):
    """Reads a page as a browser would: its elements, and the texts of its cells."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: set[str] = set()
        self.rows: list[list[str]] = []
        self.feed(content)
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def _rows(content: str) -> list[list[str]]:
    return _Reader(content).rows


def _target(**fields: object) -> dict[str, Any]:
    return {"service": "api", "target": "production", "status": "built"} | fields


def test_a_build_shows_its_images_and_cached_steps() -> None:
    one = record(
        version="1.4.1",
        revision="1a2b3c4d5e6f",
        duration_s=14.93,
        data={
            "targets": [_target(steps=14, cached_steps=9), _target(service="web", status="current")]
        },
    )
    assert _rows(page.render({"build": [one]}, []))[1] == [
        "2026-11-21 12:00",
        "✓ done",
        "shipyard",
        "1.4.1",
        "1a2b3c4d5e",
        "api production · built · 9 of 14 steps cachedweb production · current",
        "14.9 s",
    ]


def test_a_cold_start_shows_when_each_service_was_healthy() -> None:
    services = [
        {"service": "web", "status": "unhealthy", "healthy_s": None},
        {"service": "db", "status": "healthy", "healthy_s": 1.62, "ended_s": None},
        {"service": "migrate", "status": "ended", "ended_s": 2.48, "exit_code": 0},
    ]
    runs = [{"total_s": 3.021, "services": services}]
    one = record("cold-start", status="failed", duration_s=9, data={"runs": runs})
    shown = _rows(page.render({"cold-start": [one]}, []))[1]
    assert shown[1] == "✗ failed"
    assert shown[5:] == [
        "db · healthy at 1.62 smigrate · ended 0 at 2.48 sweb · unhealthy",
        "3.02 s",
    ]


def test_sizes_have_a_line_for_each_image() -> None:
    images = [
        {
            "reference": "shipyard:1.4.1",
            "platform": "linux/amd64",
            "compressed_bytes": 52_100_000,
            "unpacked_bytes": 148_000_000,
        },
        {"service": "api", "target": "production", "compressed_bytes": None},
    ]
    shown = _rows(page.render({"sizes": [record("sizes", data={"images": images})]}, []))
    assert shown[1][5:] == ["shipyard:1.4.1", "linux/amd64", "52.1 MB", "148.0 MB"]
    assert shown[2] == ["", "", "", "", "", "api production", "–", "–", "–"]


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        ("1.4.1", "1.4.1"),
        ("1.4.1-0.dev.12+g1a2b3c4", "1.4.1-0.dev.12"),
        ("1.4.1-0.dev.12+g1a2b3c4.dirty.b9115db7", "1.4.1-0.dev.12 dirty"),
        ("", "–"),
    ],
)
def test_a_version_is_short_and_whole_on_request(version: str, shown: str) -> None:
    content = page.render({"build": [record(version=version)]}, [])
    assert _rows(content)[1][3] == shown
    assert not version or f'title="{version}"' in content


def test_other_runs_are_named() -> None:
    shown = _rows(page.render({}, [record("up", duration_s=4.4), record("down", minute=1)]))
    assert [row[5] for row in shown[1:]] == ["up", "down"]


def test_an_empty_history_says_what_fills_it() -> None:
    content = page.render({}, [])
    for kind in page.SECTIONS:
        assert f"<code>invoke {kind}</code>" in content
    assert "Other runs" not in content
    assert _rows(content) == []


@pytest.mark.parametrize("kind", ["build", "cold-start", "sizes", "up"])
def test_nothing_of_a_record_is_markup(kind: str) -> None:
    item = dict.fromkeys(("service", "target", "status", "reference", "platform"), _HOSTILE)
    one = record(
        kind,
        project=_HOSTILE,
        status=_HOSTILE,
        version=_HOSTILE,
        revision=_HOSTILE,
        data={"targets": [item], "images": [item], "runs": [{"services": [item]}]},
    )
    sections, others = ({}, [one]) if kind == "up" else ({kind: [one]}, [])
    content = page.render(sections, others, project=_HOSTILE, version=_HOSTILE)
    assert "script" not in _Reader(content).elements
    shown = _rows(content)[1]
    assert shown[1:5] == [f"✗ {_HOSTILE}", _HOSTILE, _HOSTILE, _HOSTILE[:10]]
    assert _HOSTILE not in content


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"targets": None, "images": 7, "runs": "many"},
        {"targets": [None, 3, []], "images": [[]], "runs": [{"services": {}}, {}]},
        {
            "targets": [{"service": 1, "steps": "x", "cached_steps": True}],
            "runs": [{"total_s": "1"}],
        },
        {"images": [{"unpacked_bytes": -1, "compressed_bytes": "5"}]},
    ],
)
@pytest.mark.parametrize("kind", ["build", "cold-start", "sizes"])
def test_data_of_another_shape_is_shown_without_details(kind: str, data: dict[str, Any]) -> None:
    assert len(_rows(page.render({kind: [record(kind, data=data)]}, []))) == 2


def test_a_long_list_is_cut_and_counted() -> None:
    targets = [_target(service=f"service-{number}") for number in range(30)]
    content = page.render({"build": [record(data={"targets": targets})]}, [])
    assert "service-11 " in content
    assert "service-12 " not in content
    assert "and 18 more" in content


def test_one_project_is_named_and_links_back() -> None:
    content = page.render({}, [], project="shipyard")
    assert 'Latest runs of shipyard, times in UTC · <a href="/">' in content


def test_the_page_needs_nothing_from_elsewhere() -> None:
    content = page.render({"build": [record()]}, [], version="1.4.1")
    assert not _Reader(content).elements & {"script", "link", "img", "iframe", "form"}
    assert "url(" not in content
    style = content.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" == page.STYLE_SOURCE


def test_a_database_that_does_not_answer_is_told_on_the_page() -> None:
    content = page.unavailable("the database <b> cannot be used")
    assert "the database &lt;b&gt; cannot be used" in content
