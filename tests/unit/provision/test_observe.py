"""Facts are read from what programs and files say, not from what they ought to say."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from hullwright.provision import observe
from hullwright.provision.facts import at_least, version_tuple
from hullwright.run import Result, Runner

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("v3.13.3", (3, 13, 3)),
        ("28.5.2+dfsg4-5", (28, 5, 2)),
        ("5:27.0.1-1~debian.12", (27, 0, 1)),
        ("26.1.5+dfsg1-9+deb13u1", (26, 1, 5)),
        ("2.0.0-rc.1", (2, 0, 0)),
        ("dev", ()),
    ],
)
def test_the_numbers_of_a_version(text: str, numbers: tuple[int, ...]) -> None:
    assert version_tuple(text) == numbers


@pytest.mark.parametrize(
    ("version", "enough"),
    [(None, False), ("", False), ("25.0.9", False), ("26.0", True), ("26.1.5+dfsg1", True)],
)
def test_a_floor_is_only_held_by_a_known_version(*, version: str | None, enough: bool) -> None:
    assert at_least(version, (26, 0)) is enough


def test_os_release_is_unquoted() -> None:
    machine = observe.observe_machine(
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n'
        "VERSION_CODENAME='bookworm'\n# comment\n"
    )
    assert (machine.os_id, machine.os_version, machine.codename) == ("debian", "12", "bookworm")
    assert machine.os_name == "Debian GNU/Linux 12 (bookworm)"


def test_leftover_configuration_and_the_dock_of_that_name_are_no_engine() -> None:
    listed = (
        "docker installed\ndocker-ce config-files\ndocker.io installed\npodman-docker unpacked\n"
    )
    assert observe.installed_packages(listed) == ["docker.io", "podman-docker"]


@pytest.mark.parametrize(
    ("registered", "reaches"),
    [
        ("enabled\ninterpreter /usr/libexec/qemu\nflags: PF\noffset 0\n", True),
        ("enabled\ninterpreter /usr/libexec/qemu\nflags: P\noffset 0\n", False),
        ("disabled\ninterpreter /usr/libexec/qemu\nflags: PF\n", False),
        ("", False),
    ],
)
def test_emulation_needs_the_flag_that_reaches_into_containers(
    *, registered: str, reaches: bool
) -> None:
    assert observe.emulates(registered) is reaches


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").write_text("ruff==1\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    return tmp_path


def made_environment(root: Path, version: str, stamp: str) -> None:
    folder = root / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    (folder / "bin" / "uv").touch()
    (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")
    (folder / "hullwright-stamp").write_text(f"{stamp}\n")


OWN_VERSION = ".".join(str(part) for part in sys.version_info[:3])


def test_an_environment_is_current_by_its_stamp(repository: Path) -> None:
    made_environment(repository, OWN_VERSION, observe.environment_stamp(repository))
    found = observe.observe_python(Runner({}), repository)
    assert found.state == "current"


def test_a_changed_lock_makes_it_stale(repository: Path) -> None:
    made_environment(repository, OWN_VERSION, observe.environment_stamp(repository))
    (repository / "requirements" / "dev.txt").write_text("ruff==2\n")
    found = observe.observe_python(Runner({}), repository)
    assert found.state == "stale"
    assert found.uv == str(repository / ".venv" / "bin" / "uv")


def test_a_changed_lint_setting_does_not(repository: Path) -> None:
    before = observe.environment_stamp(repository)
    with (repository / "pyproject.toml").open("a") as file:
        file.write("[tool.ruff]\nline-length = 99\n")
    assert observe.environment_stamp(repository) == before


def test_a_repository_without_our_lock_gets_no_environment(tmp_path: Path) -> None:
    assert observe.observe_python(Runner({}), tmp_path).state == "unmanaged"


def test_an_environment_of_another_python_counts_as_none(repository: Path) -> None:
    made_environment(repository, "3.9.2", observe.environment_stamp(repository))
    path = f"{repository}/.venv/bin"
    (repository / ".venv" / "bin" / "uv").chmod(0o755)
    found = observe.observe_python(Runner({"PATH": path}), repository)
    assert found.state == "absent"
    assert found.uv is None, "the uv inside is gone once the environment is made anew"


class Docker(Runner):
    """Answers for the docker client, which is the only program that there is."""

    def __init__(self, environ: dict[str, str], info: str) -> None:
        super().__init__(environ)
        self.info = info

    def find(self, program: str) -> str | None:
        return "/usr/bin/docker" if program == "docker" else None

    def read(self, *argv: str, **_: object) -> Result:
        told = {"info": self.info, "buildx": "  --format string  Format the output"}
        return Result(argv, 0, told[argv[1]])


INFO = (
    '{"ServerVersion": "28.5.2", "ClientInfo": {"Plugins": ['
    '{"Name": "buildx", "Version": "v0.29.1"}, {"Name": "compose", "Version": "2.40.3"}]}}'
)


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "_socket_answer", lambda: "closed")
    monkeypatch.setattr(observe, "_existing", lambda _: None)
    monkeypatch.setattr(observe, "_engine_packages", lambda _: ())


@pytest.mark.usefixtures("no_engine")
def test_a_running_engine_is_described_by_its_client(tmp_path: Path) -> None:
    engine = observe._observe_engine(Docker({"HOME": str(tmp_path)}, INFO), tmp_path)
    assert (engine.state, engine.version) == ("running", "28.5.2")
    assert (engine.buildx, engine.buildx_history, engine.compose) == ("v0.29.1", True, "2.40.3")


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize("info", ["", "{}", "not JSON", '{"ServerErrors": ["no"]}'])
def test_no_answer_on_a_bare_machine_is_no_engine(tmp_path: Path, info: str) -> None:
    engine = observe._observe_engine(Docker({"HOME": str(tmp_path)}, info), tmp_path)
    assert (engine.state, engine.version) == ("absent", None)


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(
    ("environ", "host", "context"),
    [
        ({"DOCKER_HOST": "tcp://server.example:2376"}, "tcp://server.example:2376", None),
        ({"DOCKER_CONTEXT": "server"}, None, "server"),
    ],
)
def test_a_named_engine_that_is_silent_is_unreachable(
    tmp_path: Path, environ: dict[str, str], host: str | None, context: str | None
) -> None:
    engine = observe._observe_engine(Docker({"HOME": str(tmp_path), **environ}, "{}"), tmp_path)
    assert (engine.state, engine.host, engine.context) == ("unreachable", host, context)


@pytest.mark.usefixtures("no_engine")
def test_the_context_of_the_clients_configuration_counts(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"currentContext": "server"}')
    engine = observe._observe_engine(Docker({"DOCKER_CONFIG": str(tmp_path)}, "{}"), tmp_path)
    assert engine.context == "server"


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(
    ("answer", "state"), [("denied", "denied"), ("open", "stopped"), ("closed", "absent")]
)
def test_the_socket_tells_why_no_engine_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, state: str
) -> None:
    monkeypatch.setattr(observe, "_socket_answer", lambda: answer)
    engine = observe._observe_engine(Docker({"HOME": str(tmp_path)}, "{}"), tmp_path)
    assert engine.state == state


@pytest.mark.parametrize(
    ("name", "text", "signed"),
    [
        ("hullwright.toml", '[signing]\nkey = "cosign.key"\n', True),
        ("hullwright.toml", "[signing]\n", False),
        ("hullwright.toml", "[signing\n", False),
        ("pyproject.toml", '[tool.hullwright.signing]\ntrusted = ["a.pub"]\n', True),
        ("pyproject.toml", "[tool]\nhullwright = 3\n", False),
        ("pyproject.toml", '[signing]\nkey = "of another tool"\n', False),
        ("requirements/dev.txt", "", True),
    ],
)
def test_cosign_is_wanted_where_images_are_signed_or_verified(
    tmp_path: Path, name: str, text: str, *, signed: bool
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert observe.signs(tmp_path) is signed
