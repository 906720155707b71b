"""Each `NAME.toml` is a configuration; `NAME.txt` is what it gets: its problems, or its values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from goldens import goldens
from hullwright.config.load import load, resolve
from hullwright.config.problems import ConfigurationError
from hullwright.errors import ExitCode
from hullwright.report import config as report

if TYPE_CHECKING:
    from collections.abc import Callable

HERE: Final = Path(__file__).parent
BROKEN: Final = ("five-mistakes", "not-toml", "wrong-types", "wrong-values")

held = goldens(HERE)


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that makes a repository with one of the files as `hullwright.toml`."""

    def make(name: str) -> Path:
        folder = tmp_path / "shop"
        folder.mkdir()
        text = (HERE / f"{name}.toml").read_text(encoding="utf-8")
        (folder / "hullwright.toml").write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.mark.parametrize("name", BROKEN)
def test_every_problem_is_told_at_once(name: str, repository: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(repository(name), {})
    assert raised.value.exit_code == ExitCode.USAGE
    held(f"{name}.txt", f"{raised.value}")


def test_a_configuration_with_every_key_is_shown_with_its_origins(
    repository: Callable[[str], Path],
) -> None:
    environ = {"HULLWRIGHT_REGISTRY": "127.0.0.1:5000", "SSL_CERT_FILE": "/etc/ssl/cert.pem"}
    resolution = resolve(repository("whole"), environ, {"platforms": "linux/amd64"})
    assert resolution.problems == ()
    held("whole.txt", report.text(resolution.config))


def test_a_broken_configuration_shows_what_is_understood(
    repository: Callable[[str], Path],
) -> None:
    resolution = resolve(repository("five-mistakes"), {})
    assert len(resolution.problems) == 5
    held("five-mistakes.shown.txt", report.text(resolution.config))


def test_every_file_has_its_answer() -> None:
    answered = {path.stem for path in HERE.glob("*.txt")}
    assert {path.stem for path in HERE.glob("*.toml")} <= answered
