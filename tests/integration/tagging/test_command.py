"""`hullwright tags` as it is run, on real repositories."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright.tagging import compute, look, parse
from repositories import Repository, isolated

if TYPE_CHECKING:
    from pathlib import Path

RULES = """
type=semver,pattern={{version}}
type=semver,pattern={{major}}.{{minor}}
type=ref,event=branch
type=ref,event=pr
type=edge
type=sha
"""


def run(repository: Repository, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the task in a repository."""
    return subprocess.run(
        (sys.executable, "-m", "hullwright", "tags", *words),
        cwd=repository.root,
        env={**repository.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def tags(repository: Repository, *words: str, **environ: str) -> list[str]:
    """Return the tags by the rules of this module."""
    rules = repository.root.parent / "rules.txt"
    rules.write_text(RULES, encoding="utf-8")
    done = run(repository, "--rules", str(rules), "--format", "json", *words, **environ)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)["tags"]
    return found


def test_a_back_port_after_a_merge_leaves_latest_where_it_is(repository: Repository) -> None:
    old = repository.commit("v1.9.0")
    repository.commit("v2.0.0")
    repository.git("checkout", "--quiet", "-b", "maintenance", old)
    back = repository.commit("v1.9.1", file="other")
    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-edit", "maintenance")
    repository.git("tag", "v2.0.1")
    merged = repository.git("rev-parse", "HEAD")
    expected = ["2.0.1", "2.0", f"sha-{merged[:7]}", "latest"]
    assert tags(repository, "--ref", "v2.0.1") == expected
    assert tags(repository, "--ref", "v1.9.1") == ["1.9.1", "1.9", f"sha-{back[:7]}"]
    assert tags(repository, "--ref", "v1.9.0") == ["1.9.0", f"sha-{old[:7]}"]


def test_two_tags_on_a_commit_that_is_checked_out_by_itself(repository: Repository) -> None:
    repository.commit("v1.2.3-rc.1", "v1.2.3")
    repository.git("checkout", "--quiet", "v1.2.3-rc.1")
    assert tags(repository)[0] == "1.2.3"
    assert tags(repository, "--ref", "v1.2.3-rc.1")[0] == "1.2.3-rc.1"


def test_every_place_gives_the_same_for_the_same_ref(repository: Repository) -> None:
    sha = repository.commit("v1.2.3")
    github = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_SHA": sha}
    gitlab = {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_SHA": sha}
    main = tags(repository)
    assert main == ["edge", "main", f"sha-{sha[:7]}"]
    # Without an event GitHub does not tell the default branch; the clone does.
    assert tags(repository, **github, GITHUB_REF="refs/heads/main") == main
    assert tags(repository, **gitlab, CI_COMMIT_BRANCH="main", CI_DEFAULT_BRANCH="main") == main
    release = tags(repository, "--ref", "v1.2.3")
    assert release == ["1.2.3", "1.2", f"sha-{sha[:7]}", "latest"]
    assert tags(repository, **github, GITHUB_REF="refs/tags/v1.2.3") == release
    assert tags(repository, **gitlab, CI_COMMIT_TAG="v1.2.3") == release


def test_an_event_file_tells_of_a_pull_request(repository: Repository) -> None:
    sha = repository.commit()
    event = repository.root.parent / "event.json"
    pull = {"number": 15, "pull_request": {"base": {"ref": "main"}, "head": {"sha": sha}}}
    event.write_text(json.dumps(pull), encoding="utf-8")
    assert tags(repository, "--event", str(event)) == ["pr-15", f"sha-{sha[:7]}"]
    lines = repository.root.parent / "gitlab.env"
    lines.write_text(
        f"CI_COMMIT_SHA={sha}\nCI_MERGE_REQUEST_IID=15\nCI_PIPELINE_SOURCE=merge_request_event\n",
        encoding="utf-8",
    )
    assert tags(repository, "--event", str(lines)) == ["pr-15", f"sha-{sha[:7]}"]


@pytest.mark.parametrize("branch", ["größe/ß", "日本語", "a\u00a0b", "deep/er/and-deeper", "1.9"])
def test_odd_branches_have_legal_tags(repository: Repository, branch: str) -> None:
    repository.commit()
    repository.git("checkout", "--quiet", "-b", branch)
    (tag, _) = tags(repository)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", tag)


def test_branches_of_a_remote_are_refs_of_this_clone(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit()
    repository.git("branch", "my/feature")
    repository.git("branch", "my-feature")
    repository.git("clone", "--quiet", str(repository.root), str(tmp_path / "clone"))
    clone = replace(repository, root=tmp_path / "clone")
    told = {tags(clone, "--ref", branch)[0] for branch in ("my/feature", "my-feature")}
    assert len(told) == 2
    assert all(re.fullmatch(r"my-feature-[0-9a-f]{8}", tag) for tag in told)
    assert tags(clone)[:2] == ["edge", "main"]


def test_a_shallow_clone_cannot_say_what_is_newest(repository: Repository, tmp_path: Path) -> None:
    repository.commit("v1.0.0")
    repository.commit("v1.0.1")
    address = f"file://{repository.root}"
    repository.git("clone", "--quiet", "--depth=1", address, str(tmp_path / "clone"))
    clone = replace(repository, root=tmp_path / "clone")
    done = run(clone, "--ref", "refs/tags/v1.0.1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "whether v1.0.1 is the newest release is not known in this clone" in done.stderr
    assert "git fetch --unshallow --tags" in done.stderr
    assert tags(clone)[:2] == ["edge", "main"]


def test_a_clone_of_one_branch_cannot_either(repository: Repository, tmp_path: Path) -> None:
    old = repository.commit("v1.9.1")
    repository.git("branch", "1.x", old)
    repository.commit("v2.0.1")
    address = f"file://{repository.root}"
    words = ("--quiet", "--single-branch", "--branch=1.x", address, str(tmp_path / "clone"))
    repository.git("clone", *words)
    clone = replace(repository, root=tmp_path / "clone")
    done = run(clone, "--ref", "v1.9.1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "git remote set-branches origin '*' && git fetch --tags" in done.stderr
    clone.git("remote", "set-branches", "origin", "*")
    clone.git("fetch", "--quiet", "--tags")
    assert "latest" not in tags(clone, "--ref", "v1.9.1")


def test_a_job_that_fetched_its_own_tag_only_cannot_either(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("v1.9.1")
    repository.commit("v2.0.1")
    job = Repository.made(tmp_path / "job", isolated(tmp_path))
    job.git("remote", "add", "origin", f"file://{repository.root}")
    one = "+refs/tags/v1.9.1:refs/tags/v1.9.1"
    job.git("fetch", "--quiet", "--no-tags", "--depth=100", "origin", one)
    job.git("checkout", "--quiet", "v1.9.1")
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/tags/v1.9.1"}
    done = run(job, **environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert "fetch-depth: 0" in done.stderr
    job.git("fetch", "--quiet", "--tags")
    assert "latest" not in tags(job, **environ)


def test_a_release_without_a_clone_is_not_known_to_be_the_newest(
    repository: Repository, tmp_path: Path
) -> None:
    outside = replace(repository, root=tmp_path / "outside", environ=isolated(tmp_path))
    outside.root.mkdir()
    done = run(outside, "--ref", "refs/tags/v1.0.0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "whether v1.0.0 is the newest release is not known" in done.stderr


def test_it_asks_git_at_most_four_times(repository: Repository) -> None:
    repository.commit("v1.2.3")
    ws = repository.workspace()
    asked: list[str] = []
    ws.runner.echo = asked.append
    for ref in ("", "v1.2.3"):
        asked.clear()
        assert compute(look(ws, ref=ref), parse(RULES)[0]).names
        assert 1 <= len(asked) <= 4, asked


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--ref", "v9"), 'unknown ref "v9"'),
        (("--at", "nothing"), "nothing is no commit of this clone"),
        (("--at", "2026-13-01"), '"2026-13-01" is no moment'),
        (("--event", "nowhere.json"), "nowhere.json cannot be read"),
        (("--rules", "nowhere.txt"), "nowhere.txt cannot be read"),
        (("--service", "api"), 'unknown service "api"'),
        (("--format", "yaml"), 'unknown format "yaml"'),
    ],
)
def test_a_mistake_is_a_usage_error(
    repository: Repository, words: tuple[str, ...], told: str
) -> None:
    repository.commit("v1.0.0")
    done = run(repository, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_that_is_named_becomes_an_option_of_git(repository: Repository) -> None:
    repository.commit("v1.0.0")
    written = repository.root.parent / "written"
    option = f"--output={written}"
    done = run(repository, f"--at={option}")
    assert done.returncode == 2
    assert f"{option} is no commit of this clone" in done.stderr
    event = repository.root.parent / "event.env"
    event.write_text(f"GITHUB_REF=refs/heads/main\nGITHUB_SHA={option}\n", encoding="utf-8")
    done = run(repository, "--event", str(event))
    assert done.returncode == 2
    assert f'GITHUB_SHA is "{option}", which is no commit' in done.stderr
    assert not written.exists()


def test_without_a_commit_and_without_git_it_says_so(
    repository: Repository, tmp_path: Path
) -> None:
    unborn = run(repository)
    assert unborn.returncode == 2
    assert "the branch main has no commit yet" in unborn.stderr
    outside = replace(repository, root=tmp_path / "outside", environ=isolated(tmp_path))
    outside.root.mkdir()
    done = run(outside)
    assert done.returncode == 2
    assert "is not in a Git repository, and no event tells of a ref" in done.stderr
    told = run(outside, "--ref", "refs/heads/x", "--format", "env")
    assert (told.returncode, told.stdout) == (0, "PRIMARY_TAG=x\nTAGS=x\n")


def test_the_moment_and_the_commit_are_set_by_hand(repository: Repository) -> None:
    first = repository.commit()
    repository.commit()
    rules = repository.root.parent / "dates.txt"
    rules.write_text("type=raw,value={{date 'YYYYMMDD'}}-{{sha}}\n", encoding="utf-8")
    moment = ("--at", first, "--at", "2020-01-10T00:30:00Z")
    done = run(repository, "--rules", str(rules), *moment, "--format", "env")
    assert done.stdout.splitlines()[0] == f"PRIMARY_TAG=20200110-{first[:7]}"


def test_a_warning_names_the_rule_and_lines_are_for_github(repository: Repository) -> None:
    repository.commit("v1.2.3", "other")
    rules = repository.root.parent / "few.txt"
    rules.write_text("type=semver,pattern={{version}}\ntype=sha\n", encoding="utf-8")
    done = run(repository, "--rules", str(rules), "--ref", "other", "--format", "github")
    assert done.returncode == 0
    assert "rule type=semver,pattern={{version}} gives no tag: other is not a SemVer" in done.stderr
    assert done.stdout.startswith("primary=sha-")
    assert "\ntags<<" in done.stdout
