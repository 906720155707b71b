"""What the services of the examples rely on in the images below them, official or stand-ins."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

import pytest

from examples import Example, until_true, written

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

KEY: Final = "the-key-of-this-test"
COMPOSE: Final = f"""\
services:
  redis:
    image: redis:8-trixie
    command: [--requirepass, {KEY}, --appendonly, "yes"]
    volumes: [queue:/data]
  qdrant:
    image: qdrant/qdrant:v1
    environment: {{QDRANT__SERVICE__API_KEY: {KEY}}}
    volumes: [vectors:/qdrant/storage]
  collector:
    image: otel/opentelemetry-collector:0.155.0
    volumes: [./collector.yaml:/etc/otelcol/config.yaml:ro]
  jaeger:
    image: jaegertracing/all-in-one:1.76.0
  prometheus:
    image: prom/prometheus:v2.53.3
    volumes: [./prometheus.yml:/etc/prometheus/prometheus.yml:ro]
    healthcheck:
      test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9090/-/ready"]
      start_period: 30s
      start_interval: 250ms
volumes: {{queue: {{}}, vectors: {{}}}}
"""
COLLECTOR: Final = """\
receivers:
  otlp: {protocols: {http: {endpoint: "0.0.0.0:4318"}}}
processors: {batch: {timeout: 100ms}}
exporters:
  otlp: {endpoint: "jaeger:4317", tls: {insecure: true}}
  prometheus: {endpoint: "0.0.0.0:8889"}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}
    metrics: {receivers: [otlp], exporters: [prometheus]}
"""
PROMETHEUS: Final = """\
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: collector
    static_configs: [{targets: ["collector:8889"]}]
"""
_ANSWER_S: Final = 10
TRACE: Final = "5b8efff798038103d269b633813fc60c"
RESOURCE: Final = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
SPAN: Final = {
    "traceId": TRACE,
    "spanId": "eee19b7ec3c1b174",
    "name": "GET /",
    "startTimeUnixNano": "1790000000000000000",
    "endTimeUnixNano": "1790000000100000000",
}
SUM: Final = {
    "aggregationTemporality": 2,
    "isMonotonic": True,
    "dataPoints": [{"asInt": "5", "timeUnixNano": "1790000000000000000"}],
}


@pytest.fixture(scope="module")
def stack(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """A stack of all of them that runs."""
    files = {
        "docker-compose.yml": COMPOSE,
        "collector.yaml": COLLECTOR,
        "prometheus.yml": PROMETHEUS,
        "tasks.py": "from hullwright.tasks import collection\n\nns = collection()\n",
        ".gitignore": "__pycache__/\n",
    }
    with written("stand-ins", tmp_path_factory.mktemp("examples"), files) as made:
        made.compose("up", "--detach", "--wait")
        yield made


def lines(place: tuple[str, int], asked: str, count: int) -> list[str]:
    """Return the first lines that a server answers over a new connection."""
    with (
        socket.create_connection(place, timeout=_ANSWER_S) as connection,
        connection.makefile("r", encoding="ascii", newline="\r\n") as answer,
    ):
        connection.sendall(f"{asked}\r\n".encode())
        return [answer.readline().removesuffix("\r\n") for _ in range(count)]


def test_redis_answers_others_only_by_its_password_and_runs_as_its_user(stack: Example) -> None:
    place = stack.address("redis", 6379)
    until_true(lambda: bool(lines(place, "PING", 1)), "redis answers")
    (refused,) = lines(place, "PING", 1)
    assert refused.startswith("-NOAUTH")
    assert lines(place, f"AUTH {KEY}\r\nPING", 2) == ["+OK", "+PONG"]
    status = stack.compose("exec", "redis", "cat", "/proc/1/status")
    assert "Uid:\t999\t999" in status


def test_qdrant_finds_what_is_near_and_keeps_it_over_a_restart(stack: Example) -> None:
    place = stack.address("qdrant", 6333)
    until_true(lambda: stack.request("GET", "/readyz", at=place).status == 200, "qdrant is ready")
    key = {"api-key": KEY}
    assert stack.request("GET", "/collections", at=place).status == 401
    vectors = {"vectors": {"size": 3, "distance": "Cosine"}}
    points = [
        {"id": 1, "vector": [1.0, 0.0, 0.0], "payload": {"text": "one"}},
        {"id": 2, "vector": [0.0, 1.0, 0.0], "payload": {"text": "two"}},
    ]
    for method, path, body in (
        ("PUT", "/collections/documents", vectors),
        ("PUT", "/collections/documents/points?wait=true", {"points": points}),
    ):
        assert stack.request(method, path, body, key, place).json["status"] == "ok"
    again = stack.request("PUT", "/collections/documents", vectors, key, place)
    assert again.status == 409

    stack.compose("restart", "qdrant")
    place = stack.address("qdrant", 6333)
    until_true(lambda: stack.request("GET", "/readyz", at=place).status == 200, "it is back")
    wanted = {"vector": [0.1, 0.9, 0.0], "limit": 1, "with_payload": True}
    path = "/collections/documents/points/search"
    (found,) = stack.request("POST", path, wanted, key, place).json["result"]
    assert (found["id"], found["payload"]) == (2, {"text": "two"})
    assert found["score"] == pytest.approx(0.994, abs=0.001)
    near = {"query": [0.1, 0.9, 0.0], "limit": 2}
    path = "/collections/documents/points/query"
    told = stack.request("POST", path, near, key, place).json["result"]["points"]
    assert [point["id"] for point in told] == [2, 1]
    short = {"vector": [0.1], "limit": 1}
    path = "/collections/documents/points/search"
    assert stack.request("POST", path, short, key, place).status == 400


def test_a_span_reaches_jaeger_through_the_collector(stack: Example) -> None:
    spans = {"resourceSpans": [{"resource": RESOURCE, "scopeSpans": [{"spans": [SPAN]}]}]}
    collector, jaeger = stack.address("collector", 4318), stack.address("jaeger", 16686)
    until_true(
        lambda: stack.request("POST", "/v1/traces", spans, at=collector).status == 200,
        "the collector takes spans",
    )
    until_true(
        lambda: stack.request("GET", f"/api/traces/{TRACE}", at=jaeger).status == 200,
        "jaeger has the span",
    )
    (trace,) = stack.request("GET", f"/api/traces/{TRACE}", at=jaeger).json["data"]
    assert {span["operationName"] for span in trace["spans"]} == {"GET /"}
    assert trace["processes"]["p1"]["serviceName"] == "shop"


def test_a_figure_reaches_prometheus_through_the_collector(stack: Example) -> None:
    scope = {"metrics": [{"name": "documents", "sum": SUM}]}
    figures = {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": [scope]}]}
    collector, prometheus = stack.address("collector", 4318), stack.address("prometheus", 9090)
    until_true(
        lambda: stack.request("POST", "/v1/metrics", figures, at=collector).status == 200,
        "the collector takes figures",
    )

    def value() -> list[str]:
        path = "/api/v1/query?query=documents_total"
        found = stack.request("GET", path, at=prometheus).json["data"]["result"]
        return [one["value"][1] for one in found]

    until_true(lambda: value() == ["5"], "prometheus has the figure")
