"""Scanning real images, a real Git history, contexts and files for what real sops decrypts."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.config.models import Config, Service, Stack
from hullwright.errors import CheckFailedError, ExitCode, UsageError
from hullwright.recorded import RecordedImage, save
from hullwright.report import scan as report
from hullwright.scan import ScanReport, ScanRequest, execute, plan
from hullwright.secret import Secret
from repositories import FIRST_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullwright.workspace import Workspace
    from vaults import Vault

TOKEN: Final = "q7Vt0zB1u8Xw2Yd3"
PASSWORD: Final = "Lm4/Np5+Qr6=St7 U"
VALUES: Final = {"TOKEN": Secret(TOKEN), "PASSWORD": Secret(PASSWORD), "PIN": Secret("1234")}
DOCKERFILE: Final = """\
FROM {base} AS made
ARG TOKEN
COPY . /app
RUN echo $TOKEN >/dev/null && rm -r /app/deleted
ENV API_TOKEN={token}
LABEL note="see {encoded}"
"""


def docker(*words: str) -> str:
    done = subprocess.run(("docker", *words), check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def leaky(busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield an image that holds secrets in every way that images have."""
    folder = tmp_path_factory.mktemp("leaky")
    encoded = base64.b64encode(PASSWORD.encode()).decode()
    text = DOCKERFILE.format(base=busybox, token=TOKEN, encoded=encoded)
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    (folder / ".dockerignore").write_text("Dockerfile\n", encoding="utf-8")
    (folder / "deleted").mkdir()
    (folder / "deleted/key").write_text(f"x{TOKEN}\n", encoding="utf-8")
    border = b"\n" * (256 * 1024 - 9) + base64.b64encode(b"?" + PASSWORD.encode() + b"?")
    (folder / "border.bin").write_bytes(border)
    reference = f"hwtest-{uuid.uuid4().hex[:10]}:1"
    docker(
        *("buildx", "build", "--quiet", "--load", "--provenance=mode=max"),
        *("--build-arg", f"TOKEN={TOKEN}", "--tag", reference, str(folder)),
    )
    yield reference
    docker("image", "rm", "--force", reference)


def scanned(
    ws: Workspace, request: ScanRequest, values: dict[str, Secret] | None = None
) -> ScanReport:
    found = execute(ws, plan(ws, request), VALUES if values is None else values)
    everything = f"{found!r}{report.text(found)}{report.markdown(found)}{report.as_json(found)}"
    for value in (TOKEN, PASSWORD):
        assert value not in everything
        assert base64.b64encode(value.encode()).decode() not in everything
    return found


def told(found: ScanReport) -> set[str]:
    """Return what was found, without the names of images and gitleaks' absence."""
    return {
        f"{one.subject.partition(' ')[2]} {one.message.partition('; ')[0]}"
        for one in found.findings
        if one.id != "scan.gitleaks"
    }


@pytest.mark.docker
def test_every_place_of_an_image_is_searched(vault: Vault, leaky: str) -> None:
    found = scanned(vault.workspace(), ScanRequest(images=(leaky,)))
    assert found.failed
    assert {one for one in told(found) if not one.startswith("provenance")} == {
        "layer 3: app/deleted/key holds the value of TOKEN, as it is",
        "layer 3: app/border.bin holds the value of PASSWORD, base64",
        "configuration: ENV API_TOKEN holds the value of TOKEN, as it is",
        "configuration: label note holds the value of PASSWORD, base64",
        "configuration: history step 4 holds the value of TOKEN, as it is",
        "configuration: history step 6 holds the value of TOKEN, as it is",
        "configuration: history step 7 holds the value of TOKEN, as it is",
        "configuration: history step 8 holds the value of PASSWORD, base64",
    }
    assert any(one.startswith("provenance") and "value of TOKEN" in one for one in told(found))
    deleted = next(one for one in found.findings if "deleted/key" in one.subject)
    assert "made by COPY . /app; deleted in a later layer" in deleted.message
    assert found.short == ("PIN",)


@pytest.mark.docker
def test_a_clean_image_holds(vault: Vault, busybox: str) -> None:
    found = scanned(vault.workspace(), ScanRequest(images=(busybox,)))
    assert not found.failed
    assert told(found) == set()
    assert found.searched[0].bytes > 500_000
    assert report.verdict(found) == "✓ 2 values searched for, none found"


