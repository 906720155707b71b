"""Sending records: to the real dashboard, and to whatever else may stand at its address."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from hullwright.errors import UsageError
from hullwright.history import append, flush, list_records, unsent_count
from hullwright.secret import Secret
from recording import record, workspace
from serving import TOKEN, dashboard_process, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from serving import Dashboard

_SECRET = Secret(TOKEN)


@pytest.mark.docker
def test_records_arrive_once_oldest_first_over_one_connection(
    dashboard: Dashboard, tmp_path: Path
) -> None:
    ws = workspace(tmp_path, url=dashboard.url)
    kept = [record("up", minute=minute, project="once") for minute in range(3)]
    for one in kept:
        append(ws, one)
    flushed = flush(ws, _SECRET)
    assert (flushed.sent, flushed.kept, flushed.reason, flushed.note) == (3, 0, "", "")
    assert flush(ws, _SECRET).sent == 0
    shown = dashboard.get("/records?project=once").json["records"]
    assert shown == [one.as_json() for one in reversed(kept)]


@pytest.mark.docker
def test_many_records_that_waited_go_with_one_run(dashboard: Dashboard, tmp_path: Path) -> None:
    """Were each to wait for a delayed receipt of 40 ms, they would not all go in two seconds."""
    ws = workspace(tmp_path, url=dashboard.url)
    for _ in range(60):
        append(ws, record(project="many"))
    assert flush(ws, _SECRET).sent == 60


@pytest.mark.docker
def test_what_could_not_be_sent_goes_with_a_later_run(
    environ: dict[str, str], tmp_path: Path
) -> None:
    absent = workspace(tmp_path, url=f"http://127.0.0.1:{free_port()}")
    append(absent, record(project="later", minute=1))
    flushed = flush(absent, _SECRET)
    assert (flushed.sent, flushed.kept, flushed.note) == (0, 1, "")
    assert "Connection refused" in flushed.reason
    with dashboard_process(environ) as dashboard:
        there = workspace(tmp_path, url=dashboard.url)
        append(there, record(project="later", minute=2))
        assert flush(there, _SECRET).sent == 2
        assert len(dashboard.get("/records?project=later").json["records"]) == 2


@pytest.mark.docker
def test_a_record_that_arrived_unnoticed_is_not_doubled(
    dashboard: Dashboard, tmp_path: Path
) -> None:
    one = record(project="unnoticed")
    assert dashboard.post(one.as_json()).status == 201
    ws = workspace(tmp_path, url=dashboard.url)
    append(ws, one)
    assert flush(ws, _SECRET).sent == 1
    assert len(dashboard.get("/records?project=unnoticed").json["records"]) == 1


@pytest.mark.docker
def test_a_wrong_token_is_told_and_the_record_kept(dashboard: Dashboard, tmp_path: Path) -> None:
    ws = workspace(tmp_path, url=dashboard.url)
    append(ws, record())
    flushed = flush(ws, Secret("another-token-of-somebody"))
    assert (flushed.sent, flushed.kept) == (0, 1)
    assert flushed.note == (
        f"history: 1 record is kept here for now"
        f" ({dashboard.url} refuses the token: 401 wrong token)"
    )
    assert flush(ws, _SECRET).sent == 1


@pytest.mark.docker
@pytest.mark.parametrize("token", [None, Secret(""), Secret("two\r\nlines: x")])
def test_a_missing_or_impossible_token_is_told(
    dashboard: Dashboard, tmp_path: Path, token: Secret | None
) -> None:
    ws = workspace(tmp_path, url=dashboard.url)
    append(ws, record())
    flushed = flush(ws, token)
    assert (flushed.sent, flushed.kept) == (0, 1)
    assert "token" in flushed.note
    assert "lines" not in flushed.note


@pytest.mark.docker
def test_a_token_that_cannot_be_decrypted_is_told(dashboard: Dashboard, tmp_path: Path) -> None:
    def token() -> Secret | None:
        raise UsageError("no key decrypts .env.sops.yaml")

    ws = workspace(tmp_path, url=dashboard.url)
    append(ws, record())
    assert "no key decrypts .env.sops.yaml" in flush(ws, token).note


@pytest.mark.docker
def test_a_record_that_is_refused_is_kept_told_once_and_holds_up_no_other(
    dashboard: Dashboard, tmp_path: Path
) -> None:
    ws = workspace(tmp_path, url=dashboard.url)
    append(ws, record("Not A Kind", project="refused"))
    append(ws, record(project="refused", data={"log": "x" * 1024 * 1024}))
    append(ws, record(project="refused"))
    flushed = flush(ws, _SECRET)
    assert (flushed.sent, flushed.kept, flushed.refused) == (1, 0, 2)
    assert "kind is a lower-case word" in flushed.note
    assert "a dashboard takes 1048576" in flushed.reason
    assert flush(ws, _SECRET).note == ""
    assert len(list_records(ws)) == 3


def test_nobody_is_asked_for_the_token_while_nobody_answers(tmp_path: Path) -> None:
    def token() -> Secret | None:
        pytest.fail("decrypted for nothing")

    ws = workspace(tmp_path, url=f"http://127.0.0.1:{free_port()}")
    append(ws, record())
    assert flush(ws, token).kept == 1


def test_an_unknown_host_keeps_the_record(tmp_path: Path) -> None:
    ws = workspace(tmp_path, url="https://dashboard.invalid")
    append(ws, record())
    assert "no address of dashboard.invalid is known" in flush(ws, _SECRET).reason


def test_a_host_that_accepts_and_never_answers_delays_by_two_seconds_at_most(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ws = workspace(tmp_path, url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        append(ws, record())
        began = time.monotonic()
        flushed = flush(ws, _SECRET)
        took_s = time.monotonic() - began
    assert (flushed.kept, flushed.note) == (1, "")
    assert "did not answer" in flushed.reason
    assert took_s < 4


@pytest.mark.parametrize(
    ("status", "location", "told"),
    [
        (200, "", "is no dashboard: 200"),
        (404, "", "is no dashboard: 404"),
        (307, "http://127.0.0.1:{other}/records", "is no dashboard: 307"),
        (503, "", ""),
    ],
)
def test_somebody_else_at_the_address_is_not_taken_for_a_dashboard(
    tmp_path: Path, status: int, location: str, told: str
) -> None:
    with (
        _somebody(200) as (elsewhere, asked),
        _somebody(status, location.format(other=elsewhere)) as (port, _),
    ):
        ws = workspace(tmp_path, url=f"http://127.0.0.1:{port}")
        append(ws, record())
        flushed = flush(ws, _SECRET)
        assert (flushed.sent, unsent_count(ws)) == (0, 1)
        assert told in flushed.note
        assert bool(flushed.note) == bool(told)
        # The token went to the configured address and nowhere else.
        assert asked == []


@contextmanager
def _somebody(status: int, location: str = "") -> Iterator[tuple[int, list[str]]]:
    """Serve `status` on a free port; yield the port and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()
