"""The dashboard over HTTP, with a real PostgreSQL behind it."""

from __future__ import annotations

import json
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from serving import TOKEN, PostgresServer, dashboard_process, free_port, record_json, wait_for_line

if TYPE_CHECKING:
    from serving import Dashboard

pytestmark = pytest.mark.docker


def test_a_record_arrives_once_and_comes_back_as_it_was_sent(dashboard: Dashboard) -> None:
    sent = record_json(
        version="1.2.3", revision="a" * 40, data={"targets": [{"ü": [1, 2.5, None]}]}
    )
    assert (dashboard.post(sent).status, dashboard.post(sent).status) == (201, 200)
    answer = dashboard.get("/records")
    assert answer.json == {"schema": 1, "records": [sent]}
    assert answer.headers["content-type"] == "application/json"


def test_records_are_filtered_and_the_newest_comes_first(dashboard: Dashboard) -> None:
    for kind, project, day in [
        ("build", "a", 1),
        ("build", "a", 3),
        ("build", "b", 2),
        ("up", "a", 4),
    ]:
        at = f"2026-01-0{day}T12:00:00.000000+00:00"
        assert dashboard.post(record_json(kind=kind, project=project, at=at)).status == 201

    def days(query: str) -> list[str]:
        return [record["at"][9:10] for record in dashboard.get(f"/records?{query}").json["records"]]

    assert days("") == ["4", "3", "2", "1"]
    assert days("kind=build") == ["3", "2", "1"]
    assert days("kind=build&project=a") == ["3", "1"]
    assert days("limit=2") == ["4", "3"]


@pytest.mark.parametrize("token", [None, "", "wrong", f"{TOKEN}x", "ü"])
def test_a_record_without_the_token_is_not_kept(dashboard: Dashboard, token: str | None) -> None:
    header = (
        {} if token is None else {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    )
    answer = dashboard.ask("POST", "/records", json.dumps(record_json()).encode(), header)
    assert answer.status == 401
    assert "token" in answer.json["error"]
    assert answer.headers["www-authenticate"] == "Bearer"
    assert dashboard.get("/records").json["records"] == []


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"\xff", 400, "not JSON"),
        (b"[]", 422, "a record is a JSON object"),
        (json.dumps(record_json(id="7", kind="Build")).encode(), 422, "id is a UUID"),
        (json.dumps(record_json(data={"a": "\0"})).encode(), 422, "data is"),
        (json.dumps(record_json(data={"a": "\ud800"})).encode(), 422, "data is"),
        (json.dumps(record_json(data={"a": float("nan")})).encode(), 422, "data is"),
        (b" " * (1024 * 1024 + 1), 413, "at most 1048576 bytes"),
    ],
)
def test_a_body_that_is_no_record_is_refused_with_the_reason(
    dashboard: Dashboard, body: bytes, status: int, told: str
) -> None:
    answer = dashboard.post(body)
    assert answer.status == status
    assert told in answer.json["error"]
    assert dashboard.get("/records").json["records"] == []


def test_a_body_without_an_announced_length_has_the_same_limit(dashboard: Dashboard) -> None:
    with socket.create_connection(("127.0.0.1", dashboard.port), timeout=30) as connection:
        connection.sendall(
            b"POST /records HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
        )
        for _ in range(17):
            connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "kind=%00", f"project={'a' * 201}"]
)
def test_a_query_that_cannot_be_meant_is_refused(dashboard: Dashboard, query: str) -> None:
    answer = dashboard.get(f"/records?{query}")
    assert answer.status == 400
    assert query.partition("=")[0] in answer.json["error"]


def test_the_page_shows_what_was_sent_and_escapes_it(dashboard: Dashboard) -> None:
    assert "No run has been recorded yet" in dashboard.get("/").text
    dashboard.post(record_json(project="<script>alert(1)</script>", version="1.2.3-rc.4"))
    answer = dashboard.get("/")
    assert answer.status == 200
    assert "1.2.3-rc.4" in answer.text
    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_liveness_does_not_ask_the_database_and_readiness_does(migrated: dict[str, str]) -> None:
    nowhere = migrated | {"HULLWRIGHT_DATABASE_PORT": str(free_port())}
    with dashboard_process(nowhere) as dashboard:
        assert dashboard.get("/healthz").status == 200
        answers = [dashboard.get("/readyz"), dashboard.get("/records"), dashboard.get("/")]
        assert [answer.status for answer in answers] == [503, 503, 503]
        assert "cannot be used" in answers[0].json["error"]
        for answer in answers:
            assert migrated["HULLWRIGHT_DATABASE_PASSWORD"] not in answer.text