@pytest.mark.docker
def test_what_builds_recorded_is_searched_and_what_is_gone_is_told(
    vault: Vault, leaky: str
) -> None:
    ws = vault.workspace()
    digest = json.loads(docker("image", "inspect", "--format", "{{json .Id}}", leaky))
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(FIRST_S, UTC)
    there = RecordedImage("api", "", leaky, digest, "1", "", ("linux/amd64",), at)
    gone = replace(there, service="web", reference="shop/web:1", digest=f"sha256:{'0' * 64}")
    save(ws, (there, gone))
    wanted = plan(ws, ScanRequest())
    assert wanted.text() == (
        f"search image {leaky}: each file of each layer, configuration, attestations\n"
        "leave out image shop/web:1: it is not in the local store"
    )
    found = execute(ws, wanted, VALUES)
    assert [place.place for place in found.searched] == [f"image {leaky}"]
    assert found.findings[-2].message == "was not searched: it is no longer in the local store"


@pytest.mark.docker
def test_an_image_that_is_not_there_is_not_pulled(vault: Vault, engine: str) -> None:
    with pytest.raises(UsageError, match="is not in the local store") as raised:
        plan(vault.workspace(), ScanRequest(images=("hwtest-nowhere:1",)))
    assert raised.value.exit_code == ExitCode.USAGE


def test_the_history_is_searched_and_a_removed_file_named(vault: Vault) -> None:
    repository = vault.repository
    repository.commit(file="a")
    first = repository.commit(file="conf/old näme.env", text=f"T={TOKEN}\n")
    (vault.root / "conf/old näme.env").unlink()
    repository.commit(file="b")
    repository.git("tag", "--annotate", "--message", f"with {TOKEN}", "v1")
    repository.write("staged", PASSWORD.encode().hex())
    repository.git("add", "staged")
    found = scanned(vault.workspace(), ScanRequest(git_history=True))
    subjects = {one.subject: one for one in found.findings}
    assert f"commit {first[:7]}: conf/old näme.env" in subjects
    assert any(subject.startswith("tag ") for subject in subjects)
    staged = next(one for one in found.findings if one.severity == "warning")
    assert staged.message == (
        "holds the value of PASSWORD, hexadecimal; in no commit of a branch or tag"
    )


def test_a_commit_message_and_a_merge_are_searched(vault: Vault) -> None:
    repository = vault.repository
    repository.commit()
    repository.git("switch", "--quiet", "--create", "side")
    repository.commit(file="side")
    repository.git("switch", "--quiet", "main")
    repository.commit(file="main")
    repository.git("merge", "--quiet", "--no-commit", "side")
    repository.write("evil", TOKEN)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", f"merge {TOKEN}")
    head = repository.git("rev-parse", "HEAD")
    found = scanned(vault.workspace(), ScanRequest(git_history=True))
    assert {one.subject for one in found.findings if one.id == "scan.history"} == {
        f"commit {head[:7]}: evil",
        f"commit {head[:12]}",
    }


def test_a_shallow_clone_proves_nothing_of_older_commits(vault: Vault, tmp_path: Path) -> None:
    repository = vault.repository
    for _ in range(3):
        repository.commit()
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{vault.root}", str(clone))
    found = scanned(replace(vault.workspace(), root=clone), ScanRequest(git_history=True))
    assert found.failed
    assert found.findings[0].remedy == "git fetch --unshallow"


def test_a_folder_without_git_has_no_history(vault: Vault, tmp_path: Path) -> None:
    ws = replace(vault.workspace(), root=tmp_path)
    with pytest.raises(UsageError, match="not in a Git repository"):
        plan(ws, ScanRequest(git_history=True))


def with_service(vault: Vault) -> Workspace:
    ws = vault.workspace()
    config = Config(
        "p",
        services={"api": Service("api")},
        stacks={"default": Stack("default", ("compose.yaml", "absent.yaml"))},
    )
    return replace(ws, config=config)


def test_the_context_is_searched_as_it_is_sent(vault: Vault) -> None:
    repository = vault.repository
    repository.write("Dockerfile", "FROM scratch\nCOPY . /\n")
    repository.write(".dockerignore", "/ignored\n*.log\n!kept.log\n")
    for name in ("sent/.env", "ignored", "old.log", "kept.log", ".hullwright/state"):
        repository.write(name, f"T={TOKEN}")
    found = scanned(with_service(vault), ScanRequest(context=True))
    assert {one.subject for one in found.findings if one.id == "scan.context"} == {
        "context .: sent/.env",
        "context .: kept.log",
    }


