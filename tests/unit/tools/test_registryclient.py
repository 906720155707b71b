"""What is asked of a registry, and what is made of its answers."""

from __future__ import annotations

import pytest

from answering import INDEX, digest, made, refusal, sent, talk
from hullwright.errors import ExitCode
from hullwright.tools.registryclient import Descriptor, RegistryError
from hullwright.tools.registryhttp import Answer, UnheardError

ROOT = "https://registry.example.com/v2/team/app"
MARKED = {"docker_distribution_api_version": "registry/2.0"}


def test_a_manifest_is_its_very_bytes() -> None:
    manifest = made(INDEX, manifests=[])
    talked = talk(sent(manifest))
    assert talked.client.manifest("team/app", "1.4") == manifest
    assert talked.transport.asked == [f"GET {ROOT}/manifests/1.4"]
    assert INDEX in talked.transport.requests[0].headers["Accept"]


def test_a_repository_may_have_its_registry_before_it() -> None:
    talked = talk(sent(made()))
    assert talked.client.manifest("registry.example.com/team/app", "1")
    assert talked.transport.asked == [f"GET {ROOT}/manifests/1"]


def test_dockers_own_repositories_have_their_full_names() -> None:
    talked = talk(sent(made()), domain="docker.io", root="https://registry-1.docker.io")
    assert talked.client.manifest("python", "3.13")
    assert talked.transport.asked == [
        "GET https://registry-1.docker.io/v2/library/python/manifests/3.13"
    ]


def test_what_is_not_there_is_none() -> None:
    talked = talk(refusal(404, "MANIFEST_UNKNOWN"), refusal(404, **MARKED), refusal(404))
    assert talked.client.manifest("team/app", "1") is None
    assert talked.client.describe("team/app", "1") is None
    assert talked.client.tags("team/app") == ()


def test_bytes_that_are_not_their_digest_are_refused() -> None:
    manifest = made()
    asked = digest(b"another")
    with pytest.raises(RegistryError) as told:
        talk(sent(manifest)).client.manifest("team/app", asked)
    assert f"the digest {manifest.digest}, not {asked}" in f"{told.value}"


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b"{}"])
def test_a_page_is_no_manifest(content: bytes) -> None:
    with pytest.raises(RegistryError, match="is not an image registry") as told:
        talk(Answer(200, {}, content)).client.manifest("team/app", "1")
    assert told.value.kind == "foreign"


def test_a_descriptor_is_asked_for_without_its_content() -> None:
    manifest = made()
    headers = {**sent(manifest).headers, "content-length": "7"}
    talked = talk(Answer(200, headers))
    found = talked.client.describe("team/app", "1")
    assert found == Descriptor(manifest.digest, manifest.media_type, 7)
    assert talked.transport.asked == [f"HEAD {ROOT}/manifests/1"]


def test_a_registry_that_tells_no_digest_is_asked_for_the_content() -> None:
    manifest = made()
    talked = talk(Answer(200), sent(manifest))
    found = talked.client.describe("team/app", "1")
    assert found == Descriptor(manifest.digest, manifest.media_type, len(manifest.content))


def test_a_manifest_is_put_as_it_is() -> None:
    manifest = made()
    talked = talk(Answer(201, {"docker-content-digest": manifest.digest}))
    assert talked.client.put_manifest("team/app", "latest", manifest) == manifest.digest
    request = talked.transport.requests[0]
    assert (request.method, request.url) == ("PUT", f"{ROOT}/manifests/latest")
    assert (request.body, request.headers) == (
        manifest.content,
        {"Content-Type": manifest.media_type},
    )


def test_a_registry_that_took_something_else_is_told_of() -> None:
    manifest, other = made(), digest(b"other")
    with pytest.raises(RegistryError, match=f"it took {other}"):
        talk(Answer(201, {"docker-content-digest": other})).client.put_manifest("a", "b", manifest)


@pytest.mark.parametrize(
    ("answer", "removed"),
    [
        (Answer(202), True),
        (refusal(404, "MANIFEST_UNKNOWN"), True),
        (refusal(404, "UNSUPPORTED"), False),
        (Answer(404), False),
        (refusal(405, "UNSUPPORTED"), False),
        (refusal(400, "DIGEST_INVALID"), False),
    ],
)
def test_a_tag_is_removed_or_the_registry_cannot(answer: Answer, removed: bool) -> None:  # noqa: FBT001  a parameter of the test
    talked = talk(answer)
    assert talked.client.delete_tag("team/app", "staged") is removed
    assert talked.transport.asked == [f"DELETE {ROOT}/manifests/staged"]


@pytest.mark.parametrize("name", [digest(b""), "a/b", "", "a@sha256:0"])
def test_nothing_is_removed_by_digest(name: str) -> None:
    talked = talk()
    with pytest.raises(ValueError, match="is not a tag"):
        talked.client.delete_tag("team/app", name)
    assert not talked.transport.requests


def test_a_blob_is_what_its_digest_says() -> None:
    content = b"{}"
    assert talk(Answer(200, {}, content)).client.blob("a", digest(content), 9) == content
    for answer, why in (
        (Answer(200, {}, b"[]"), "another digest"),
        (Answer(200, {}, content, whole=False), "larger than 9 bytes"),
        (refusal(404, "BLOB_UNKNOWN"), "does not have it any more"),
    ):
        with pytest.raises(RegistryError, match=why):
            talk(answer).client.blob("a", digest(content), 9)