def test_readiness_follows_a_database_that_goes_and_comes_back(
    dashboard: Dashboard, migrated: dict[str, str], postgres: PostgresServer
) -> None:
    assert dashboard.get("/readyz").json == {"status": "ready"}
    name = migrated["HULLWRIGHT_DATABASE_NAME"]
    with postgres.connect() as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        assert dashboard.get("/readyz").status == 503
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert dashboard.get("/readyz").status == 200


def test_a_database_without_tables_is_not_ready(empty_database: dict[str, str]) -> None:
    with dashboard_process(empty_database) as dashboard:
        answer = dashboard.get("/readyz")
        assert answer.status == 503
        assert answer.json["error"].endswith("has no tables yet: run migrate")
        assert dashboard.post(record_json()).status == 503


def test_a_database_of_a_newer_release_still_serves(
    dashboard: Dashboard, migrated: dict[str, str], postgres: PostgresServer
) -> None:
    with postgres.connect(migrated["HULLWRIGHT_DATABASE_NAME"]) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert dashboard.get("/readyz").status == 200


def test_the_database_url_of_the_user_is_never_used(migrated: dict[str, str]) -> None:
    foreign = {"DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/nowhere", "PGPORT": "1"}
    with dashboard_process(migrated | foreign) as dashboard:
        assert dashboard.get("/readyz").status == 200


def test_the_version_is_what_the_image_says(migrated: dict[str, str]) -> None:
    baked = {
        "HULLWRIGHT_VERSION": "1.4.1",
        "HULLWRIGHT_REVISION": "b" * 40,
        "HULLWRIGHT_COMMIT_DATE": "2026-11-20T10:00:00Z",
    }
    with dashboard_process(migrated | baked) as dashboard:
        assert dashboard.get("/version").json == {
            "version": "1.4.1",
            "revision": "b" * 40,
            "commit_date": "2026-11-20T10:00:00Z",
        }


def test_sigterm_ends_the_request_in_flight_and_the_process_with_0(
    dashboard: Dashboard, migrated: dict[str, str], postgres: PostgresServer
) -> None:
    """The request waits for a lock on the table, which is given up only after the signal."""
    body = json.dumps(record_json()).encode()
    with (
        postgres.connect(migrated["HULLWRIGHT_DATABASE_NAME"]) as holder,
        socket.create_connection(("127.0.0.1", dashboard.port), timeout=30) as connection,
    ):
        with holder.transaction():
            holder.execute("LOCK TABLE records IN EXCLUSIVE MODE")
            connection.sendall(
                b"POST /records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (TOKEN.encode(), len(body), body)
            )
            _until_waiting(holder)
            dashboard.process.send_signal(signal.SIGTERM)
            wait_for_line(dashboard.process, "Shutting down")
        assert connection.recv(4096).startswith(b"HTTP/1.1 201 ")
        assert dashboard.process.wait(timeout=10) == 0


def _until_waiting(holder: object) -> None:
    import psycopg

    assert isinstance(holder, psycopg.Connection)
    for _ in range(10_000):
        found = holder.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
        if found is not None and found[0]:
            return
    pytest.fail("the request never reached the database")


def test_sigterm_ends_an_idle_process_with_0(dashboard: Dashboard) -> None:
    with socket.create_connection(("127.0.0.1", dashboard.port), timeout=30) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(4096).startswith(b"HTTP/1.1 200 ")
        dashboard.process.send_signal(signal.SIGTERM)
        assert dashboard.process.wait(timeout=10) == 0


def test_a_sender_that_stops_half_way_does_not_hold_the_end(dashboard: Dashboard) -> None:
    with socket.create_connection(("127.0.0.1", dashboard.port), timeout=30) as stalled:
        stalled.sendall(
            b"POST /records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
            b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n" % TOKEN.encode()
        )
        assert stalled.recv(4096).startswith(b"HTTP/1.1 100 ")
        dashboard.process.send_signal(signal.SIGTERM)
        assert dashboard.process.wait(timeout=10) == 0


def test_the_log_tells_of_requests_but_not_of_probes_and_tokens(dashboard: Dashboard) -> None:
    for path in ("/healthz", "/readyz"):
        dashboard.get(path)
    dashboard.post(record_json())
    dashboard.process.send_signal(signal.SIGTERM)
    logged = dashboard.process.communicate(timeout=10)[0]
    assert '"POST /records HTTP/1.1" 201' in logged
    assert "readyz" not in logged
    assert TOKEN not in logged
    assert "\x1b" not in logged
