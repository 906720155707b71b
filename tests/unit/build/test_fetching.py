"""Images that only the registry has: pulled by digest, and built where that is not possible."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright import build
from hullwright.build import BuildPlan, Decision, PlannedTarget
from hullwright.build.fetching import fetched
from hullwright.config.models import Config, Signing
from hullwright.recorded import load
from hullwright.run import Result
from hullwright.tools.buildx import BakeTarget
from replaying import Replay, workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hullwright.secret import Secret

DIGEST: Final = f"sha256:{'ab' * 32}"
FETCH: Final = Decision(
    "fetch",
    "inputs unchanged since 1.2.3",
    version="1.2.3",
    revision="a" * 40,
    reference="r.example/a:1.2.3",
    digest=DIGEST,
    platforms=("linux/amd64",),
    stored=False,
)


@dataclass
class Pulling(Replay):
    """A registry that has nothing where `refusal` says why."""

    refusal: str = ""

    def stream(
        self,
        *argv: str,
        on_line: Callable[[str], None],
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
        stdin: str | None = None,
        check: bool = True,
    ) -> Result:
        done = super().stream(*argv, on_line=on_line, cwd=cwd, env=env, stdin=stdin, check=check)
        refused = self.refusal and argv[:2] == ("docker", "pull")
        return replace(done, returncode=1, stdout=self.refusal) if refused else done


def plan(*platforms: str) -> BuildPlan:
    bake = BakeTarget("a", ".", "Dockerfile")
    first = PlannedTarget("a", "", "r.example/a:2.0.0", platforms, "2.0.0", "", bake)
    contexts = {"r.example/a": f"docker-image://r.example/a:1.2.3@{DIGEST}"}
    on = BakeTarget("b", ".", "Dockerfile", contexts=contexts)
    second = PlannedTarget(
        "b", "", "r.example/b:2.0.0", (), "2.0.0", "", on, links={"r.example/a": "a"}
    )
    return BuildPlan((replace(first, decision=FETCH), second))


def test_an_image_is_pulled_by_digest_and_gets_its_name(tmp_path: Path) -> None:
    runner = Replay({})
    made = fetched(workspace(tmp_path, runner=runner), plan("linux/arm64"))
    assert [call.argv for call in runner.calls] == [
        ("docker", "pull", "--quiet", "--platform=linux/arm64", f"r.example/a@{DIGEST}"),
        ("docker", "tag", f"r.example/a@{DIGEST}", "r.example/a:1.2.3"),
    ]
    assert made.targets[0].decision == replace(FETCH, stored=True)
    assert made.targets[1] == plan().targets[1]


def test_a_fetched_image_is_current_and_recorded(tmp_path: Path) -> None:
    ws = workspace(tmp_path, runner=Pulling({}))
    only = replace(plan(), targets=plan().targets[:1])
    (target,) = build.execute(ws, only).targets
    assert (target.status, target.digest, target.version) == ("current", DIGEST, "1.2.3")
    assert load(ws)["a", ""].reference == "r.example/a:1.2.3"


def test_what_cannot_be_fetched_is_built_and_so_is_what_is_built_on_it(tmp_path: Path) -> None:
    ws = workspace(tmp_path, runner=Pulling({}, refusal="one\ndenied: no such thing"))
    made = fetched(ws, plan())
    first, second = made.targets
    assert first.decision.action == "build"
    assert "could not be fetched: denied: no such thing" in first.decision.reason
    assert second.bake.contexts == {"r.example/a": "target:a"}
    assert isinstance(ws.console.err, io.StringIO)
    assert "! a is built, for its image could not be fetched" in ws.console.err.getvalue()


def test_what_no_trusted_key_signed_is_not_fetched_but_built(tmp_path: Path) -> None:
    config = Config("shop", signing=Signing(trusted=("a.pub",)))
    (tmp_path / "a.pub").write_text("-----BEGIN PUBLIC KEY-----\n", encoding="utf-8")
    (tmp_path / "cosign").write_text("", encoding="utf-8")
    (tmp_path / "cosign").chmod(0o755)
    unsigned = Result(("cosign",), 10, "", "Error: no signatures found")
    answers: dict[tuple[str, ...], Result] = {
        ("cosign",): unsigned,
        ("docker", "info"): Result(("docker",), 0, "null"),
    }
    runner = Replay({"PATH": str(tmp_path)}, results=answers)
    ws = workspace(tmp_path, config, runner)
    made = fetched(ws, plan())
    assert made.targets[0].decision.action == "build"
    assert made.targets[0].decision.reason.endswith("could not be fetched: it is not signed")
    assert not [call for call in runner.calls if call.argv[:2] == ("docker", "pull")]


def test_nothing_to_fetch_asks_nobody(tmp_path: Path) -> None:
    runner = Replay({})
    given = BuildPlan(plan().targets[1:])
    assert fetched(workspace(tmp_path, runner=runner), given) is given
    assert runner.calls == []
