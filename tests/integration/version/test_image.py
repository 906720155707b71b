"""The version reaches labels, annotations and build arguments, and an image proves it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

import imaging
from composing import docker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repositories import Repository

pytestmark = pytest.mark.docker

OCI: Final = "org.opencontainers.image."
CONFIGURATION: Final = """\
project = "PROJECT"
[services.web]
dockerfile = "Dockerfile"
image = "PROJECT/web"
version-command = "/bin/about --version"
[services.job]
dockerfile = "job.Dockerfile"
image = "PROJECT/job"
tag-prefix = "job/v"
[hooks]
before-build = ["sh", "-c", "echo $HULLWRIGHT_VERSION >> told"]
"""
DOCKERFILE: Final = """\
FROM hullwright-test/busybox:1
ARG VERSION
RUN printf '#!/bin/sh\\necho "about v%s"\\n' "$VERSION" > /bin/about && chmod +x /bin/about
ARG GIT_COMMIT
ARG BUILD_DATE
ARG SOURCE_DATE_EPOCH
ENV TOLD="$VERSION $GIT_COMMIT $BUILD_DATE $SOURCE_DATE_EPOCH"
"""


@dataclass
class Shop:
    """A repository under a project name of its own, whose images the engine builds."""

    repository: Repository
    project: str

    def hullwright(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a task in it."""
        return self.started(sys.executable, "-m", "hullwright", *words)

    def started(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        return subprocess.run(
            words,
            cwd=self.repository.root,
            env=self.repository.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def version(self, *words: str) -> dict[str, Any]:
        """Return what Git says."""
        told: dict[str, Any] = json.loads(
            self.hullwright("version", "--format=json", *words).stdout
        )
        return told

    def build(self, *words: str) -> str:
        """Build a service and return its reference."""
        done = self.hullwright("build", "--format=json", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        (target,) = json.loads(done.stdout)["targets"]
        return str(target["reference"])

    def verify(self, reference: str, *words: str) -> tuple[int, dict[str, bool | None]]:
        """Return how a verification ended, and what held by the last word of what it was."""
        done = self.hullwright("version", "--verify", f"--image={reference}", *words)
        as_json = self.hullwright(
            "version", "--verify", f"--image={reference}", "--format=json", *words
        )
        assert as_json.returncode == done.returncode
        checks = json.loads(as_json.stdout)["checks"]
        return done.returncode, {c["what"].split(".")[-1]: c["held"] for c in checks}


@pytest.fixture
def shop(busybox: str, repository: Repository) -> Iterator[Shop]:
    """Yield a repository with two services; its images are removed again."""
    made = Shop(repository, f"hwtest-{uuid.uuid4().hex[:10]}")
    repository.write("hullwright.toml", CONFIGURATION.replace("PROJECT", made.project))
    repository.write("Dockerfile", DOCKERFILE)
    repository.write("job.Dockerfile", "FROM scratch\nCOPY hullwright.toml /\n")
    repository.write(".gitignore", "told\n__pycache__\n")
    # What a hook writes is no input of an image.
    repository.write(".dockerignore", "told\n")
    repository.commit("v1.2.3", "job/v3.0.0")
    yield made
    imaging.forget(made.project)


def saved(reference: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a tag points to in the store, and every manifest or index that it holds."""
    archive = subprocess.run(("docker", "save", reference), check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        blobs = {
            member.name.removeprefix("blobs/sha256/"): files.extractfile(member)
            for member in files
            if member.isfile() and member.size < 100_000
        }
        texts = {name: blob.read() for name, blob in blobs.items() if blob}
    (top,) = json.loads(texts["index.json"])["manifests"]
    documents = [json.loads(text) for text in texts.values() if text.startswith(b"{")]
    named = json.loads(texts[top["digest"].removeprefix("sha256:")])
    return named, [one for one in documents if "schemaVersion" in one and "mediaType" in one]


def test_labels_and_annotations_say_what_git_says(shop: Shop) -> None:
    shop.repository.git("remote", "add", "origin", "git@git.example.com:team/shop.git")
    reference = shop.build("web")
    version = shop.version()
    labels = json.loads(docker("image", "inspect", "-f", "{{json .Config.Labels}}", reference))
    digest = docker("image", "inspect", "-f", "{{.Id}}", "hullwright-test/busybox:1")
    said = {k.removeprefix(OCI): v for k, v in labels.items() if k.startswith(OCI)}
    assert said == {
        "title": "web",
        "url": "https://git.example.com/team/shop",
        "source": "https://git.example.com/team/shop",
        "version": "1.2.3",
        "revision": version["revision"],
        "created": version["commit_date"],
        "base.name": "docker.io/hullwright-test/busybox:1",
        "base.digest": digest,
    }
    manifest, _ = saved(reference)
    annotated = {k: v for k, v in labels.items() if k.startswith(OCI)}
    fingerprint = "dev.hullwright.fingerprint"
    assert manifest["annotations"] == {**annotated, fingerprint: labels[fingerprint]}


def test_an_index_of_several_platforms_and_its_manifests_are_annotated_alike(shop: Shop) -> None:
    reference = shop.build("job", "--platform=linux/amd64,linux/arm64")
    index, documents = saved(reference)
    assert len(index["manifests"]) == 2
    assert index["annotations"][f"{OCI}version"] == "3.0.0"
    manifests = [one for one in documents if "layers" in one]
    assert manifests
    assert all(one["annotations"] == index["annotations"] for one in manifests)


def test_one_platform_of_several_by_an_override_is_built(shop: Shop) -> None:
    words = ("--platform=linux/amd64,linux/arm64", "--set=*.platform=linux/arm64")
    manifest, _ = saved(shop.build("job", *words))
    assert manifest["annotations"][f"{OCI}version"] == "3.0.0"


def test_build_arguments_are_what_git_says(shop: Shop) -> None:
    reference = shop.build("web")
    version = shop.version()
    told = docker("image", "inspect", "-f", "{{json .Config.Env}}", reference)
    (line,) = (each for each in json.loads(told) if each.startswith("TOLD="))
    assert line.removeprefix("TOLD=").split() == [
        "1.2.3",
        version["short_revision"],
        version["commit_date"],
        shop.repository.git("log", "-1", "--format=%ct"),
    ]


def test_the_same_commit_gives_the_same_image_and_now_gives_another_date(shop: Shop) -> None:
    first = docker("image", "inspect", "-f", "{{.Id}}", shop.build("job"))
    assert docker("image", "inspect", "-f", "{{.Id}}", shop.build("job")) == first
    with (shop.repository.root / "hullwright.toml").open("a", encoding="utf-8") as file:
        file.write('[build]\ncreated = "now"\n')
    shop.repository.commit("job/v3.0.1")
    reference = shop.build("job")
    created = docker(
        "image", "inspect", "-f", f'{{{{index .Config.Labels "{OCI}created"}}}}', reference
    )
    assert created > "2026"  # the clock of the tests' commits stands in 2023
    assert shop.verify(reference)[1]["created"] is None


def test_an_image_of_this_commit_is_verified_by_its_labels_and_its_command(shop: Shop) -> None:
    reference = shop.build("web")
    held = {
        "version": True,
        "revision": True,
        "created": True,
        "answer to /bin/about --version": True,
    }
    assert shop.verify(reference) == (0, held)
    assert docker("ps", "-aq", "--filter", "name=hullwright-version-") == ""


def test_an_image_of_an_earlier_commit_differs_and_each_difference_is_named(shop: Shop) -> None:
    reference = shop.build("web")
    revision = shop.repository.commit("v1.2.4")
    code, held = shop.verify(reference)
    assert code == 1
    assert set(held.values()) == {False}
    done = shop.hullwright("version", "--verify", f"--image={reference}")
    assert "4 things of 1.2.4 differ" in done.stdout
    assert f"but Git says {revision}" in done.stdout
    assert "about v1.2.3, but Git says 1.2.4" in done.stdout


def test_a_current_image_is_verified_with_the_version_that_it_keeps(shop: Shop) -> None:
    shop.repository.write("job.Dockerfile.dockerignore", "docs\ntold\n")
    shop.repository.commit()
    reference = shop.build("job")
    shop.repository.commit(file="docs/page")
    assert shop.build("job") == reference
    code, held = shop.verify(reference)
    assert (code, held["version"], held["revision"]) == (0, True, True)
    done = shop.hullwright("version", "--verify", f"--image={reference}")
    assert "is current: its inputs are unchanged since 3.0.1-0.dev.1+g" in done.stdout
    # A changed input, or a release, wants an image of its own.
    shop.repository.commit(file="other")
    assert shop.verify(reference)[0] == 1
    shop.repository.git("reset", "--quiet", "--hard", "HEAD~1")
    shop.repository.git("tag", "job/v3.1.0")
    assert shop.verify(reference)[0] == 1


def test_a_service_is_known_by_its_image_and_has_its_own_tags(shop: Shop) -> None:
    reference = shop.build("job")
    code, held = shop.verify(reference)
    assert (code, held["version"], held["its own version command"]) == (0, True, None)
    # As another service it is another version.
    code, held = shop.verify(reference, "--service=web")
    assert (code, held["version"], held["revision"]) == (1, False, True)


def test_an_image_that_is_not_here_ends_with_2(shop: Shop) -> None:
    done = shop.hullwright("version", "--verify", f"--image={shop.project}/nothing:1")
    assert done.returncode == 2
    assert f"{shop.project}/nothing:1 is not in the local store" in done.stderr


def test_a_session_tells_its_programs_the_version_of_its_service(shop: Shop) -> None:
    noxfile = "from hullwright.sessions import register\n\nregister()\n"
    shop.repository.write("noxfile.py", noxfile)
    shop.repository.commit("v1.3.0", "job/v3.1.0")
    for service in ("web", "job"):
        done = shop.started(sys.executable, "-m", "nox", "-s", "build", "-k", service)
        assert done.returncode == 0, done.stdout + done.stderr
    told = (shop.repository.root / "told").read_text(encoding="utf-8")
    assert told.split() == ["1.3.0", "3.1.0"]
