"""The exact commands of a plan, and what a failed pull says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.bases.execute import execute
from hullwright.bases.models import Build, Plan, Pull, Recipe
from hullwright.config.models import Build as ConfiguredBuild
from hullwright.config.models import Config
from hullwright.errors import ExitCode, LockedError, UnavailableError
from hullwright.files import lock
from hullwright.images import Platform
from hullwright.run import Result
from hullwright.tools.mmdebstrap import PROXY_ARGV, TARGETS_ARGV
from hullwright.tools.registry import Answer
from replaying import Replay, workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

AMD: Final = Platform("linux", "amd64")
DONE: Final = Result((), 0)
MIRROR: Final = "http://mirror.example.com/debian"
PULL: Final = Pull(
    "postgres:17",
    "postgres:17",
    AMD,
    (Answer("unreachable", "index.example.com", "Name or service not known"),),
    "not in the local store",
)


class Machine(Replay):
    """A Debian machine that has every tool."""

    def find(self, program: str) -> str | None:
        return f"/usr/bin/{program}"


def machine(targets: str, more: Mapping[tuple[str, ...], Result]) -> Machine:
    results = {
        TARGETS_ARGV: Result((), 0, targets),
        PROXY_ARGV: Result((), 0, "http://proxy.example.com:3128\n"),
        ("docker", "context", "show"): Result((), 0, "default\n"),
        # Nobody tells which packages it holds; it is made all the same.
        ("docker", "container", "create"): Result(("docker",), 1),
        **more,
    }
    return Machine({}, results=results)


def recipe(tmp_path: Path, toolchain: str = "") -> Recipe:
    folder = tmp_path / "recipe"
    (folder / "hooks").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    found = Recipe("postgres", folder, ("postgres:17",), "trixie", ("a",), digest="sha256:1")
    return replace(found, go_toolchain=toolchain)


def test_a_stand_in_is_made_from_this_machines_packages(tmp_path: Path) -> None:
    targets = f"{MIRROR}/ trixie main /nowhere/debian.sources:1 Debian\n"
    runner = machine(targets, {("mmdebstrap",): DONE, ("docker", "buildx"): DONE})
    plan = Plan((), (Build("postgres:17", recipe(tmp_path), (AMD,), "it is missing"),))
    (done,) = execute(workspace(tmp_path, runner=runner), plan)
    assert done.operation == plan.operations[0]
    calls = {call.argv[0]: call for call in runner.calls}
    bootstrap = calls["mmdebstrap"]
    assert bootstrap.stdin == (
        f"Types: deb\nURIs: {MIRROR}\nSuites: trixie trixie-updates\nComponents: main\n"
    )
    assert bootstrap.env == {
        "SOURCE_DATE_EPOCH": "1754697600",
        "http_proxy": "http://proxy.example.com:3128",
    }
    # The address is the site's own: no word puts it, or any other source, into the image.
    assert not any(MIRROR in word or "upload" in word for word in bootstrap.argv)
    context = Path(bootstrap.argv[-2]).parent
    (built,) = (call.argv for call in runner.calls if call.argv[:2] == ("docker", "buildx"))
    assert built == (
        *("docker", "buildx", "build", "--builder", "default", "--load", "--provenance=false"),
        *("--platform", "linux/amd64", "--label", "dev.hullwright.stand-in=postgres:17"),
        *("--label", "dev.hullwright.recipe=sha256:1", "--tag", "postgres:17", str(context)),
    )
    assert not context.exists()


def _built(runner: Replay) -> tuple[str, ...]:
    """Return the last build's words; what follows it only looks at the image."""
    return [call.argv for call in runner.calls if "--tag" in call.argv][-1]


def test_a_recipe_that_downloads_gets_the_sites_certificates(tmp_path: Path) -> None:
    targets = f"{MIRROR}/ trixie main /nowhere/debian.sources:1 Debian\n"
    runner = machine(targets, {("mmdebstrap",): DONE, ("docker", "buildx"): DONE})
    plan = Plan((), (Build("qdrant:1", recipe(tmp_path), (AMD,), "it is missing"),))
    config = Config("shop", build=ConfiguredBuild(ca_bundle="site.pem"))
    without = workspace(tmp_path, config, runner)
    execute(without, plan)
    assert "--secret" not in _built(runner)
    (tmp_path / "site.pem").write_text("certificates", encoding="utf-8")
    execute(without, plan)
    words = _built(runner)
    assert words[words.index("--secret") + 1] == f"id=ca-bundle,src={tmp_path / 'site.pem'}"


