"""What `postgres:17-trixie` promises, held against whichever image of that name is here."""

from __future__ import annotations

import gzip
import subprocess
from typing import TYPE_CHECKING

import pytest

from composing import docker

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Containers

pytestmark = pytest.mark.docker

READY = "database system is ready to accept connections"
# Once by the server that only initialises, once by the one that serves.
STARTS = 2


def ask(container: str, sql: str, user: str = "postgres", database: str = "") -> str:
    """Return what the database answers over its socket."""
    return docker(
        *("exec", container, "psql", "--no-psqlrc", "--tuples-only", "--no-align"),
        *("--username", user, "--dbname", database or user, "--command", sql),
    )


def refused(image: str, *words: str) -> tuple[int, str]:
    """Return the exit code and the words of a container that ends by itself."""
    done = subprocess.run(
        ["docker", "run", "--rm", *words, image],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


def test_init_files_run_once_in_their_order(
    postgres_image: str, containers: Containers, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    insert = "INSERT INTO said VALUES ('{}');"
    (tmp_path / "10.sql").write_text("CREATE TABLE said (what text);\n" + insert.format("sql"))
    with gzip.open(tmp_path / "20.sql.gz", "wt") as packed:
        packed.write(insert.format("gz"))
    sourced = f'docker_process_sql <<< "{insert.format("sourced")}"\n'
    (tmp_path / "30.sh").write_text(sourced)
    (tmp_path / "40.sh").write_text(
        '#!/bin/sh\npsql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" '
        f'-c "{insert.format("run")}"\n'
    )
    (tmp_path / "40.sh").chmod(0o755)
    (tmp_path / "50.txt").write_text("not for us")
    container = containers.run(
        *("--env=POSTGRES_PASSWORD=p", "--env=POSTGRES_USER=owner", "--env=POSTGRES_DB=shop"),
        f"--volume={tmp_path}:/docker-entrypoint-initdb.d:ro",
        postgres_image,
    )
    containers.until(container, READY, STARTS)
    said = "SELECT string_agg(what, ' ') FROM said"
    assert ask(container, said, "owner", "shop") == "sql gz sourced run"
    docker("restart", container)
    containers.until(container, READY, STARTS + 1)
    assert ask(container, said, "owner", "shop") == "sql gz sourced run"


def test_a_failing_init_script_stops_the_start(postgres_image: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "10.sql").write_text("SELECT 1 / 0;\n")
    code, _ = refused(
        postgres_image,
        "--env=POSTGRES_PASSWORD=p",
        f"--volume={tmp_path}:/docker-entrypoint-initdb.d:ro",
    )
    assert code != 0


def test_the_password_may_come_from_a_file(
    postgres_image: str, containers: Containers, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("hard 'to\" $guess\n")
    file.chmod(0o644)
    container = containers.run(
        "--env=POSTGRES_PASSWORD_FILE=/run/password",
        f"--volume={file}:/run/password:ro",
        postgres_image,
    )
    containers.until(container, READY, STARTS)
    # From another address than loopback, for which a password is asked.
    over_tcp = "psql -h \"$(hostname -i | cut -d' ' -f1)\" -U postgres -Atc 'SELECT 1'"
    good = ("exec", "--env=PGPASSWORD=hard 'to\" $guess", container, "sh", "-c", over_tcp)
    assert docker(*good) == "1"
    bad = subprocess.run(
        ["docker", "exec", "--env=PGPASSWORD=wrong", container, "sh", "-c", over_tcp],
        check=False,
        capture_output=True,
        text=True,
    )
    assert bad.returncode != 0
    assert "password authentication failed" in bad.stderr


def test_without_a_password_it_does_not_start(postgres_image: str) -> None:
    code, told = refused(postgres_image)
    assert code == 1
    assert "POSTGRES_PASSWORD" in told


def test_a_password_and_a_file_of_one_cannot_both_be_meant(postgres_image: str) -> None:
    code, told = refused(
        postgres_image, "--env=POSTGRES_PASSWORD=p", "--env=POSTGRES_PASSWORD_FILE=/etc/hostname"
    )
    assert code == 1
    assert "both" in told


def test_arguments_reach_initdb_and_the_server(postgres_image: str, containers: Containers) -> None:
    container = containers.run(
        *("--env=POSTGRES_PASSWORD=p", "--env=POSTGRES_INITDB_ARGS=--data-checksums --locale=C"),
        *(postgres_image, "-c", "max_connections=23"),
    )
    containers.until(container, READY, STARTS)
    assert ask(container, "SHOW max_connections") == "23"
    assert ask(container, "SHOW data_checksums") == "on"
    assert ask(container, "SHOW listen_addresses") == "*"


def test_the_server_is_not_root_and_ends_at_once(
    postgres_image: str, containers: Containers
) -> None:
    container = containers.run("--env=POSTGRES_PASSWORD=p", postgres_image)
    containers.until(container, READY, STARTS)
    assert docker("exec", container, "stat", "-c", "%u %g", "/proc/1") == "999 999"
    data = docker("exec", container, "stat", "-c", "%u %a", "/var/lib/postgresql/data")
    assert data == "999 700"
    assert docker("exec", container, "pg_isready", "--quiet") == ""
    docker("stop", "--time=10", container)
    assert docker("inspect", "--format", "{{.State.ExitCode}}", container) == "0"


def test_it_needs_neither_root_nor_capabilities_nor_a_writable_root(
    postgres_image: str, containers: Containers
) -> None:
    container = containers.run(
        *("--env=POSTGRES_PASSWORD=p", "--user=postgres", "--cap-drop=ALL", "--read-only"),
        *("--security-opt=no-new-privileges", "--tmpfs=/tmp", "--tmpfs=/var/run/postgresql"),
        postgres_image,
    )
    containers.until(container, READY, STARTS)
    assert ask(container, "SELECT current_user") == "postgres"
    # A folder that the image lacked would now be root's: the tmpfs takes its mode and owner over.
    docker("restart", container)
    containers.until(container, READY, STARTS + 1)
    assert ask(container, "SELECT current_user") == "postgres"


def test_other_commands_are_run_as_they_are(postgres_image: str) -> None:
    assert docker("run", "--rm", postgres_image, "--version").startswith("postgres (PostgreSQL) 17")
    assert docker("run", "--rm", postgres_image, "id", "-un") == "root"


def test_the_image_declares_what_the_official_one_declares(postgres_image: str) -> None:
    form = "{{json .Config.Volumes}} {{json .Config.ExposedPorts}} {{.Config.StopSignal}}"
    assert docker("image", "inspect", "--format", form, postgres_image) == (
        '{"/var/lib/postgresql/data":{}} {"5432/tcp":{}} SIGINT'
    )
    environ = docker("run", "--rm", postgres_image, "env")
    assert "PGDATA=/var/lib/postgresql/data" in environ
    assert "PG_MAJOR=17" in environ
