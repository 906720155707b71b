"""What GitHub and GitLab say of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hullwright.errors import ExitCode, UsageError
from hullwright.tagging.providers import event_file, github, gitlab, short_length
from tagging import HEAD_SHA, SHA, on_github, on_gitlab, pull

if TYPE_CHECKING:
    from collections.abc import Callable


def test_an_event_alone_tells_what_the_variables_would() -> None:
    pushed = github({}, {"ref": "refs/heads/dev", "after": SHA, "base_ref": None})
    assert (pushed.event, pushed.ref, pushed.sha) == ("push", "refs/heads/dev", SHA)
    asked = github({}, pull())
    assert (asked.event, asked.ref, asked.base_ref) == (
        "pull_request",
        "refs/pull/15/merge",
        "main",
    )
    assert asked.sha == HEAD_SHA
    released = github({}, {"release": {"tag_name": "v1.2.3"}})
    assert (released.event, released.ref) == ("release", "refs/tags/v1.2.3")


def test_the_head_of_a_pull_request_is_taken_where_the_action_is_told_so() -> None:
    environ = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/15/merge"}
    environ |= {"GITHUB_SHA": SHA}
    assert github(environ, pull()).sha == SHA
    assert github(environ | {"DOCKER_METADATA_PR_HEAD_SHA": "TRUE"}, pull()).sha == HEAD_SHA


def test_the_date_of_the_commit_is_the_events() -> None:
    commit = {"id": SHA, "timestamp": "2020-01-10T00:30:00+02:00"}
    told = github({}, {"ref": "refs/heads/dev", "after": SHA, "head_commit": commit})
    assert told.commit_date is not None
    assert told.commit_date.isoformat() == "2020-01-10T00:30:00+02:00"
    assert github({}, {"after": SHA, "head_commit": {**commit, "id": HEAD_SHA}}).commit_date is None


@pytest.mark.parametrize("given", ["--output=x", "zz", "1a2b3c", "main"])
def test_what_is_no_object_name_is_no_commit(given: str) -> None:
    asked = {"number": 1, "pull_request": {"head": {"sha": given}}}
    readers: tuple[Callable[[], object], ...] = (
        lambda: github({"GITHUB_SHA": given}, {}),
        lambda: github({}, {"after": given}),
        lambda: github({}, asked),
        lambda: github({"GITHUB_SHA": SHA, "DOCKER_METADATA_PR_HEAD_SHA": "true"}, asked),
        lambda: gitlab({"CI_COMMIT_SHA": given}),
    )
    for told in readers:
        with pytest.raises(UsageError) as raised:
            told()
        assert raised.value.exit_code == ExitCode.USAGE
        assert f'is "{given}", which is no commit' in str(raised.value)


@pytest.mark.parametrize("event", ["schedule", "create", "discussion", "issues"])
def test_some_events_always_mean_the_default_branch(event: str) -> None:
    assert on_github(event, "refs/heads/odd").is_default_branch
    assert not on_github("push", "refs/heads/odd").is_default_branch


def test_a_schedule_of_gitlab_may_be_of_another_branch() -> None:
    assert on_gitlab("schedule", COMMIT_BRANCH="main").is_default_branch
    assert not on_gitlab("schedule", COMMIT_BRANCH="dev").is_default_branch


@pytest.mark.parametrize(
    ("variables", "ref"),
    [
        ({"CI_COMMIT_BRANCH": "a/b"}, "refs/heads/a/b"),
        ({"CI_COMMIT_REF_NAME": "a/b"}, "refs/heads/a/b"),
        ({"CI_COMMIT_TAG": "v1", "CI_COMMIT_REF_NAME": "v1"}, "refs/tags/v1"),
        ({"CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_REF_NAME": "x"}, "refs/merge-requests/7/head"),
        ({"CI_EXTERNAL_PULL_REQUEST_IID": "7"}, "refs/merge-requests/7/head"),
        ({}, ""),
    ],
)
def test_gitlab_names_the_ref(variables: dict[str, str], ref: str) -> None:
    assert gitlab(variables).ref == ref


def test_an_event_file_may_be_the_event_the_context_or_variables() -> None:
    event = {"ref": "refs/heads/dev"}
    assert event_file(json.dumps(event), "e.json") == ({}, event)
    whole = {"event_name": "push", "ref": "refs/heads/dev", "sha": SHA, "event": event}
    variables = {
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF": "refs/heads/dev",
        "GITHUB_SHA": SHA,
    }
    assert event_file(json.dumps(whole), "e.json") == (variables, event)
    lines = "# of a job\nCI_COMMIT_TAG=v1\nCI_COMMIT_SHA='abc'\n"
    assert event_file(lines, "e.env") == ({"CI_COMMIT_TAG": "v1", "CI_COMMIT_SHA": "abc"}, {})


@pytest.mark.parametrize(
    ("text", "what"), [("{", "e is no JSON"), ("A=1", "e is no event"), ("{}", "e is no event")]
)
def test_another_file_is_told(text: str, what: str) -> None:
    with pytest.raises(UsageError) as raised:
        event_file(text, "e")
    assert raised.value.exit_code == ExitCode.USAGE
    assert what in str(raised.value)


def test_the_length_of_a_short_sha_is_the_actions_own_setting() -> None:
    assert short_length({}) == 7
    assert short_length({"DOCKER_METADATA_SHORT_SHA_LENGTH": "12"}) == 12
    for wrong in ("x", "3", "65"):
        with pytest.raises(UsageError, match="DOCKER_METADATA_SHORT_SHA_LENGTH"):
            short_length({"DOCKER_METADATA_SHORT_SHA_LENGTH": wrong})
