"""The version as its consumers take it: a shell, GitHub's files, GitLab, Go, and JSON of it all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from repositories import Repository

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """\
project = "shop"
[services.web]
context = "."
[services.api]
context = "."
tag-prefix = "api/v"
targets = ["production"]
image = "shop/api"
go-package = "example.com/shop/about"
labels = { "org.opencontainers.image.title" = "The API" }
"""
PROGRAM = """\
package main

import "fmt"

var version, commit, date string

func main() { fmt.Println(version, commit, date) }
"""


def run(repository: Repository, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `hullwright version` in a repository."""
    return subprocess.run(
        (sys.executable, "-m", "hullwright", "version", *words),
        cwd=repository.root,
        env={**repository.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """A repository with two services, of which one has tags of its own, and a remote."""
    repository.write("hullwright.toml", CONFIGURATION)
    repository.write("Dockerfile", "FROM python:3.13 AS production\nLABEL team=a\n")
    repository.write(
        "pyproject.toml",
        '[project]\nname = "shop"\ndescription = "Sells things."\nlicense = "MIT"\n',
    )
    repository.commit("v1.2.3", "api/v2.0.0-rc.1")
    repository.git("remote", "add", "origin", "https://bot:s3cret@git.example.com/team/shop.git")
    return repository


def test_json_has_labels_and_a_service_with_its_own_prefix(shop: Repository) -> None:
    done = run(shop, "--format", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    oci = "org.opencontainers.image."
    assert told["version"] == "1.2.3"
    assert told["labels"] == {
        f"{oci}title": "shop",
        f"{oci}description": "Sells things.",
        f"{oci}url": "https://git.example.com/team/shop",
        f"{oci}source": "https://git.example.com/team/shop",
        f"{oci}licenses": "MIT",
        f"{oci}version": "1.2.3",
        f"{oci}revision": told["revision"],
        f"{oci}created": told["commit_date"],
    }
    assert list(told["services"]) == ["api"]
    api = told["services"]["api"]
    assert (api["version"], api["semver"]["prerelease"]) == ("2.0.0-rc.1", "rc.1")
    assert api["labels"][f"{oci}version"] == "2.0.0-rc.1"
    assert api["labels"][f"{oci}title"] == "The API"
    assert api["labels"][f"{oci}base.name"] == "docker.io/library/python:3.13"
    assert api["labels"]["dev.hullwright.target"] == "production"
    assert "s3cret" not in done.stdout


def test_four_processes_of_git_are_enough_for_all_that_json_tells(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit()
    repository.commit("v1.2.3")
    repository.commit()
    trace = tmp_path / "trace"
    done = run(repository, "--format", "json", GIT_TRACE2_EVENT=str(trace))
    assert json.loads(done.stdout)["tags"] == ["main"]
    events = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    assert sum(event["event"] == "start" for event in events) == 4


def test_an_exported_tree_has_no_tags(repository: Repository, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    exported.mkdir()
    told = {"HULLWRIGHT_VERSION": "1.2.3", "HULLWRIGHT_REVISION": "abcdef0"}
    here = Repository(exported, {**repository.environ, **told})
    done = run(here, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tags"] == []
    assert run(here, "--format", "github").returncode == 0


def test_tags_are_those_of_the_rules(shop: Repository) -> None:
    with (shop.root / "hullwright.toml").open("a", encoding="utf-8") as file:
        file.write('[[tags]]\ntype = "raw"\nvalue = "told"\n[[tags]]\ntype = "sha"\n')
    revision = shop.commit()
    names = ["told", f"sha-{revision[:7]}"]
    told = json.loads(run(shop, "--format", "json").stdout)
    assert (told["tags"], told["services"]["api"]["tags"]) == (names, names)
    assert f"TAGS='{' '.join(names)}'" in run(shop, "--format", "env").stdout.splitlines()


def test_one_service_is_told_alone(shop: Repository) -> None:
    told = json.loads(run(shop, "--service", "api", "--format", "json").stdout)
    assert told["version"] == "2.0.0-rc.1"
    assert "services" not in told


def test_github_gets_outputs_and_variables_where_it_reads_them(
    shop: Repository, tmp_path: Path
) -> None:
    output, env = tmp_path / "output", tmp_path / "env"
    output.write_text("earlier=1\n", encoding="utf-8")
    files = {"GITHUB_OUTPUT": str(output), "GITHUB_ENV": str(env)}
    done = run(shop, "--format", "github", **files)
    assert (done.returncode, done.stdout) == (0, "1.2.3\n")
    lines = output.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["earlier=1", "version=1.2.3"]
    (as_json,) = (line for line in lines if line.startswith("json="))
    assert json.loads(as_json.removeprefix("json="))["version"] == "1.2.3"
    assert "HULLWRIGHT_VERSION=1.2.3" in env.read_text(encoding="utf-8").splitlines()


def test_elsewhere_what_github_would_get_is_printed(shop: Repository) -> None:
    done = run(shop, "--format", "github")
    assert done.stdout.splitlines()[:2] == ["version=1.2.3", "image_tag=1.2.3"]


def test_a_file_of_github_that_cannot_be_written_is_named(shop: Repository, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone" / "output")
    done = run(shop, "--format", "github", GITHUB_OUTPUT=gone)
    assert done.returncode == 2
    assert f"{gone} could not be written to" in done.stderr


def test_gitlab_gets_a_line_for_each_variable(shop: Repository) -> None:
    lines = run(shop, "--service=api", "--format=gitlab").stdout.splitlines()
    assert lines[0] == "HULLWRIGHT_VERSION=2.0.0-rc.1"
    assert all(line.startswith("HULLWRIGHT_") and "=" in line for line in lines)


def test_the_go_package_is_the_services_or_the_one_that_is_asked_for(shop: Repository) -> None:
    assert run(shop, "--format=ldflags").stdout.startswith("-X main.version=1.2.3 ")
    own = run(shop, "--service=api", "--format=ldflags").stdout
    assert own.startswith("-X example.com/shop/about.version=2.0.0-rc.1 ")
    asked = run(shop, "--format=ldflags", "--package=a/b").stdout
    assert asked.startswith("-X a/b.version=1.2.3 ")


@pytest.mark.skipif(shutil.which("go") is None, reason="no Go toolchain is on PATH")
def test_a_go_program_is_built_with_its_version(shop: Repository, tmp_path: Path) -> None:
    shop.write("main.go", PROGRAM)
    revision = shop.commit("v1.3.0")
    flags = run(shop, "--format", "ldflags").stdout.strip()
    built = tmp_path / "program"
    words = ("go", "build", "-buildvcs=false", "-ldflags", flags, "-o", str(built), "main.go")
    environ = {**shop.environ, "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    subprocess.run(words, cwd=shop.root, env=environ, check=True, capture_output=True)
    said = subprocess.run((str(built),), check=True, capture_output=True, text=True).stdout
    date = json.loads(run(shop, "--format", "json").stdout)["commit_date"]
    assert said == f"1.3.0 {revision[:7]} {date}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--verify",), "--verify and --image belong together"),
        (("--image", "shop:1"), "--verify and --image belong together"),
        (("--verify", "--image", "shop:1", "--format", "env"), 'unknown format "env"'),
        (("--service", "ap"), 'unknown service "ap" — did you mean "api"?'),
        (("--format", "gitlabb"), 'unknown format "gitlabb" — did you mean "gitlab"?'),
    ],
)
def test_a_wrong_word_ends_with_2(shop: Repository, words: tuple[str, ...], message: str) -> None:
    done = run(shop, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_a_word_that_is_no_go_package_is_refused(shop: Repository) -> None:
    done = run(shop, "--format", "ldflags", "--package", "x y")
    assert done.returncode == 2
    assert '"x y" is no import path of a Go package' in done.stderr
    assert not done.stdout