def test_tags_come_page_by_page_from_the_registry_itself() -> None:
    talked = talk(
        Answer(200, {"link": '</v2/team/app/tags/list?n=2&last=b>; rel="next"'}, b'{"tags":["a"]}'),
        Answer(200, {"link": "<https://elsewhere.example.com/v2/>; rel=next"}, b'{"tags":["b"]}'),
    )
    assert talked.client.tags("team/app", page=2) == ("a", "b")
    assert talked.transport.asked == [
        f"GET {ROOT}/tags/list?n=2",
        f"GET {ROOT}/tags/list?n=2&last=b",
    ]


def test_a_list_that_goes_round_ends() -> None:
    link = {"link": '</v2/team/app/tags/list?n=1000>; rel="next"'}
    assert talk(Answer(200, link, b'{"tags":null}')).client.tags("team/app") == ()


def test_a_list_that_is_none_is_told_of() -> None:
    with pytest.raises(RegistryError, match="is not an image registry"):
        talk(Answer(200, {}, b"<html>")).client.tags("team/app")


@pytest.mark.parametrize(
    "place", ["/v2/team/app/blobs/uploads/7?s=1", f"{ROOT}/blobs/uploads/7?s=1"]
)
def test_a_push_is_tried_and_given_up(place: str) -> None:
    talked = talk(Answer(202, {"location": place}), Answer(204))
    talked.client.check_push("team/app")
    assert talked.transport.asked == [
        f"POST {ROOT}/blobs/uploads/",
        f"DELETE {ROOT}/blobs/uploads/7?s=1",
    ]


def test_an_upload_elsewhere_is_left_alone() -> None:
    talked = talk(Answer(202, {"location": "https://storage.example.com/1"}))
    talked.client.check_push("team/app")
    assert len(talked.transport.requests) == 1


def test_an_upload_that_cannot_be_given_up_is_no_failure() -> None:
    talk(Answer(202, {"location": "/v2/x"}), UnheardError("cut", "")).client.check_push("a")


@pytest.mark.parametrize(
    ("answers", "kind", "line", "following"),
    [
        (
            [refusal(401, "UNAUTHORIZED", "authentication required")],
            "no-login",
            "registry.example.com wants a login to push to team/app",
            "invoke login --registry registry.example.com --username NAME",
        ),
        (
            [refusal(403, "DENIED", "requested access is denied")],
            "denied",
            "registry.example.com does not let us push to team/app without a login",
            "invoke login --registry registry.example.com --username NAME",
        ),
        (
            [refusal(403, "DENIED", "storage quota of the team is used up")],
            "full",
            "registry.example.com has no room left: cannot push to team/app",
            "remove what nobody needs (invoke prune --registry lists it), or raise the quota",
        ),
        (
            [refusal(413)],
            "full",
            "registry.example.com has no room left: cannot push to team/app",
            "remove what nobody needs (invoke prune --registry lists it), or raise the quota",
        ),
        (
            [refusal(400, "NAME_INVALID", "bad name")],
            "odd",
            "cannot push to team/app: registry.example.com answers 400",
            "look at the registry's log",
        ),
        (
            [Answer(404, {"content-type": "text/html"}, b"<h1>no"), Answer(404)],
            "foreign",
            "registry.example.com is not an image registry",
            "check the address: `registry` in the configuration, or HULLWRIGHT_REGISTRY",
        ),
        (
            [UnheardError("unreachable", "Connection refused")],
            "unreachable",
            "registry.example.com cannot be reached",
            "check its name, and the network and proxy between here and there",
        ),
        (
            [UnheardError("untrusted", "self-signed certificate")],
            "untrusted",
            "the certificate of registry.example.com is not trusted",
            (
                "name the file of its authority in SSL_CERT_FILE, or put it into "
                "/etc/docker/certs.d/registry.example.com/ca.crt, where the engine looks too"
            ),
        ),
        (
            [UnheardError("plain", "it answers without TLS")],
            "untrusted",
            "registry.example.com does not speak TLS",
            'if that is meant, name it under "insecure-registries" in the engine\'s daemon.json',
        ),
    ],
)
def test_a_refusal_says_what_happened_and_what_to_do(
    answers: list[Answer | UnheardError], kind: str, line: str, following: str
) -> None:
    with pytest.raises(RegistryError) as told:
        talk(*answers).client.check_push("team/app")
    error = told.value
    assert (error.kind, error.what, error.next_step) == (kind, line, following)
    assert error.exit_code == ExitCode.UNAVAILABLE


def test_the_registrys_own_words_are_shown() -> None:
    answer = refusal(403, "DENIED", "requested access to the resource is denied")
    with pytest.raises(RegistryError) as told:
        talk(answer).client.put_manifest("team/app", "1", made())
    assert told.value.lines()[1] == (
        "  said  403 DENIED: requested access to the resource is denied"
    )


def test_a_text_is_shown_in_one_line_of_a_bounded_length() -> None:
    answer = Answer(418, {"content-type": "text/plain"}, b"a\nb " + b"long " * 100)
    assert answer.words.startswith("418 a b long")
    assert len(answer.words) == 300
    assert Answer(404, {"content-type": "text/html"}, b"<html>").words == "404 Not Found"
