"""What a push compares staged images with, and what it makes of finding nothing."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import pytest

from hullwright import sizes
from hullwright.config.models import Budget, Config, Service
from hullwright.console import Console
from hullwright.errors import HullwrightError, UnavailableError, UsageError
from hullwright.push import Content
from hullwright.sizes import Figures, ImageSizes, SizeReport, Subject
from hullwright.sizes.budgets import judge
from hullwright.sizes.delta import Comparison, Growth
from hullwright.tasks import sizebaseline
from hullwright.tasks.pushbudgets import measured

FIGURES: Final = Figures("linux/amd64", "sha256:m", 10, 100, ())
LIMIT: Final = Budget("unpacked", own_growth=5)
OTHER: Final = Budget("unpacked", hard=1000)
CONFIG: Final = Config(
    "shop",
    services={"api": Service("api", budgets=(LIMIT,)), "web": Service("web", budgets=(OTHER,))},
)
STAGED: Final = tuple(
    Content(name, "", f"shop/{name}", f"sha256:{name}", "") for name in CONFIG.services
)


def row(name: str, *budgets: Budget) -> ImageSizes:
    return ImageSizes(Subject(name, name, "", f"sha256:{name}"), FIGURES, judge(budgets, FIGURES))


def grown(image: ImageSizes, before: int | None) -> ImageSizes:
    own = None if before is None else 100 - before
    growth = (Growth("unpacked", 100, before, 0, own),)
    compared = Comparison("x", "x:1", "registry", FIGURES, "", "own", growth=growth)
    return replace(image, compared=compared, budgets=judge([LIMIT], FIGURES, compared))


class Push:
    """A push of `api`, whose growth is limited, and of `web`, whose is not.

    Attributes:
        asked: what was compared with, and whether deep.
        answers: what each comparison gives: the size before, or an error.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Any, pull: str = "") -> None:
        self.asked: list[tuple[str, str, bool]] = []
        self.answers = list(answers)
        self.err = io.StringIO()
        context = SimpleNamespace(base_ref="main", pull_request=pull)
        console = Console({}, out=io.StringIO(), err=self.err)
        self.session: Any = SimpleNamespace(
            config=CONFIG, workspace=None, ref_context=context, console=console
        )
        report = SizeReport((row("api", LIMIT), row("web", OTHER)))
        monkeypatch.setattr(sizes, "of_staged", lambda *_: report)
        monkeypatch.setattr(sizebaseline, "against", self._against)

    def _against(self, _: Any, report: SizeReport, asked: str, *, deep: bool = False) -> SizeReport:
        (image,) = report.images
        self.asked.append((image.subject.service, asked, deep))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return replace(report, images=(grown(image, answer),))

    def held(self, *moving: str) -> dict[str, str]:
        found = measured(self.session, STAGED, lambda: {f"sha256:{name}" for name in moving})
        return {image.subject.service: image.verdict for image in found.images}


@pytest.mark.parametrize(("pull", "asked"), [("", "release"), ("12", "main")])
def test_growth_is_over_the_base_branch_or_the_last_release(
    monkeypatch: pytest.MonkeyPatch, pull: str, asked: str
) -> None:
    push = Push(monkeypatch, 90, pull=pull)
    assert push.held("api", "web") == {"api": "fail", "web": "ok"}
    assert push.asked == [("api", asked, False)]


def test_layers_of_the_reference_are_read_where_its_manifest_is_not_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    push = Push(monkeypatch, None, 96)
    assert push.held("api")["api"] == "ok"
    assert push.asked == [("api", "release", False), ("api", "release", True)]


def test_what_has_all_of_its_tags_is_compared_with_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    push = Push(monkeypatch)
    assert push.held("web") == {"api": "ok", "web": "ok"}
    assert push.asked == []


@pytest.mark.parametrize("error", [HullwrightError("there is no release"), UsageError("no ref")])
def test_without_a_reference_growth_is_told_and_not_judged(
    monkeypatch: pytest.MonkeyPatch, error: HullwrightError
) -> None:
    push = Push(monkeypatch, error)
    assert push.held("api")["api"] == "ok"
    assert f"! own growth was not judged: {error.what}" in push.err.getvalue()


def test_a_reference_that_cannot_be_asked_for_ends_the_push(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    push = Push(monkeypatch, UnavailableError("the registry cannot be reached"))
    with pytest.raises(UnavailableError):
        push.held("api")
