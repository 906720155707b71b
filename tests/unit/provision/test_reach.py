"""Stand-ins are for sites without a registry; a registry that refuses is an error."""

from __future__ import annotations

import pytest

from hullwright.errors import ExitCode, UnavailableError
from hullwright.provision.reach import Answer, reachable, registries

SILENT = Answer(None, reason="Name or service not known")


def test_mirrors_are_asked_before_the_default_registry() -> None:
    info = {
        "IndexServerAddress": "https://index.example/v1/",
        "RegistryConfig": {"Mirrors": ["http://mirror.example:5000/"]},
    }
    assert registries(info) == ["http://mirror.example:5000", "https://index.example"]


@pytest.mark.parametrize("info", [{}, {"RegistryConfig": None}, {"RegistryConfig": {}}])
def test_an_engine_may_name_no_registry(info: dict[str, object]) -> None:
    assert registries(info) == []


@pytest.mark.parametrize("answer", [Answer(200), Answer(401, challenge=True)])
def test_a_registry_that_serves_or_asks_for_a_token_is_reachable(answer: Answer) -> None:
    assert reachable(["https://r.example"], lambda _: answer)


def test_no_answer_at_all_is_the_reason_for_stand_ins() -> None:
    assert not reachable(["https://a.example", "https://b.example"], lambda _: SILENT)


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_registry_that_refuses_is_an_error(status: int) -> None:
    with pytest.raises(UnavailableError, match=rf"r\.example answers with {status}") as caught:
        reachable(["https://r.example"], lambda _: Answer(status))
    assert caught.value.exit_code is ExitCode.UNAVAILABLE
    assert caught.value.next_step


def test_one_that_serves_makes_up_for_one_that_refuses() -> None:
    answers = {"https://a.example": Answer(503), "https://b.example": Answer(200)}
    assert reachable(answers, answers.__getitem__)


def test_a_refusing_mirror_and_a_silent_registry_are_an_error() -> None:
    answers = {"https://a.example": Answer(429), "https://b.example": SILENT}
    with pytest.raises(UnavailableError, match=r"a\.example answers with 429"):
        reachable(answers, answers.__getitem__)


def test_an_untrusted_certificate_is_an_error() -> None:
    answer = Answer(511, reason="self-signed certificate in certificate chain")
    with pytest.raises(UnavailableError, match=r"certificate of r\.example is not trusted"):
        reachable(["https://r.example"], lambda _: answer)
