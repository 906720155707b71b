"""`login` and `logout` as people call them: where the password goes, and where it does not."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hullwright.errors import UnavailableError
from hullwright.run import Runner
from hullwright.secret import Secret
from hullwright.tools.credentials import Credential, stored
from hullwright.tools.registryclient import connect
from registries import PASSWORD, USER, registry
from replaying import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

BIN = Path(sys.executable).parent
# Keeps what it is told in a file beside it, as the programs of the protocol do in a safe place.
HELPER = """\
#!/bin/sh
kept="$(dirname "$0")/kept"
case "$1" in
  store) cat > "$kept" ;;
  get) read -r asked; if [ -f "$kept" ] && grep -q "$asked" "$kept"; then cat "$kept"
       else echo "credentials not found in native keychain"; exit 1; fi ;;
  erase) rm -f "$kept" ;;
esac
"""
TASKS = """\
from hullwright.tasks import collection, registering

ns = collection()
ns.add_task(registering.login)
ns.add_task(registering.logout)
"""


@dataclass(frozen=True)
class Home:
    """A repository whose people have a Docker configuration of their own."""

    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        path = f"{self.folder}:{BIN}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "NO_COLOR": "1"}

    @property
    def config(self) -> Path:
        return self.folder / ".docker" / "config.json"

    def call(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self.environ,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def login(self, address: str, typed: str = PASSWORD) -> subprocess.CompletedProcess[str]:
        words = ("login", "--registry", address, "--username", USER)
        return self.call("invoke", "--echo", *words, typed=f"{typed}\n")

    def stored(self, address: str) -> Credential | None:
        return stored(Runner(self.environ), self.environ, address)


@pytest.fixture(scope="module")
def guarded(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that wants a login."""
    with registry(tmp_path_factory.mktemp("guarded"), login=True) as address:
        yield address


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "tasks.py").write_text(TASKS, encoding="utf-8")
    return Home(tmp_path)


def test_a_login_is_in_dockers_own_store_and_its_password_nowhere_else(
    home: Home, guarded: str
) -> None:
    done = home.login(guarded)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"✓ logged in to {guarded} as {USER}\n"
        f"  kept   {home.config}, readable for whoever may read that file\n"
    )
    told = f"+ docker login --username {USER} --password-stdin {guarded}"
    assert told in done.stderr.splitlines()
    assert PASSWORD not in done.stdout + done.stderr
    assert home.stored(guarded) == Credential(USER, Secret(PASSWORD))
    ws = workspace(home.folder, None, Runner(home.environ), **home.environ)
    connect(ws, guarded).check_push("team/app")

    gone = home.call("hullwright", "logout", guarded, "--format", "json")
    assert json.loads(gone.stdout) == {"schema": 1, "registry": guarded, "removed": True}
    assert home.stored(guarded) is None
    again = home.call("invoke", "logout", "--registry", guarded)
    assert (again.returncode, again.stdout) == (0, f"there was no login of {guarded}\n")


def test_a_credential_helper_keeps_it(home: Home, guarded: str) -> None:
    helper = home.folder / "docker-credential-pocket"
    helper.write_text(HELPER, encoding="utf-8")
    helper.chmod(0o755)
    home.config.parent.mkdir()
    home.config.write_text(json.dumps({"credHelpers": {guarded: "pocket"}}), encoding="utf-8")
    assert home.stored(guarded) is None
    done = home.login(guarded)
    assert done.stdout.endswith("  kept   docker-credential-pocket\n"), done.stderr
    assert PASSWORD not in home.config.read_text(encoding="utf-8")
    assert home.stored(guarded) == Credential(USER, Secret(PASSWORD))
    assert home.call("invoke", "logout", "--registry", guarded).returncode == 0
    assert home.stored(guarded) is None

    helper.write_text("#!/bin/sh\necho the safe is locked; exit 2\n", encoding="utf-8")
    with pytest.raises(UnavailableError, match="docker-credential-pocket did not give") as told:
        home.stored(guarded)
    assert "the safe is locked" in f"{told.value}"


