"""Images that are not to be had, in words: which registry, and what it said, once."""

from __future__ import annotations

import pytest

from hullwright.errors import ExitCode
from hullwright.stack.fetching import not_to_be_had

NO_HOST = (
    'failed to resolve reference "reg.invalid/x:1": failed to do request: Head '
    '"https://reg.invalid/v2/x/manifests/1": dial tcp: lookup reg.invalid on 127.0.0.53:53: '
    "no such host"
)
REFUSED = (
    'failed to resolve reference "127.0.0.1:9/x:1": failed to do request: Head '
    '"http://127.0.0.1:9/v2/x/manifests/1": dial tcp 127.0.0.1:9: connect: connection refused'
)


@pytest.mark.parametrize(
    ("said", "registry"),
    [
        (NO_HOST, "reg.invalid cannot be reached: no such host"),
        (REFUSED, "127.0.0.1:9 cannot be reached: connection refused"),
    ],
)
def test_a_registry_that_cannot_be_reached_is_named_once(said: str, registry: str) -> None:
    lines = [
        'time="x" level=warning msg="y"', " app Pulling ", " two  Interrupted",
        f" app Error {said}", f"Error response from daemon: {said}",
    ]  # fmt: skip
    error = not_to_be_had(("x:1",), lines)
    assert error.what == "image not to be had: x:1"
    assert error.why == [("registry", registry), ("said", said)]
    assert "--prepare" not in str(error), "it would not reach it either"
    assert error.exit_code == ExitCode.FAILED


def test_what_a_registry_does_not_have_is_told_in_its_words() -> None:
    said = 'failed to resolve reference "127.0.0.1:5000/x:1": 127.0.0.1:5000/x:1: not found'
    error = not_to_be_had(("x:1", "y:1"), [f" two Error {said}"])
    assert error.what == "images not to be had: x:1, y:1"
    assert error.why == [("said", said)]