def test_files_of_the_repository_are_searched(vault: Vault) -> None:
    repository = vault.repository
    repository.write("Dockerfile", f"FROM scratch\nENV A={TOKEN}\n")
    repository.write(
        "compose.yaml", "services:\n  a:\n    environment: {U: 'a:Lm4%2FNp5%2BQr6%3DSt7+U@b'}\n"
    )
    repository.write(".env.example", f"A=change-me\nTOKEN={TOKEN}\n")
    found = scanned(with_service(vault), ScanRequest())
    assert [(one.id, one.subject, one.message) for one in found.findings][:3] == [
        ("scan.file", "compose.yaml", "holds the value of PASSWORD, URL-encoded"),
        ("scan.file", "Dockerfile", "holds the value of TOKEN, as it is"),
        ("scan.example", ".env.example", "holds the value of TOKEN, as it is"),
    ]


def test_an_example_is_found_in_whichever_folder_and_for_whichever_service(vault: Vault) -> None:
    names = ["app.example.env", "services/api/.env.example", "services/api/worker.env.example"]
    vault.repository.write(".gitignore", "/.env\n/.hullwright/\n/ignored/\n")
    for name in (*names, "ignored/.env.example"):
        vault.repository.write(name, f"TOKEN={TOKEN}\n")
    ws = vault.workspace()
    assert plan(ws, ScanRequest()).files == tuple(names)
    found = scanned(ws, ScanRequest()).findings
    assert [one.subject for one in found if one.id == "scan.example"] == names


def test_values_that_are_all_too_short_prove_nothing(vault: Vault) -> None:
    ws = vault.workspace()
    with pytest.raises(CheckFailedError, match="no secret value to search for") as raised:
        execute(ws, plan(ws, ScanRequest()), {"PIN": Secret("1234")})
    assert raised.value.why == "too short: PIN"


GITLEAKS: Final = """\
#!{python}
import json, os, sys
words = sys.argv[1:]
with open(os.environ["SEEN"], "a") as seen:
    seen.write(json.dumps(words) + "\\n")
if os.environ.get("BROKEN"):
    sys.exit("cannot read {token}")
row = {{
    "RuleID": "aws-token", "Description": "A token.", "StartLine": 3, "Secret": "REDACTED",
    "Match": "REDACTED", "File": "old/{token}.py", "Commit": "0123456789abcdef",
}}
with open(words[words.index("--report-path") + 1], "w") as report:
    json.dump([row] if words[0] == "git" else [], report)
"""


@pytest.fixture
def gitleaks(vault: Vault, tmp_path: Path) -> Path:
    """Put a program that reports as gitleaks does first on PATH; return what it was asked."""
    program = tmp_path / "programs/gitleaks"
    program.parent.mkdir()
    program.write_text(GITLEAKS.format(python=sys.executable, token=TOKEN), encoding="utf-8")
    program.chmod(0o755)
    environ = vault.repository.environ
    environ["PATH"] = f"{program.parent}{os.pathsep}{environ['PATH']}"
    environ["SEEN"] = str(tmp_path / "seen")
    return tmp_path / "seen"


def test_findings_of_gitleaks_are_merged_and_masked(vault: Vault, gitleaks: Path) -> None:
    vault.repository.commit()
    found = scanned(vault.workspace(), ScanRequest(git_history=True))
    (leak,) = [one for one in found.findings if one.id == "scan.pattern"]
    assert leak.subject == "commit 0123456789ab: old/***.py:3"
    assert leak.message == "matches gitleaks' rule aws-token: A token"
    (words,) = [json.loads(line) for line in gitleaks.read_text(encoding="utf-8").splitlines()]
    assert words[:2] == ["git", "--no-banner"]
    assert words[-1] == str(vault.root)
    assert not os.path.exists(words[words.index("--report-path") + 1])  # noqa: PTH110  a word of a command line


def test_without_the_history_gitleaks_looks_at_the_files(vault: Vault, gitleaks: Path) -> None:
    vault.repository.write(".env.example", "A=b\n")
    assert not scanned(vault.workspace(), ScanRequest()).failed
    (words,) = [json.loads(line) for line in gitleaks.read_text(encoding="utf-8").splitlines()]
    assert (words[0], words[-1]) == ("dir", str(vault.root / ".env.example"))


def test_a_gitleaks_that_fails_is_a_warning_without_values(vault: Vault, gitleaks: Path) -> None:
    vault.repository.environ["BROKEN"] = "1"
    vault.repository.commit()
    found = scanned(vault.workspace(), ScanRequest(git_history=True))
    (only,) = found.findings
    assert (only.id, only.severity) == ("scan.gitleaks", "warning")
    assert only.message.endswith("cannot read ***")