def test_a_login_that_stays_is_told_of(home: Home, guarded: str) -> None:
    helper = home.folder / "docker-credential-glued"
    helper.write_text(HELPER.replace('rm -f "$kept"', "exit 1"), encoding="utf-8")
    helper.chmod(0o755)
    home.config.parent.mkdir()
    home.config.write_text(json.dumps({"credsStore": "glued"}), encoding="utf-8")
    assert home.login(guarded).returncode == 0
    done = home.call("invoke", "logout", "--registry", guarded)
    assert done.returncode == 3
    assert done.stderr.splitlines()[0] == f"✗ the login of {guarded} is still there"
    assert "docker-credential-glued" in done.stderr.splitlines()[-1]


def test_the_client_and_docker_read_the_same_variable(home: Home, guarded: str) -> None:
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    environ = {"DOCKER_AUTH_CONFIG": json.dumps({"auths": {guarded: {"auth": pair}}})}
    found = stored(Runner(home.environ), {**home.environ, **environ}, guarded)
    assert found == Credential(USER, Secret(PASSWORD))
    asked = ("docker", "buildx", "imagetools", "inspect", f"{guarded}/team/app:1")
    told = subprocess.run(
        asked, env={**home.environ, **environ}, check=False, capture_output=True, text=True
    )
    # It was let in, and there is no such image.
    assert "not found" in told.stderr
    assert "401" not in told.stderr


def test_a_password_that_is_refused_is_3_and_in_no_output(home: Home, guarded: str) -> None:
    done = home.login(guarded, typed="not the password")
    assert done.returncode == 3
    assert f"✗ {guarded} refuses the login of {USER}\n" in done.stderr
    assert "said  401 UNAUTHORIZED: authentication required" in done.stderr
    assert "not the password" not in done.stdout + done.stderr
    assert home.stored(guarded) is None


def test_a_registry_that_is_not_there_is_3(home: Home) -> None:
    done = home.login("127.0.0.1:1")
    assert done.returncode == 3
    assert "✗ 127.0.0.1:1 cannot be reached\n" in done.stderr


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--username", USER), "✗ no registry is named, and the configuration has none"),
        (("--registry", "127.0.0.1:1"), "✗ nobody is named who logs in to 127.0.0.1:1"),
        (
            ("--registry", "127.0.0.1:1", "--username", USER),
            "✗ no password came through standard input",
        ),
        (("--registry", "team", "--username", USER), '✗ "team" is not the address of a registry'),
    ],
)
def test_what_is_missing_is_2(home: Home, words: tuple[str, ...], line: str) -> None:
    done = home.call("invoke", "login", *words)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, line)
    assert not home.config.exists()


def test_the_configurations_registry_is_the_default(home: Home, guarded: str) -> None:
    settings = f'registry = "{guarded}/team"\n'
    (home.folder / "hullwright.toml").write_text(settings, encoding="utf-8")
    done = home.call("invoke", "login", "--username", USER, typed=PASSWORD)
    assert done.stdout.startswith(f"✓ logged in to {guarded} as {USER}\n"), done.stderr


def test_a_dry_run_tells_of_the_command_and_asks_for_nothing(home: Home, guarded: str) -> None:
    words = ("login", "--registry", guarded, "--username", USER)
    done = home.call("invoke", "--dry", *words)
    assert (done.returncode, done.stdout) == (0, "")
    assert f"docker login --username {USER} --password-stdin {guarded}" in done.stderr
    assert not home.config.exists()


def test_a_terminal_is_asked_and_shows_nothing(home: Home, guarded: str) -> None:
    master, terminal = os.openpty()
    words = ("login", "--registry", guarded, "--username", USER)
    # In a session of its own it has no other terminal to ask.
    with subprocess.Popen(
        ("invoke", *words),
        cwd=home.folder,
        env=home.environ,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        shown = b""
        while b": " not in shown:
            shown += os.read(master, 1000)
        os.write(master, f"{PASSWORD}\n".encode())
        stdout, _ = process.communicate(timeout=60)
    os.close(terminal)
    # Where all was read already, the closed other end is an error.
    with suppress(OSError):
        shown += os.read(master, 1000)
    os.close(master)
    assert process.returncode == 0, shown
    assert f"logged in to {guarded}".encode() in stdout
    assert f"password of {USER} at {guarded}: ".encode() in shown
    assert PASSWORD.encode() not in shown
