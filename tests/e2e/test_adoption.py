"""Repositories that adopt the suite with what the documentation says, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from composing import docker, there
from e2e.conftest import NOXFILE, ROOT, TASKS, Shop, stand_in
from vaults import made

pytestmark = pytest.mark.docker

COMPOSE: Final = """\
services:
  web:
    image: IMAGE
    command: sleep 600
    stop_grace_period: 0s
    environment: {TOLD: "${TOLD:-by nobody}"}
    healthcheck: {test: "true", interval: 200ms}
"""


def examples(document: str) -> list[str]:
    """Return the Python examples of a document."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def dockerfile_only(shop: Shop) -> Shop:
    """A repository with a Dockerfile and the two documented files."""
    # A line of its own, so that no build before it left the step in the cache.
    shop.write("Dockerfile", f"FROM IMAGE\nRUN echo {shop.project} > /made\n")
    return adopted(shop)


@pytest.fixture
def compose_only(shop: Shop) -> Shop:
    """A repository with a compose file and the two documented files."""
    shop.write("compose.yaml", COMPOSE)
    return adopted(shop)


def adopted(shop: Shop) -> Shop:
    tasks, noxfile = examples("README.md")
    shop.write("tasks.py", tasks)
    shop.write("noxfile.py", noxfile)
    shop.write(".gitignore", "__pycache__/\n")
    return shop.commit()


def told_as_json(shop: Shop, *words: str) -> Any:
    return json.loads(shop.call(*words, "--format", "json").stdout)


def test_the_examples_are_what_these_tests_write() -> None:
    tasks, noxfile = examples("README.md")
    assert tasks.split() == TASKS.split()
    assert noxfile.split() == NOXFILE.split()


def test_a_dockerfile_alone_is_built_measured_and_named(dockerfile_only: Shop) -> None:
    shop = dockerfile_only
    version = told_as_json(shop, "invoke", "version")
    assert version["version"].startswith("0.0.0-0.dev.1+g")
    shop.call("invoke", "build")
    (image,) = told_as_json(shop, "invoke", "sizes")["images"]
    assert image["reference"] == f"{shop.project}:{version['image_tag']}"
    assert docker("run", "--rm", image["reference"], "cat", "/made") == shop.project
    resolved = shop.call("invoke", "config").stdout
    assert re.search(r'dockerfile = "Dockerfile" +found in the repository', resolved)
    assert [run["kind"] for run in told_as_json(shop, "invoke", "history")["records"]] == [
        "sizes",
        "build",
    ]


def test_nox_builds_a_dockerfile_and_hands_the_version_on(
    dockerfile_only: Shop, tmp_path: Path
) -> None:
    shop = dockerfile_only
    listed = shop.call("nox", "-l").stdout
    name = f"build(platform='native', target='default', service='{shop.project}')"
    assert f"* {name}" in listed
    assert "cold_start" not in listed
    seen = tmp_path / "seen"
    shop.write("hullwright.toml", f'[hooks]\nbefore-build = ["sh", "-c", "env >{seen}"]\n')
    shop.commit()
    ran = shop.call("nox", "-s", "build", "-k", "default").stderr
    assert f"Session {name} was successful" in ran
    assert "Running session sizes" not in ran
    version = told_as_json(shop, "invoke", "version")
    handed = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
    assert handed["HULLWRIGHT_VERSION"] == version["version"]
    assert handed["HULLWRIGHT_REVISION"] == version["revision"]
    assert handed["HULLWRIGHT_IMAGE_TAG"] == version["image_tag"]
    form = '{{index .Config.Labels "org.opencontainers.image.version"}}'
    tagged = f"{shop.project}:{version['image_tag']}"
    assert docker("image", "inspect", "--format", form, tagged) == version["version"]


def test_a_compose_file_alone_is_started_entered_and_stopped(compose_only: Shop) -> None:
    shop = compose_only
    shop.call("invoke", "up")
    assert there(shop.project)["containers"] == [f"{shop.project}-web-1"]
    # The words as they are: neither joined nor split again.
    said = shop.call("hullwright", "exec", "web", "--", "sh", "-c", 'echo "a  b"; exit 7', code=7)
    assert said.stdout == "a  b\n"
    shop.call("invoke", "down")
    assert there(shop.project) == {"containers": [], "networks": [], "volumes": []}


