"""What `up` and `ps` found, as text, Markdown and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.images import shortened
from hullwright.report import checks, failures
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table
from hullwright.stack import StackState, UpReport
from hullwright.stack.words import invoked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullwright.stack import ServiceState, ServiceUp
    from hullwright.tools.engine import Published

    Shown = UpReport | StackState

_SCHEMA: Final = 1
_MARKS: Final = {"healthy": "✓", "completed": "✓", "unknown": "·", "failed": "✗", "waiting": "·"}
# In the words of `ps`.
_STATUSES: Final = {"waiting": "not started", "unknown": "running, no health check"}
_STATES: Final = ("service", "state", "since", "restarts", "ports", "image")


def text(shown: Shown) -> str:
    """Return a report for people."""
    if isinstance(shown, StackState):
        return _state_text(shown)
    head = f"stack {shown.stack} · project {shown.project}"
    rows = [_up_row(service, shown) for service in shown.services]
    table = "\n".join(f"  {line}" for line in aligned(rows, right=(2,), gap=2).splitlines())
    looked = [checks.text(shown.checks)] if shown.checks else []
    if shown.failed:
        after = f"after {shown.total_s:.1f} s"
        came_up = not any(each.status in {"waiting", "failed"} for each in shown.services)
        state = f"up {after}, and not as it must be" if came_up else f"not up {after}"
        last = f"{state} · look: {_task('ps', shown)} · stop: {_task('down', shown)}"
        return "\n\n".join([failures.text(shown.failures), f"{head}\n{table}", *looked, last])
    last = f"up in {shown.total_s:.2f} s" if shown.waited else _not_waited(shown)
    return "\n\n".join([head, table, *looked, "\n".join([last, *_advice(shown)])])


def markdown(shown: Shown) -> str:
    """Return a report for a job summary or a pull request."""
    if isinstance(shown, StackState):
        rows = _state_rows(shown)
        return f"### {shown.stack}\n\n{markdown_table(_STATES, rows, right=(3,))}"
    header = ("service", "status", "after", "address", "image")
    rows = [_up_row(service, shown) for service in shown.services]
    table = markdown_table(header, rows, right=(2,))
    looked = f"\n\n{checks.markdown(shown.checks)}" if shown.checks else ""
    told = f"\n\n{failures.markdown(shown.failures)}" if shown.failed else ""
    advice = "".join(f"\n\n{line}" for line in _advice(shown))
    head = f"in {shown.total_s:.2f} s" if shown.waited else "started"
    if shown.failed:
        head = f"failed after {shown.total_s:.2f} s"
    return f"### up: {shown.stack} {head}\n\n{table}{looked}{told}{advice}"


def as_json(shown: Shown) -> dict[str, Any]:
    """Return a report as documented values; figures that are not known are null."""
    if isinstance(shown, StackState):
        return {
            "schema": _SCHEMA,
            "stack": shown.stack,
            "project": shown.project,
            "services": [_state_json(each) for each in shown.services],
        }
    return {
        "schema": _SCHEMA,
        "stack": shown.stack,
        "project": shown.project,
        "total_s": round(shown.total_s, 3),
        "verdict": "failed" if shown.failed else "up" if shown.waited else "started",
        "services": [up_json(each) | {"status": _status(each, shown)} for each in shown.services],
        "checks": checks.as_json(shown.checks),
        "failures": failures.as_json(shown.failures),
        "slow_probes": [
            {
                "service": each.service,
                "probe_lag_s": each.lag_s,
                "start_interval": each.start_interval,
                "start_period": each.start_period,
            }
            for each in shown.slow_probes
        ],
    }


def up_json(service: ServiceUp) -> dict[str, Any]:
    """Return the times of one service as documented values; None where not reached or known."""
    return {
        "service": service.service,
        "status": service.status,
        "created_s": service.created_s,
        "started_s": service.started_s,
        "listening_s": service.listening_s,
        "ready_s": service.ready_s,
        "healthy_s": service.healthy_s,
        "ended_s": service.ended_s,
        "probe_lag_s": service.probe_lag_s,
        "restarts": service.restarts,
        "first_log_s": service.first_log_s,
        "peak_memory_bytes": service.peak_memory_bytes,
        "cpu_s": service.cpu_s,
        "exit_code": service.exit_code,
        "published": [_address(port) for port in _ports(service.published)],
        "reason": service.reason or None,
    }


def duration(seconds: float) -> str:
    """Return a length of time in the two units that matter: `42 s`, `3 min 5 s`, `2 d 4 h`."""
    whole = int(seconds)
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    for position, (unit, size) in enumerate(units):
        if whole >= size:
            head, rest = divmod(whole, size)
            if unit == "s" or rest < units[position + 1][1]:
                return f"{head} {unit}"
            below, step = units[position + 1]
            return f"{head} {unit} {rest // step} {below}"
    return "0 s"


def _task(name: str, shown: Shown) -> str:
    return invoked(name, shown.stack)


def _not_waited(shown: UpReport) -> str:
    return f"started, and not waited for · look: {_task('ps', shown)}"


def _up_row(service: ServiceUp, report: UpReport) -> list[str]:
    at = service.ended_s if service.status == "completed" else service.healthy_s
    return [
        f"{_MARKS[service.status]} {service.service}",
        _told(service, report),
        "" if at is None else f"{at:.2f} s",
        " ".join(_address(port) for port in _ports(service.published)),
        report.images.get(service.service, "") or _reason(service, report),
    ]


def _reason(service: ServiceUp, report: UpReport) -> str:
    """Return a reason that is not told elsewhere: why something failed stands above the table."""
    above = {"failed", "unknown"} | ({"waiting"} if report.failed else set())
    return "" if service.status in above else service.reason


def _told(service: ServiceUp, report: UpReport) -> str:
    status = _status(service, report)
    if status == "waiting" and service.shows:
        return service.shows
    return _STATUSES.get(status, status)


def _status(service: ServiceUp, report: UpReport) -> str:
    """Return a service's state; `started` is all that is known of one that nobody waited for."""
    begun = service.status == "waiting" and service.started_s is not None
    return "started" if begun and not report.waited else service.status