def test_debians_public_address_becomes_the_images_source(tmp_path: Path) -> None:
    targets = "http://ftp.xx.debian.org/debian/ trixie main /nowhere/d.sources:1 Debian\n"
    runner = machine(targets, {("mmdebstrap",): DONE, ("docker", "buildx"): DONE})
    plan = Plan((), (Build("postgres:17", recipe(tmp_path), (AMD,), "it is missing"),))
    execute(workspace(tmp_path, runner=runner), plan)
    words = next(call.argv for call in runner.calls if call.argv[0] == "mmdebstrap")
    assert any(word.startswith("--customize-hook=upload ") for word in words)


def test_a_go_toolchain_comes_from_the_module_proxy(tmp_path: Path) -> None:
    runner = machine(
        f"{MIRROR}/ trixie main /nowhere/debian.sources:1 Debian\n",
        {
            ("mmdebstrap",): DONE,
            ("docker", "buildx"): DONE,
            ("go", "mod"): DONE,
            ("go", "env"): Result((), 0, "/go/pkg/mod\n"),
        },
    )
    made = recipe(tmp_path, toolchain="1.26.11")
    execute(workspace(tmp_path, runner=runner), Plan((), (Build("golang:1", made, (AMD,), ""),)))
    module = "golang.org/toolchain@v0.0.1-go1.26.11.linux-amd64"
    words = [call.argv for call in runner.calls]
    assert ("go", "mod", "download", module) in words
    (built,) = (call for call in words if call[:2] == ("docker", "buildx"))
    assert f"toolchain-amd64=/go/pkg/mod/{module}" in built


def test_a_machine_without_debians_packages_ends_with_3(tmp_path: Path) -> None:
    plan = Plan((), (Build("postgres:17", recipe(tmp_path), (AMD,), ""),))
    with pytest.raises(UnavailableError, match="no source of Debian's packages") as caught:
        execute(workspace(tmp_path, runner=machine("", {})), plan)
    assert caught.value.exit_code is ExitCode.UNAVAILABLE


def test_a_mirrors_image_gets_the_name_that_is_wanted(tmp_path: Path) -> None:
    runner = Replay({}, results={("docker",): DONE})
    pull = replace(PULL, source="mirror.example.com/library/postgres:17")
    execute(workspace(tmp_path, runner=runner), Plan((), (pull,)))
    assert [call.argv for call in runner.calls] == [
        ("docker", "pull", "--quiet", "--platform", "linux/amd64", pull.source),
        ("docker", "image", "tag", pull.source, "postgres:17"),
    ]


@pytest.mark.parametrize(
    ("answer", "next_step"),
    [
        (PULL.asked[0], "invoke images --prepare --stand-ins"),
        (Answer("refused", "r.example.com", "401, it wants a login", 401), "docker login r.exam"),
        (Answer("refused", "r.example.com", "429, too many requests", 429), "wait, log in"),
        (Answer("absent", "r.example.com", "404, it has no such image", 404), "correct the name"),
    ],
)
def test_a_failed_pull_ends_with_3_in_the_registrys_words(
    tmp_path: Path, answer: Answer, next_step: str
) -> None:
    runner = Replay({}, results={("docker",): Result((), 1, "", "Error response from daemon: x")})
    plan = Plan((), (replace(PULL, asked=(answer,)),))
    with pytest.raises(UnavailableError, match="postgres:17 could not be pulled") as caught:
        execute(workspace(tmp_path, runner=runner), plan)
    assert caught.value.exit_code is ExitCode.UNAVAILABLE
    assert (answer.host, answer.words) in caught.value.why
    assert ("engine", "Error response from daemon: x") in caught.value.why
    assert caught.value.next_step.startswith(next_step)


def test_two_runs_do_not_prepare_at_once(tmp_path: Path) -> None:
    with (
        lock(tmp_path / "cache/hullwright/images.lock", "the test"),
        pytest.raises(LockedError, match="preparation of base images is in use") as caught,
    ):
        execute(workspace(tmp_path), Plan((), (PULL,)))
    assert caught.value.exit_code is ExitCode.LOCKED


def test_a_plan_without_operations_does_nothing(tmp_path: Path) -> None:
    assert execute(workspace(tmp_path), Plan(("postgres:17",), ())) == ()
    assert not (tmp_path / "cache").exists()
