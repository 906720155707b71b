"""What becomes of a cold start that was measured: its record, its page, and what is usual."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from hullwright.coldstart import ColdRun, ColdStart
from hullwright.config.models import Config, History
from hullwright.console import Console
from hullwright.errors import UsageError
from hullwright.history import append, list_records
from hullwright.stack import ServiceUp
from hullwright.tasks.coldshowing import Showing, conclude, refuse_nowhere
from hullwright.tasks.session import Session
from recording import record, workspace

if TYPE_CHECKING:
    from pathlib import Path


class Offline(Session):
    """A session over a workspace of a test, which knows its branch and no Git."""

    def __init__(self, root: Path, branch: str) -> None:
        self.environ = {}
        self.started_s = 0.0
        self.__dict__["workspace"] = workspace(root)
        self.__dict__["console"] = Console({}, out=io.StringIO(), err=io.StringIO())
        self.__dict__["config"] = Config(project="shipyard", history=History())
        self.__dict__["runner"] = self.workspace.runner
        self.__dict__["version"] = None
        self.__dict__["ref_context"] = Branch(branch)

    @property
    def dry(self) -> bool:
        return False


class Branch:
    """The part of a ref's context that is asked for."""

    def __init__(self, name: str) -> None:
        self.ref = f"refs/heads/{name}"
        self.default_branch = "main"
        self.is_default_branch = name == "main"


def done(total_s: float = 3.0) -> ColdStart:
    db = ServiceUp("db", "healthy", created_s=0.1, started_s=0.2, healthy_s=total_s)
    return ColdStart("default", "x-cold-1", (ColdRun(total_s, (db,), critical_path=("db",)),))


def shown(session: Session) -> str:
    out = session.console.out
    assert isinstance(out, io.StringIO)
    return out.getvalue()


def newest(session: Session) -> dict[str, Any]:
    return dict(list_records(session.workspace, "cold-start", 1)[0].data)


def test_a_second_one_is_shown_beside_the_first(tmp_path: Path) -> None:
    session = Offline(tmp_path, "main")
    conclude(session, done(3.0), Showing())
    assert "median of" not in shown(session)
    assert newest(session)["branch"] == "main"
    later = Offline(tmp_path, "topic")
    conclude(later, done(3.2), Showing("json"))
    assert json.loads(shown(later))["usual"] == {"runs": 1, "median_s": 3.0, "branch": "main"}
    assert newest(later)["branch"] == "topic"


def test_one_of_other_services_or_of_another_project_is_not_what_is_usual(tmp_path: Path) -> None:
    session = Offline(tmp_path, "main")
    conclude(session, done(), Showing(services=("db",)))
    other = {"stack": "default", "median_s": 9.0, "verdict": "healthy"}
    append(session.workspace, record("cold-start", project="other", data=other))
    later = Offline(tmp_path, "main")
    conclude(later, done(), Showing("json"))
    assert json.loads(shown(later))["usual"] is None


def test_the_page_is_written_whole(tmp_path: Path) -> None:
    conclude(Offline(tmp_path, "main"), done(), Showing(timeline=f"{tmp_path / 'cold.html'}"))
    page = (tmp_path / "cold.html").read_text(encoding="utf-8")
    assert "<title>cold start of shipyard, stack default</title>" in page
    assert page.endswith("</html>\n")


def test_a_page_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    refuse_nowhere("")
    refuse_nowhere(f"{tmp_path / 'new.html'}")
    with pytest.raises(UsageError, match="cannot be written") as nowhere:
        refuse_nowhere(f"{tmp_path / 'no' / 'new.html'}")
    assert "which is not there" in str(nowhere.value)
    with pytest.raises(UsageError, match="it is a folder"):
        refuse_nowhere(f"{tmp_path}")
