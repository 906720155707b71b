"""`python -m hullwright.dashboard` as a person or a container runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from serving import PostgresServer, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving import Dashboard

pytestmark = pytest.mark.docker


def _run(environ: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if "HULLWRIGHT" not in name}
    return subprocess.run(
        [sys.executable, "-m", "hullwright.dashboard", *words],
        env={**plain, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_migrate_brings_an_empty_database_up_and_then_has_nothing_to_do(
    empty_database: dict[str, str],
) -> None:
    first, second = _run(empty_database, "migrate"), _run(empty_database, "migrate")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stdout.endswith("is at 0001 now, was empty\n")
    assert second.stdout.endswith("is at 0001 already\n")


def test_the_revision_that_a_database_has_is_that_of_this_version_once_it_is_migrated(
    empty_database: dict[str, str],
) -> None:
    assert _run(empty_database, "current").stdout == ""
    _run(empty_database, "migrate")
    current, heads = _run(empty_database, "current"), _run({}, "heads")
    assert (current.returncode, current.stdout) == (0, "0001\n"), current.stderr
    assert (heads.returncode, heads.stdout) == (0, "0001\n"), heads.stderr


def test_the_revision_of_a_database_that_does_not_answer_is_exit_3(
    empty_database: dict[str, str],
) -> None:
    done = _run(empty_database | {"HULLWRIGHT_DATABASE_PORT": str(free_port())}, "current")
    assert done.returncode == 3
    assert "the revision of the database cannot be read" in done.stderr


def test_migrations_that_start_together_do_the_work_once(empty_database: dict[str, str]) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: _run(empty_database, "migrate"), range(4)))
    assert [one.returncode for one in done] == [0, 0, 0, 0], [one.stderr for one in done]
    assert sum("was empty" in one.stdout for one in done) == 1


def test_a_database_of_a_newer_release_is_left_as_it_is(
    migrated: dict[str, str], postgres: PostgresServer
) -> None:
    with postgres.connect(migrated["HULLWRIGHT_DATABASE_NAME"]) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        done = _run(migrated, "migrate")
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert done.returncode == 0
    assert "newer than this version" in done.stdout
    assert found == [("9999",)]


def test_the_scripts_make_the_tables_that_the_queries_name(migrated: dict[str, str]) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from hullwright.dashboard.settings import database
    from hullwright.dashboard.store import METADATA, connect

    engine = connect(database(migrated))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_a_database_that_does_not_answer_is_exit_3(empty_database: dict[str, str]) -> None:
    port = str(free_port())
    done = _run(empty_database | {"HULLWRIGHT_DATABASE_PORT": port}, "migrate")
    assert done.returncode == 3
    assert "the database could not be migrated" in done.stderr
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_password_is_exit_3_and_is_not_shown(empty_database: dict[str, str]) -> None:
    done = _run(empty_database | {"HULLWRIGHT_DATABASE_PASSWORD": "wrong-as-can-be"}, "migrate")
    assert done.returncode == 3
    assert "password authentication failed" in done.stderr
    assert "wrong-as-can-be" not in done.stderr


def test_settings_that_are_missing_are_exit_2_and_all_named() -> None:
    done = _run({"DATABASE_URL": "postgresql://u:p@127.0.0.1/x", "PORT": "none"}, "serve")
    assert done.returncode == 2
    for name in ("DATABASE_HOST", "DATABASE_PASSWORD", "HISTORY_TOKEN"):
        assert f"HULLWRIGHT_{name} " in done.stderr
    assert '"none" is no port' in done.stderr


def test_a_port_that_is_taken_ends_with_1(dashboard: Dashboard, migrated: dict[str, str]) -> None:
    done = _run(migrated | {"PORT": str(dashboard.port)}, "serve")
    assert done.returncode == 1
    assert f"cannot listen on port {dashboard.port}" in done.stderr
    assert "Address already in use" in done.stderr


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_health_check_holds_for_a_service_that_answers(dashboard: Dashboard, path: str) -> None:
    done = _run({"PORT": str(dashboard.port)}, "healthcheck", path)
    assert done.returncode == 0
    assert done.stdout.startswith("HTTP/1.1 200 OK")


def test_the_health_check_says_why_it_does_not_hold(dashboard: Dashboard) -> None:
    missing = _run({"PORT": str(dashboard.port)}, "healthcheck", "/nowhere")
    silent = _run({"PORT": str(free_port())}, "healthcheck")
    assert (missing.returncode, silent.returncode) == (1, 1)
    assert missing.stdout.startswith("HTTP/1.1 404")
    assert "refused" in silent.stdout


def test_the_health_check_imports_the_standard_library_only() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "hullwright.dashboard", "healthcheck"],
        env={**os.environ, "PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    imported = {
        line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()
    }
    assert "hullwright" in imported
    assert not imported & {"starlette", "sqlalchemy", "alembic", "psycopg", "uvicorn", "http"}
