"""Where records are sent to, and what is said of an address that cannot be meant.

What goes over a connection is tested with real ones, under tests/integration/history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from hullwright.history import Flushed, append, dashboard_url, flush, outbox
from hullwright.secret import Secret
from recording import record, workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("configured", "environ", "url"),
    [
        ("", {}, ""),
        ("http://a:1/", {}, "http://a:1"),
        ("http://a:1", {"HULLWRIGHT_HISTORY": "https://b/x/"}, "https://b/x"),
        ("http://a:1", {"HULLWRIGHT_HISTORY": ""}, ""),
    ],
)
def test_the_environment_wins_and_may_say_nowhere(
    tmp_path: Path, configured: str, environ: dict[str, str], url: str
) -> None:
    assert dashboard_url(workspace(tmp_path, url=configured, environ=environ)) == url


def test_nothing_is_done_without_an_address_or_without_records(tmp_path: Path) -> None:
    nowhere = workspace(tmp_path)
    append(nowhere, record())
    assert flush(nowhere, Secret("token")) == Flushed()
    assert flush(workspace(tmp_path / "empty", url="http://127.0.0.1:1"), Secret("t")) == Flushed()


@pytest.mark.parametrize(
    "url", ["http://dashboard.example.com", "http://10.0.0.1:8080", "http://localhost.example.com"]
)
def test_a_token_goes_in_the_clear_to_this_machine_only(tmp_path: Path, url: str) -> None:
    def token() -> Secret:
        pytest.fail("nobody needs the token")

    ws = workspace(tmp_path, url=url)
    append(ws, record())
    flushed = flush(ws, token)
    assert (flushed.sent, flushed.kept) == (0, 1)
    assert flushed.note == (
        f"history: 1 record is kept here for now ({url} is not https, and the token is sent in "
        "the clear to this machine only)"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "[::1]", "localhost"])
def test_this_machine_needs_no_encryption(
    tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> NoReturn:
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(outbox, "_connect", refused)
    ws = workspace(tmp_path, url=f"http://{host}:1")
    append(ws, record())
    assert flush(ws, Secret("t")).reason == f"http://{host}:1 cannot be reached: refused"


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "ftp://127.0.0.1",
        "http://",
        "http://host:99999",
        "http://host:0",
        "http://user:s3cr3t-word@host",
        "http://host/?token=s3cr3t-word",
        "http://host/a b\n",
        "http://[::1",
    ],
)
def test_an_address_that_cannot_be_meant_is_noted_but_not_quoted(tmp_path: Path, url: str) -> None:
    ws = workspace(tmp_path, url=url)
    append(ws, record())
    flushed = flush(ws, Secret("token"))
    assert (flushed.sent, flushed.kept) == (0, 1)
    assert "1 record is kept here for now (the dashboard's address is not http(s)" in flushed.note
    assert "s3cr3t-word" not in f"{flushed}"