def test_a_compose_file_alone_starts_from_nothing_and_leaves_nothing(compose_only: Shop) -> None:
    shop = compose_only
    (run,) = told_as_json(shop, "invoke", "cold-start")["runs"]
    assert [service["service"] for service in run["services"]] == ["web"]
    assert "* cold_start(stack='default')" in shop.call("nox", "-l").stdout
    assert "was successful" in shop.call("nox", "-s", "cold_start").stderr
    assert shop.projects() == []
    kinds = [run["kind"] for run in told_as_json(shop, "invoke", "history")["records"]]
    assert kinds == ["cold-start", "cold-start"]


# Extending


def test_a_task_of_the_repository_runs_after_ours(dockerfile_only: Shop, programs: Path) -> None:
    shop = dockerfile_only
    shop.write("tasks.py", examples("docs/extending.md")[0])
    shop.commit()
    stand_in(programs, "curl", 'echo "asked: $*"\n')
    listed = shop.call("invoke", "--list").stdout
    assert re.search(r"^  smoke +Ask the service for its version\.$", listed, re.MULTILINE)
    assert re.search(r"^  build ", listed, re.MULTILINE)
    for program in ("invoke", "hullwright"):
        done = shop.call(program, "smoke").stdout
        assert done.index(f"{shop.project}:") < done.index("asked: --fail --silent")


def test_a_task_of_the_repository_does_not_run_where_ours_failed(
    dockerfile_only: Shop, programs: Path
) -> None:
    shop = dockerfile_only
    shop.write("tasks.py", examples("docs/extending.md")[0])
    shop.write("Dockerfile", f"FROM IMAGE\nRUN echo {shop.project}; exit 1\n")
    shop.commit()
    stand_in(programs, "curl", 'echo "asked: $*"\n')
    for program in ("invoke", "hullwright"):
        done = shop.call(program, "smoke", code=1)
        assert f"✗ {shop.project}" in " ".join(done.stdout.split())
        assert "asked" not in done.stdout


def test_a_task_of_ours_is_replaced_by_one_that_calls_it(compose_only: Shop) -> None:
    shop = compose_only
    shop.write("tasks.py", examples("docs/extending.md")[1])
    shop.write("compose.dev.yaml", "services: {web: {environment: {TOLD: in dev}}}\n")
    shop.commit()
    for words, told in ((("up",), "in dev"), (("up", "--no-dev"), "by nobody")):
        shop.call("invoke", *words)
        entered = ("hullwright", "exec", "web", "--", "sh", "-c")
        assert shop.call(*entered, 'echo "$TOLD"').stdout == f"{told}\n"


def test_a_session_of_the_repository_gets_the_version_too(dockerfile_only: Shop) -> None:
    shop = dockerfile_only
    shop.write("noxfile.py", examples("docs/extending.md")[2])
    shop.write("scripts/smoke", "#!/bin/sh\nenv | grep ^HULLWRIGHT_\n", mode=0o755)
    shop.commit()
    lines = shop.call("nox", "-s", "smoke").stdout.splitlines()
    version = told_as_json(shop, "invoke", "version")
    assert f"HULLWRIGHT_VERSION={version['version']}" in lines
    assert f"HULLWRIGHT_REVISION={version['revision']}" in lines
    assert f"HULLWRIGHT_IMAGE_TAG={version['image_tag']}" in lines


# Hooks


def test_hooks_get_what_the_task_knows_twice(dockerfile_only: Shop, tmp_path: Path) -> None:
    shop = dockerfile_only
    script = f'#!/bin/sh\nenv >"{tmp_path}/$1.env"; cat >"{tmp_path}/$1.json"\n'
    shop.write("scripts/hook", script, mode=0o755)
    shop.write(
        "hullwright.toml",
        '[hooks]\nbefore-build = "./scripts/hook before"\n'
        'after-build = ["./scripts/hook", "after"]\n',
    )
    shop.commit()
    shop.call("invoke", "build")
    for when in ("before", "after"):
        document = json.loads((tmp_path / f"{when}.json").read_text())
        event = f"{when}-build"
        assert document == {"schema": 1, "event": event, "services": [shop.project]}
        lines = (tmp_path / f"{when}.env").read_text().splitlines()
        assert f"HULLWRIGHT_HOOK_EVENT={event}" in lines
        assert f"HULLWRIGHT_HOOK_SERVICES={shop.project}" in lines


