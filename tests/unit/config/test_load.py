"""Where values come from, which one counts, and what is said when two cannot both be meant."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hullwright.config.discover import find_root
from hullwright.config.load import load, resolve
from hullwright.config.problems import ConfigurationError
from hullwright.errors import ExitCode, UsageError
from hullwright.images import Platform

TABLE = (
    '[tool.hullwright]\nproject = "shop"\nregistry = "ghcr.io/team"\nplatforms = ["linux/arm64"]'
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository that is configured in its `pyproject.toml`."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(TABLE, encoding="utf-8")
    return folder


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, environ: dict[str, str] | None = None) -> list[str]:
    return [f"{problem}" for problem in resolve(folder, environ or {}).problems]


def test_the_command_line_comes_before_the_environment_before_the_file(repository: Path) -> None:
    environ = {
        "HULLWRIGHT_REGISTRY": "127.0.0.1:5000",
        "HULLWRIGHT_PLATFORMS": "linux/amd64, linux/386",
        "HULLWRIGHT_JOBS": "3",
        "HULLWRIGHT_CACHE": "gha type=registry,ref=ghcr.io/team/cache",
    }
    config = load(repository, environ, {"registry": "quay.io/x"})
    assert config.registry == "quay.io/x"
    assert config.platforms == (Platform("linux", "amd64"), Platform("linux", "386"))
    assert config.build.jobs == 3
    assert config.build.cache == ("gha", "type=registry,ref=ghcr.io/team/cache")
    assert config.project == "shop"
    assert config.origins["registry"] == "command line"
    assert config.origins["platforms"] == "HULLWRIGHT_PLATFORMS"
    assert config.origins["project"] == "pyproject.toml"
    assert "history.path" not in config.origins


def test_an_empty_variable_says_nothing_and_an_empty_word_takes_away(repository: Path) -> None:
    assert load(repository, {"HULLWRIGHT_REGISTRY": ""}).registry == "ghcr.io/team"
    assert load(repository, {}, {"platforms": ""}).platforms == ()


def test_variables_of_other_uses_are_no_problem(repository: Path) -> None:
    names = ("VERSION", "REVISION", "DATABASE_HOST", "HISTORY_TOKEN", "HOOK_EVENT", "ANYTHING")
    assert problems(repository, {f"HULLWRIGHT_{name}": "1" for name in names}) == []


def test_a_problem_names_the_variable_that_said_it(repository: Path) -> None:
    environ = {"HULLWRIGHT_PLATFORMS": "linux", "HULLWRIGHT_JOBS": "many"}
    with pytest.raises(ConfigurationError) as raised:
        load(repository, environ)
    assert {problem.origin for problem in raised.value.problems} == set(environ)
    assert raised.value.exit_code == ExitCode.USAGE
    assert "HULLWRIGHT_PLATFORMS" in str(raised.value)


def test_a_variable_replaces_a_broken_value_of_the_file(repository: Path) -> None:
    write(repository, "pyproject.toml", "[tool.hullwright]\nregistry = 3\nhistory = 4\n")
    assert problems(repository, {"HULLWRIGHT_REGISTRY": "ghcr.io", "HULLWRIGHT_HISTORY": "x"}) == [
        "history: expected a table, got a whole number"
    ]


def test_an_unknown_key_of_the_command_line_is_refused(repository: Path) -> None:
    with pytest.raises(UsageError, match='unknown key "registy" — did you mean "registry"'):
        load(repository, {}, {"registy": "ghcr.io"})


def test_two_files_are_refused(repository: Path) -> None:
    write(repository, "hullwright.toml", 'project = "other"')
    with pytest.raises(UsageError, match="two files configure this repository") as raised:
        load(repository, {})
    assert "[tool.hullwright] in pyproject.toml" in str(raised.value)
    assert raised.value.exit_code == ExitCode.USAGE


def test_the_own_file_stands_beside_a_pyproject_without_the_table(repository: Path) -> None:
    write(repository, "pyproject.toml", '[project]\nname = "uses-hullwright"')
    write(repository, "hullwright.toml", 'project = "own"')
    config = load(repository, {})
    assert (config.project, config.origins["project"]) == ("own", "hullwright.toml")


def test_a_file_that_is_not_toml_is_named_with_the_line(repository: Path) -> None:
    write(repository, "pyproject.toml", "[tool.hullwright]\nproject = shop\n")
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml.*not TOML.*line 2"):
        load(repository, {})
    write(repository, "pyproject.toml", "").write_bytes(b'[tool.hullwright]\nproject = "\xff"')
    with pytest.raises(ConfigurationError, match="not TOML"):
        load(repository, {})


def test_without_any_key_the_folder_names_the_project(tmp_path: Path) -> None:
    folder = tmp_path / "My Shop (2)"
    folder.mkdir()
    config = load(folder, {})
    assert config.project == "myshop2"
    assert dict(config.services) == {}
    assert dict(config.stacks) == {}
    assert config.platforms == ()


def test_the_site_s_certificates_are_the_default_bundle(repository: Path) -> None:
    config = load(repository, {"SSL_CERT_FILE": "/etc/ssl/site.pem"})
    assert config.build.ca_bundle == "/etc/ssl/site.pem"
    assert config.origins["build.ca-bundle"] == "SSL_CERT_FILE"
    environ = {"SSL_CERT_FILE": "/a.pem", "HULLWRIGHT_CA_BUNDLE": "/b.pem"}
    assert load(repository, environ).build.ca_bundle == "/b.pem"
    write(repository, "pyproject.toml", '[tool.hullwright.build]\nca-bundle = ""')
    assert load(repository, {"SSL_CERT_FILE": "/a.pem"}).build.ca_bundle == ""


def test_a_stack_without_files_takes_those_that_compose_finds(repository: Path) -> None:
    write(repository, "pyproject.toml", '[tool.hullwright.stacks.default]\ntimeout = "1m"')
    assert problems(repository) == [
        "stacks.default.files: missing, and the repository has no compose file at its top"
    ]
    write(repository, "compose.yml", "services: {}")
    stack = load(repository, {}).stacks["default"]
    assert (stack.files, stack.timeout) == (("compose.yml",), timedelta(minutes=1))


def test_an_environment_without_a_stack_runs_the_only_one(repository: Path) -> None:
    table = '[tool.hullwright]\nstacks.web.files = ["web.yaml"]\nenvironments.live = {}'
    write(repository, "pyproject.toml", table)
    environment = load(repository, {}).environments["live"]
    assert environment.stack == "web"
    assert environment.secrets == "deploy/environments/live.sops.yaml"


def test_a_secret_in_the_place_of_its_public_key_is_not_repeated(repository: Path) -> None:
    # Assembled, so that no file of the repository looks as if it held a key.
    secret = "AGE-SECRET-KEY-" + "1" * 20
    table = f'[tool.hullwright]\nsecrets.development-keys = ["{secret}"]'
    write(repository, "pyproject.toml", table)
    [problem] = problems(repository)
    assert "a secret key stands where its public key" in problem
    assert secret not in problem


def test_the_shortest_length_of_a_secret_is_a_figure(repository: Path) -> None:
    table = "[tool.hullwright]\nsecrets.min-length = { TOKEN = 32, KEY = -1, WORD = 'long' }"
    write(repository, "pyproject.toml", table)
    assert problems(repository) == [
        "secrets.min-length.KEY: expected a figure that is not negative, got -1",
        "secrets.min-length.WORD: expected a whole number, got a string",
    ]
    write(repository, "pyproject.toml", "[tool.hullwright]\nsecrets.min-length = { TOKEN = 32 }")
    assert load(repository, {}).secrets.min_length == {"TOKEN": 32}


def test_a_password_in_an_address_is_not_repeated(repository: Path) -> None:
    table = '[tool.hullwright]\nhistory.url = "https://me:swordfish@example.com"'
    write(repository, "pyproject.toml", table)
    [problem] = problems(repository)
    assert "an address with a password" in problem
    assert "swordfish" not in problem


def test_a_key_that_signs_is_named(repository: Path) -> None:
    write(repository, "pyproject.toml", '[tool.hullwright]\nsigning.key = "env:"')
    assert problems(repository) == [
        "signing.key: not a key: env: is followed by the name of a variable"
    ]


@pytest.mark.parametrize("url", ["history", "ftp://example.com", "http://", "http://[::1"])
def test_what_is_no_address_is_refused(repository: Path, url: str) -> None:
    assert problems(repository, {"HULLWRIGHT_HISTORY": url}) == [
        "history.url: not an address: expected http://host[:port] or https://…"
    ]


def test_discovery_is_off_where_services_are_configured(repository: Path) -> None:
    write(repository, "Dockerfile", "FROM scratch")
    assert list(load(repository, {}).services) == ["shop"]
    write(repository, "pyproject.toml", '[tool.hullwright.services.web]\ncontext = "web"')
    assert list(load(repository, {}).services) == ["web"]
    write(repository, "pyproject.toml", "[tool.hullwright.services]")
    assert list(load(repository, {}).services) == []


def test_services_are_looked_for_only_when_they_are_asked_for(repository: Path) -> None:
    write(repository, "compose.yaml", "services: [unclosed")
    config = load(repository, {})
    assert config.project == "shop"
    with pytest.raises(ConfigurationError, match=r"compose\.yaml.*not YAML"):
        list(config.services)


class TestFindRoot:
    """The root is where configuration or a repository is, from a folder upwards."""

    def test_a_table_a_file_or_a_repository_end_the_search(self, tmp_path: Path) -> None:
        inner = tmp_path / "a" / "b" / "c"
        inner.mkdir(parents=True)
        (tmp_path / ".git").mkdir()
        assert find_root(inner) == tmp_path
        write(tmp_path, "a/pyproject.toml", "[tool.hullwright]")
        assert find_root(inner) == tmp_path / "a"
        write(tmp_path, "a/b/hullwright.toml", "")
        assert find_root(inner) == tmp_path / "a" / "b"

    def test_a_worktree_is_a_repository(self, tmp_path: Path) -> None:
        write(tmp_path, ".git", "gitdir: elsewhere")
        assert find_root(tmp_path) == tmp_path

    def test_a_pyproject_of_something_else_is_passed_by(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        write(tmp_path, "api/pyproject.toml", '[project]\ndependencies = ["hullwright"]')
        assert find_root(tmp_path / "api") == tmp_path

    def test_a_broken_table_is_the_root_that_loading_complains_about(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        write(tmp_path, "api/pyproject.toml", "[tool.hullwright\n")
        assert find_root(tmp_path / "api") == tmp_path / "api"


@given(
    st.dictionaries(
        st.sampled_from(["project", "registry", "platforms", "services", "stacks", "x", "hooks"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=6,
        ),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_table_whatever_breaks_the_loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: dict[str, object]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("hullwright.config.load.read_files", lambda _: ("hullwright.toml", raw))
        resolution = resolve(tmp_path, {})
    assert all(problem.message for problem in resolution.problems)
    if "x" in raw:
        assert "x" in {problem.path for problem in resolution.problems}
