"""How tests are called that were handed out to workers."""

from __future__ import annotations

import pytest

from spreading import ungrouped


@pytest.mark.parametrize(
    "nodeid",
    [
        "tests/unit/test_run.py::test_a",
        "tests/unit/test_run.py::test_a[x]",
        "tests/unit/test_run.py::test_a[user@host]",
        "tests/unit/test_run.py::test_a[[x]@y]",
    ],
)
def test_a_test_is_called_as_it_can_be_run_alone(nodeid: str) -> None:
    assert ungrouped(nodeid) == nodeid
    assert ungrouped(f"{nodeid}@tests/unit/test_run.py") == nodeid
