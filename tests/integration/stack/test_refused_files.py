"""Files that Compose refuses by now: what was started from them is still found, and goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from composing import there
from hullwright import stack
from hullwright.errors import UsageError

if TYPE_CHECKING:
    from composing import Made

pytestmark = pytest.mark.docker

SERVICE = "  web: {{image: {image}, command: httpd -f -p 80, stop_grace_period: 0s}}"


def test_a_typo_in_the_file_keeps_nobody_from_ps_and_down(made: Made, busybox: str) -> None:
    made.compose(SERVICE.format(image=busybox))
    ws = made.workspace()
    assert not stack.up(ws, stack.select(ws), limits=stack.Limits(20)).failed
    made.compose(SERVICE.format(image=busybox).replace("image:", "imge:"))
    with pytest.raises(UsageError, match="refuses"):
        stack.plan_up(ws, stack.select(ws))
    assert [each.service for each in stack.ps(ws, stack.select(ws)).services] == ["web"]
    done = stack.down(ws, stack.select(ws))
    assert done.project == made.project
    assert not any(there(made.project).values())
    with pytest.raises(UsageError, match="refuses"):
        stack.plan_down(ws, stack.select(ws))
