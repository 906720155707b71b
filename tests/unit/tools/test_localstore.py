"""Images of the local store: on the store of containerd, and on the classic one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hullwright.errors import ExitCode, UnavailableError
from hullwright.run import Result
from hullwright.tools.localstore import digests_of, listed, parse_stored, stored
from replaying import Replay

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
LS = ("docker", "image", "ls")


def line(repository: str, identity: str, digest: str) -> str:
    """Return a line of the engine's listing."""
    return json.dumps({"Repository": repository, "Tag": "1", "ID": identity, "Digest": digest})


def answering(stdout: str, code: int = 0, stderr: str = "") -> Replay:
    """Return a runner that gives one answer to everything."""
    return Replay({}, results={("docker",): Result(("docker",), code, stdout, stderr, 0.1)})


def test_images_are_listed_by_their_references_in_one_question() -> None:
    runner = answering(line("shop/api", ONE, ONE))
    (image,) = listed(runner, ["shop/api:1", "shop/web:1", "shop/api:1"])
    assert (image.id, image.digest, image.tags) == (ONE, ONE, ("shop/api:1",))
    (call,) = runner.calls
    assert call.argv == (
        *(*LS, "--no-trunc", "--digests", "--format", "json"),
        *("--filter", "reference=shop/api:1", "--filter", "reference=shop/web:1"),
    )


def test_nothing_is_asked_where_nothing_is_wanted() -> None:
    runner = answering("")
    assert listed(runner, []) == stored(runner, []) == ()
    assert runner.calls == []


def test_a_classic_store_tells_digests_of_what_came_from_a_registry_only() -> None:
    runner = answering(f"{line('python', ONE, TWO)}\n{line('own', ONE, '<none>')}")
    images = listed(runner, ["python:1", "own:1"])
    assert digests_of(["python:1", "own:1", "docker.io/library/python:1"], images) == {
        "python:1": TWO,
        "docker.io/library/python:1": TWO,
    }


def test_what_is_no_reference_has_no_digest() -> None:
    image = parse_stored({"Id": ONE, "RepoTags": ["<none>:<none>", "a:1"], "Descriptor": {}})
    assert digests_of(["UPPER CASE", "a:1"], [image]) == {}


def test_an_image_is_known_by_each_of_its_digests() -> None:
    image = parse_stored(
        {"Id": "sha256:config", "RepoTags": None, "RepoDigests": [f"shop/api@{TWO}"]}
    )
    assert image.known_by(TWO)
    assert image.known_by("sha256:config")
    assert not image.known_by(ONE)


class Removing(Replay):
    """An engine from which images are removed while it looks into them, the first time."""

    def read(self, *argv: str, **more: Any) -> Result:
        answer = super().read(*argv, **more)
        if len(self.calls) > 1:
            return answer
        return Result(argv, 1, "", "Error response from daemon: content digest: not found", 0.1)


def test_a_list_is_asked_for_again_where_an_image_went_meanwhile() -> None:
    answer = Result(LS, 0, line("shop/api", ONE, ONE), "", 0.1)
    runner = Removing({}, results={("docker",): answer})
    assert [image.id for image in listed(runner, ["shop/api:1"])] == [ONE]
    assert [call.argv[:3] for call in runner.calls] == [LS, LS]


def test_an_engine_that_does_not_answer_ends_with_3() -> None:
    runner = answering("", 1, "Cannot connect to the Docker daemon at unix:///x")
    for ask in (listed, stored):
        with pytest.raises(UnavailableError) as raised:
            ask(runner, ["a:1"])
        assert raised.value.exit_code == ExitCode.UNAVAILABLE
