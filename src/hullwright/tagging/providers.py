"""What CI providers say of a run: their variables, and the event that GitHub hands over.

Each function is pure: variables and payload in, `Told` out. What Git knows is added elsewhere.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UsageError
from hullwright.tagging.model import BRANCHES, TAGS

if TYPE_CHECKING:
    from collections.abc import Mapping

_OBJECT_NAME: Final = re.compile(r"[0-9a-fA-F]{7,64}")
# One of these is in every event of GitHub, and in the `github` context.
_EVENT_KEYS: Final = frozenset(
    {"ref", "after", "number", "action", "release", "schedule", "repository", "sender", "event"}
    | {"pull_request", "head_commit", "discussion", "issue", "event_name"}
)
_SHORT_LENGTHS: Final = range(4, 65)
# https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows:
# these always run for the last commit of the default branch.
_OF_DEFAULT_BRANCH: Final = ("create", "discussion", "issues", "schedule")
# https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable
_GITLAB_EVENTS: Final = {
    "merge_request_event": "pull_request",
    "external_pull_request_event": "pull_request",
    "web": "workflow_dispatch",
    "api": "workflow_dispatch",
    "trigger": "workflow_dispatch",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider says; whatever it does not say is empty.

    Attributes:
        event, ref, sha, base_ref, default_branch: as in `RefContext`.
        of_default_branch: whether the event always means the default branch.
        commit_date: the date of `sha`.
        short_length: digits of a short `sha`.
        origin: who told it.
    """

    event: str
    ref: str
    sha: str
    base_ref: str = ""
    default_branch: str = ""
    of_default_branch: bool = False
    commit_date: datetime | None = None
    short_length: int = 7
    origin: str = "GitHub"


def github(environ: Mapping[str, str], payload: Mapping[str, Any]) -> Told:
    """Return what GitHub says.

    Args:
        environ: its GITHUB_… variables; where one is missing the payload is asked.
        payload: the event.

    Raises:
        UsageError: what should be a commit is none.
    """
    event = environ.get("GITHUB_EVENT_NAME") or _event_of(payload)
    ref = environ.get("GITHUB_REF") or _ref_of(payload)
    pull = _table(payload, "pull_request")
    if "pull_request_target" in event and payload.get("number"):
        # The variables name the branch that it is for, not the request.
        ref = f"refs/pull/{payload['number']}/merge"
    sha = _commit(environ.get("GITHUB_SHA"), "GITHUB_SHA") or _sha_of(payload)
    head = _table(pull, "head").get("sha")
    wants_head = environ.get("DOCKER_METADATA_PR_HEAD_SHA", "").lower() == "true"
    if head and "pull_request" in event and (wants_head or not sha):
        sha = _commit(head, "pull_request.head.sha")
    base_ref = ""
    if ref.startswith(TAGS):
        base_ref = str(payload.get("base_ref") or "").removeprefix(BRANCHES)
    elif ref.startswith("refs/pull/"):
        base_ref = str(_table(pull, "base").get("ref") or environ.get("GITHUB_BASE_REF") or "")
    return Told(
        event=event,
        ref=ref,
        sha=sha,
        base_ref=base_ref,
        default_branch=str(_table(payload, "repository").get("default_branch") or ""),
        of_default_branch=any(word in event for word in _OF_DEFAULT_BRANCH),
        commit_date=_date_of(payload, sha),
        short_length=short_length(environ),
    )


