"""When a registry is asked again, after which pause, and as whom."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from answering import made, refusal, sent, talk
from hullwright.secret import Secret
from hullwright.tools.credentials import Credential
from hullwright.tools.registryauth import challenge
from hullwright.tools.registryclient import Patience, RegistryError
from hullwright.tools.registryhttp import Answer, UnheardError, proxy_for

ADA = Credential("ada", Secret("correct horse"))
BASIC = f"Basic {base64.b64encode(b'ada:correct horse').decode()}"
TOKEN = Credential("", Secret(""), Secret("identity"))
REALM = "https://auth.example.com/token"
BEARER = refusal(
    401, www_authenticate=f'Bearer realm="{REALM}",service="reg",scope="repository:a:pull"'
)
ROOT = "https://registry.example.com"
URL = f"{ROOT}/v2/a/manifests/1"
ASKED = f"{REALM}?service=reg&scope=repository%3Aa%3Apull"
CUT = UnheardError("cut", "Connection reset by peer")


def token(value: str, name: str = "token") -> Answer:
    return Answer(200, {}, json.dumps({name: value}).encode())


def test_what_may_pass_is_asked_again_after_growing_pauses() -> None:
    manifest = made()
    talked = talk(
        refusal(503, "UNAVAILABLE", "later"), CUT, refusal(500), refusal(502), sent(manifest)
    )
    assert talked.client.manifest("a", "1") == manifest
    assert talked.slept == [0.25, 0.5, 1.0, 2.0]
    assert talked.told == [
        "registry.example.com: 503 UNAVAILABLE: later; again in 0.2 s (2 of 5)",
        "registry.example.com: Connection reset by peer; again in 0.5 s (3 of 5)",
        "registry.example.com: 500 Internal Server Error; again in 1.0 s (4 of 5)",
        "registry.example.com: 502 Bad Gateway; again in 2.0 s (5 of 5)",
    ]


def test_the_registry_may_name_the_pause_within_bounds() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=3600), usegmt=True)
    told = ["3", date, "soon", "-1"]
    talked = talk(*(refusal(429, retry_after=each) for each in told), sent(made()))
    assert talked.client.manifest("a", "1")
    assert talked.slept == [3.0, 30.0, 1.0, 2.0]


def test_pauses_differ_by_chance_and_have_an_end() -> None:
    patience = Patience(chance=lambda: 0.0)
    assert [patience.pause_s(n) for n in (1, 2, 9)] == [0.125, 0.25, 4.0]


@pytest.mark.parametrize(
    ("answer", "kind", "line"),
    [
        (refusal(503, "UNAVAILABLE", "later"), "busy", "503 UNAVAILABLE: later"),
        (refusal(429, "TOOMANYREQUESTS", "limit"), "busy", "429 TOOMANYREQUESTS: limit"),
        (refusal(500, "UNKNOWN", "no space left on device"), "full", "500 UNKNOWN: no space"),
        (CUT, "unreachable", "Connection reset by peer"),
    ],
)
def test_it_is_not_asked_for_ever(answer: Answer | UnheardError, kind: str, line: str) -> None:
    talked = talk(*[answer] * 5)
    with pytest.raises(RegistryError) as told:
        talked.client.put_manifest("a", "1", made())
    assert told.value.kind == kind
    assert line in f"{told.value}"
    assert "tried  5 times in 0.0 s" in f"{told.value}"


@pytest.mark.parametrize("answer", [refusal(507), UnheardError("unreachable", "No route to host")])
def test_what_will_not_pass_is_asked_once(answer: Answer | UnheardError) -> None:
    talked = talk(answer)
    with pytest.raises(RegistryError):
        talked.client.tags("a")
    assert not talked.slept


def test_basic_authentication_is_sent_once_it_is_asked_for() -> None:
    basic = refusal(401, www_authenticate='Basic realm="tests"')
    talked = talk(basic, sent(made()), sent(made()), credential=ADA)
    talked.client.manifest("a", "1")
    talked.client.manifest("a", "1")
    assert talked.transport.asked == [f"GET {URL}", f"GET {URL} {BASIC}", f"GET {URL} {BASIC}"]


def test_a_login_that_is_refused_is_not_tried_twice() -> None:
    basic = refusal(401, "UNAUTHORIZED", "no", www_authenticate='Basic realm="tests"')
    talked = talk(basic, basic, credential=ADA)
    with pytest.raises(RegistryError, match="refuses the login of ada") as told:
        talked.client.manifest("a", "1")
    assert told.value.kind == "bad-login"


def test_each_scope_has_a_token_of_its_own() -> None:
    manifest = made()
    answers = [BEARER, token("pull"), sent(manifest), sent(manifest), token("push"), Answer(201)]
    talked = talk(*answers, credential=ADA)
    talked.client.manifest("a", "1")
    talked.client.manifest("a", "1")
    talked.client.put_manifest("a", "1", manifest)
    assert talked.transport.asked == [
        f"GET {URL}",
        f"GET {ASKED} {BASIC}",
        f"GET {URL} Bearer pull",
        f"GET {URL} Bearer pull",
        f"GET {ASKED}%2Cpush {BASIC}",
        f"PUT {URL} Bearer push",
    ]
    assert talked.kept == ["pull", "push"]


def test_a_token_that_ran_out_is_renewed_once() -> None:
    talked = talk(
        *(BEARER, token("one"), sent(made())),
        *(BEARER, token("two"), sent(made())),
        *(BEARER, token("three", "access_token"), BEARER),
    )
    talked.client.manifest("a", "1")
    talked.client.manifest("a", "1")
    with pytest.raises(RegistryError, match="wants a login to read a:1"):
        talked.client.manifest("a", "1")
    assert talked.kept == ["one", "two", "three"]


def test_rights_that_a_login_lacks_are_no_refusal_of_the_login() -> None:
    talked = talk(BEARER, token("weak"), BEARER, credential=ADA)
    with pytest.raises(RegistryError, match="does not let ada read a:1") as told:
        talked.client.manifest("a", "1")
    assert told.value.kind == "denied"


def test_a_login_that_the_token_server_refuses_is_told_of() -> None:
    talked = talk(BEARER, refusal(401, "UNAUTHORIZED", "incorrect password"), credential=ADA)
    with pytest.raises(RegistryError, match="refuses the login of ada") as told:
        talked.client.manifest("a", "1")
    assert "incorrect password" in f"{told.value}"


def test_an_identity_token_is_exchanged_in_the_body() -> None:
    talked = talk(BEARER, token("access", "access_token"), sent(made()), credential=TOKEN)
    talked.client.manifest("a", "1")
    request = talked.transport.requests[1]
    assert (request.method, request.url) == ("POST", REALM)
    assert request.body == (
        b"grant_type=refresh_token&refresh_token=identity&client_id=hullwright"
        b"&service=reg&scope=repository%3Aa%3Apull"
    )
    assert talked.transport.asked[2] == f"GET {URL} Bearer access"


def test_a_busy_token_server_is_asked_again() -> None:
    talked = talk(BEARER, refusal(503), token("late"), sent(made()))
    talked.client.manifest("a", "1")
    assert talked.kept == ["late"]
    assert len(talked.slept) == 1


def test_a_token_server_that_gives_none_is_told_of() -> None:
    with pytest.raises(RegistryError, match="its token server sent no token"):
        talk(BEARER, Answer(200, {}, b"[]")).client.manifest("a", "1")


def test_no_login_is_sent_without_tls_where_the_registry_has_it() -> None:
    plain = refusal(401, www_authenticate='Bearer realm="http://auth.example.com/token"')
    talked = talk(plain, credential=ADA)
    with pytest.raises(RegistryError):
        talked.client.manifest("a", "1")
    assert talked.transport.asked == [f"GET {URL}"]


@pytest.mark.parametrize(
    ("header", "scheme", "realm"),
    [
        ('Bearer realm="https://a/t",service="s"', "bearer", "https://a/t"),
        ("bearer service=s, realm=https://a/t", "bearer", "https://a/t"),
        ('Basic realm="r", Bearer realm="https://a/t"', "bearer", "https://a/t"),
        ('Basic realm="Bearer of news"', "basic", "Bearer of news"),
    ],
)
def test_a_challenge_is_read(header: str, scheme: str, realm: str) -> None:
    found = challenge(header)
    assert found is not None
    assert (found.scheme, found.realm) == (scheme, realm)


@pytest.mark.parametrize("header", ["", "Negotiate", "Digest realm=x"])
def test_other_challenges_are_none(header: str) -> None:
    assert challenge(header) is None


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://a.example/v2/", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.example/v2/", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("http://a.example/v2/", {"HTTPS_PROXY": "http://p:1"}, ""),
        ("http://a.example/v2/", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("http://127.0.0.1:5000/v2/", {"HTTP_PROXY": "http://p:1"}, ""),
        ("https://a.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b, .example"}, ""),
        ("https://a.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, ""),
        ("https://a.example:5/", {"HTTPS_PROXY": "http://p:1", "no_proxy": "a.example:5"}, ""),
        ("https://10.1.2.3/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, ""),
        ("https://a.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "le"}, "http://p:1"),
    ],
)
def test_the_proxy_is_the_environments(url: str, environ: dict[str, str], proxy: str) -> None:
    assert proxy_for(url, environ) == proxy