def _advice(report: UpReport) -> list[str]:
    """Return one line of what to write into the file, where health checks told late."""
    slow = report.slow_probes
    if not slow:
        return []
    told = ", ".join(f"{each.service} {each.lag_s:.1f} s" for each in slow)
    periods: dict[str, list[str]] = {}
    for each in slow:
        periods.setdefault(each.start_period, []).append(each.service)
    written = ", ".join(f"{period} ({', '.join(names)})" for period, names in periods.items())
    wanted = f"start_interval: {slow[0].start_interval} with start_period: {written}"
    return [f"health checks told late ({told}); write into the file: {wanted}"]


def _ports(published: Iterable[Published]) -> list[Published]:
    """Return one entry for each port: on an engine with IPv6 each is bound twice."""
    return list({(port.target, port.host_port): port for port in reversed([*published])}.values())


def _address(port: Published) -> str:
    everywhere = port.host_ip in {"", "0.0.0.0", "::"}  # noqa: S104  compared, not bound
    host = "127.0.0.1" if everywhere else port.host_ip
    scheme = "http" if port.protocol == "tcp" and port.target in {80, 3000, 8000, 8080} else ""
    address = f"{host}:{port.host_port}"
    return f"{scheme}://{address}" if scheme else f"{address}/{port.protocol}"


def _state_text(shown: StackState) -> str:
    head = f"stack {shown.stack} · project {shown.project}"
    if not shown.services:
        return f"{head}\n\n  nothing runs; start it: {_task('up', shown)}"
    rows = [_STATES, *_state_rows(shown)]
    return f"{head}\n\n" + "\n".join(f"  {line}" for line in aligned(rows, right=(3,)).splitlines())


def _state_rows(shown: StackState) -> list[list[str]]:
    """Return a row for each container; those of one service have their numbers, as in its logs."""
    names = [each.service for each in shown.services]
    return [
        _state_row(
            each, f"{each.service}-{each.number}" if names.count(each.service) > 1 else each.service
        )
        for each in shown.services
    ]


def _state_row(state: ServiceState, name: str) -> list[str]:
    told = state.health if state.health != "none" and state.state == "running" else state.state
    if state.state == "exited":
        told = f"ended {state.exit_code}"
    elif told == "running":
        told = "running, no health check"
    return [
        name,
        told,
        "" if state.uptime_s is None else duration(state.uptime_s),
        str(state.restarts),
        " ".join(_address(port) for port in _ports(state.published)),
        _version(state),
    ]


def _version(state: ServiceState) -> str:
    """Return the version of a container's image, and how it stands to what is checked out."""
    told = {
        "current": "current",
        "behind": f"{state.commits_behind} commit{'s' * (state.commits_behind != 1)} behind",
        "changed": "files changed since",
        "other": "of another commit",
    }.get(state.standing)
    name = state.version or shortened(state.image)
    return f"{name} · {told}" if told else name


def _state_json(state: ServiceState) -> dict[str, Any]:
    return {
        "service": state.service,
        "container": state.container,
        "state": state.state,
        "health": None if state.health == "none" else state.health,
        "exit_code": state.exit_code,
        "uptime_s": None if state.uptime_s is None else round(state.uptime_s, 1),
        "restarts": state.restarts,
        "image": state.image,
        "version": state.version or None,
        "revision": state.revision or None,
        "git": state.standing or None,
        "commits_behind": state.commits_behind,
        "published": [_address(port) for port in _ports(state.published)],
    }