def gitlab(environ: Mapping[str, str]) -> Told:
    """Return what GitLab's variables say.

    Source: https://docs.gitlab.com/ci/variables/predefined_variables/

    Raises:
        UsageError: what should be a commit is none.
    """
    source = environ.get("CI_PIPELINE_SOURCE", "push")
    request = environ.get("CI_MERGE_REQUEST_IID") or environ.get("CI_EXTERNAL_PULL_REQUEST_IID")
    base_ref = ""
    if environ.get("CI_COMMIT_TAG"):
        ref = f"{TAGS}{environ['CI_COMMIT_TAG']}"
    elif request:
        ref = f"refs/merge-requests/{request}/head"
        base_ref = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or environ.get(
            "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME", ""
        )
    else:
        name = environ.get("CI_COMMIT_BRANCH") or environ.get("CI_COMMIT_REF_NAME", "")
        ref = f"{BRANCHES}{name}" if name else ""
    return Told(
        event=_GITLAB_EVENTS.get(source, source),
        ref=ref,
        sha=_commit(environ.get("CI_COMMIT_SHA"), "CI_COMMIT_SHA"),
        base_ref=base_ref,
        default_branch=environ.get("CI_DEFAULT_BRANCH", ""),
        commit_date=_moment(environ.get("CI_COMMIT_TIMESTAMP")),
        short_length=short_length(environ),
        origin="GitLab",
    )


def event_file(text: str, name: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the variables and the payload that an event file holds.

    It may be the event itself, which has no variables; the `github` context as a workflow prints
    it (`toJSON(github)`); or lines of `NAME=value`, which have no payload.

    Raises:
        UsageError: it is none of these.
    """
    if not text.lstrip().startswith("{"):
        return _lines(text, name), {}
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{name} is no JSON: {error}") from None
    if not data.keys() & _EVENT_KEYS:
        raise _no_event(name)
    if not isinstance(data.get("event"), dict):
        return {}, data
    variables = {
        f"GITHUB_{key.upper()}": str(data[key])
        for key in ("event_name", "ref", "sha", "base_ref")
        if data.get(key)
    }
    return variables, data["event"]


def short_length(environ: Mapping[str, str]) -> int:
    """Return how many digits a short `sha` has: 7, or what the action's own variable says.

    Raises:
        UsageError: the variable is no such figure.
    """
    text = environ.get("DOCKER_METADATA_SHORT_SHA_LENGTH", "")
    if not text:
        return 7
    if not text.isdecimal() or int(text) not in _SHORT_LENGTHS:
        raise UsageError(
            f'DOCKER_METADATA_SHORT_SHA_LENGTH is "{text}"', why="expected a figure from 4 to 64"
        )
    return int(text)


def _lines(text: str, name: str) -> dict[str, str]:
    from hullwright.tools.dotenv import entries

    variables = {entry.name: entry.value for entry in entries(text) if not entry.commented}
    if not any(key.startswith(("GITHUB_", "CI_")) for key in variables):
        raise _no_event(name)
    return variables


def _no_event(name: str) -> UsageError:
    return UsageError(
        f"{name} is no event",
        why="expected GitHub's event as JSON, or lines with GITHUB_… or CI_… variables",
    )


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _event_of(payload: Mapping[str, Any]) -> str:
    """Return what happened, by the keys that only such an event has."""
    for key in ("pull_request", "release", "schedule", "discussion"):
        if payload.get(key):
            return key
    return "push" if "after" in payload or "head_commit" in payload else ""


def _ref_of(payload: Mapping[str, Any]) -> str:
    if _table(payload, "pull_request") and payload.get("number"):
        return f"refs/pull/{payload['number']}/merge"
    released = _table(payload, "release").get("tag_name")
    return f"{TAGS}{released}" if released else str(payload.get("ref") or "")


def _sha_of(payload: Mapping[str, Any]) -> str:
    pull = _table(payload, "pull_request")
    found = payload.get("after") or _table(payload, "head_commit").get("id")
    return _commit(found or pull.get("merge_commit_sha"), "the event's commit")


def _commit(given: object, name: str) -> str:
    """Return the object name of a commit: the text is handed to Git, and becomes a tag."""
    sha = str(given or "")
    if sha and not _OBJECT_NAME.fullmatch(sha):
        raise UsageError(
            f'{name} is "{sha}", which is no commit', why="expected 7 to 64 hexadecimal digits"
        )
    return sha


def _date_of(payload: Mapping[str, Any], sha: str) -> datetime | None:
    commits = payload.get("commits")
    head = _table(payload, "head_commit")
    for commit in [*(commits if isinstance(commits, list) else []), head]:
        if isinstance(commit, dict) and sha and commit.get("id") == sha:
            return _moment(commit.get("timestamp"))
    return None


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text or ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