def test_a_hook_that_fails_stops_the_task_and_is_shown(dockerfile_only: Shop) -> None:
    shop = dockerfile_only
    before = '["sh", "-c", "echo no schema >&2; exit 3"]'
    shop.write("hullwright.toml", f"[hooks]\nbefore-build = {before}\n")
    shop.commit()
    done = shop.call("invoke", "build", code=1)
    lines = [" ".join(line.split()) for line in done.stderr.splitlines()]
    assert "✗ the hook before-build stopped this run: it ended with 3" in lines
    assert "output no schema" in lines
    assert "next correct what it reports, or hooks.before-build in the configuration" in lines
    assert done.stdout == ""
    assert docker("image", "ls", "--quiet", shop.project) == ""


def test_a_hook_after_runs_only_where_the_work_held(dockerfile_only: Shop, tmp_path: Path) -> None:
    shop = dockerfile_only
    ran = tmp_path / "ran"
    shop.write("hullwright.toml", f'[hooks]\nafter-build = ["touch", "{ran}"]\n')
    shop.write("Dockerfile", f"FROM IMAGE\nRUN echo {shop.project}; exit 1\n")
    shop.commit()
    shop.call("invoke", "build", code=1)
    assert not ran.exists()


# What every task has


@pytest.mark.parametrize("program", ["invoke", "hullwright"])
def test_a_dry_run_changes_nothing(shop: Shop, program: str) -> None:
    shop.write("Dockerfile", "FROM IMAGE\n")
    shop.write("compose.yaml", f"{COMPOSE}    volumes: [kept:/kept]\nvolumes: {{kept: }}\n")
    adopted(shop)
    shop.call("hullwright", "up")
    before = (there(shop.project), files(shop), docker("image", "ls", "--quiet", shop.project))
    plans = {
        ("build",): f"{shop.project}:",
        ("cold-start",): f"{shop.project}-cold",
        ("up",): "web",
        ("down", "--volumes"): f"{shop.project}_kept",
    }
    for words, told in plans.items():
        assert told in shop.call(program, "--dry", *words).stdout, words
    assert before == (
        there(shop.project),
        files(shop),
        docker("image", "ls", "--quiet", shop.project),
    )


def files(shop: Shop) -> dict[Path, bytes]:
    """Return the files of a repository but Git's own."""
    found = [path for path in shop.path.rglob("*") if ".git" not in path.parts]
    return {path: path.read_bytes() for path in found if path.is_file()}


def test_echo_shows_commands_and_no_secret(shop: Shop, tmp_path: Path) -> None:
    vault = made(tmp_path / "vault")
    secret = "correct-horse-battery"
    vault.seal(".env.sops.yaml", f"TOLD: {secret}\n")
    vault.repository.write("compose.yaml", COMPOSE.replace("IMAGE", shop.image))
    vault.repository.commit()
    environ = vault.repository.environ | {"COMPOSE_PROJECT_NAME": shop.project}
    theirs = Shop(vault.root, shop.image, environ)
    done = theirs.call("hullwright", "--echo", "up")
    assert re.search(r"^\+ .*docker .*compose .*\bup\b", done.stderr, re.MULTILINE)
    assert secret not in done.stdout + done.stderr
    # It did arrive where it was meant to, and is masked in nothing that a program says itself.
    inspected = docker("inspect", "--format", "{{.Config.Env}}", f"{shop.project}-web-1")
    assert f"TOLD={secret}" in inspected
    kept = [path for path in (vault.root / ".hullwright").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if secret.encode() in path.read_bytes()]


def test_json_is_all_of_standard_output_and_the_summary_is_markdown(
    dockerfile_only: Shop, tmp_path: Path
) -> None:
    shop = dockerfile_only
    summary = tmp_path / "summary.md"
    words = ("invoke", "build", "--format", "json")
    done = shop.call(*words, GITHUB_STEP_SUMMARY=str(summary), FORCE_COLOR="1")
    told = json.loads(done.stdout)
    assert told["schema"] == 1
    assert [target["status"] for target in told["targets"]] == ["built"]
    assert "RUN echo" in done.stderr
    written = summary.read_text(encoding="utf-8")
    assert written.startswith("### ")
    assert "| image | status | seconds |" in written
    assert "\x1b[" not in written + done.stdout
