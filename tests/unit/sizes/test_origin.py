"""Each layer's step in the Dockerfile's words, and whose it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hullwright.sizes.models import LayerSize
from hullwright.sizes.origin import begins_with, marked, own_layers
from hullwright.tools import dockerfile
from hullwright.tools.layersteps import instructions, step_of


@pytest.mark.parametrize(
    ("created_by", "step"),
    [
        ("COPY models/ /app/models # buildkit", "COPY models/ /app/models"),
        ("RUN /bin/sh -c apt-get update && apt-get install -y x # buildkit",
         "RUN apt-get update && apt-get install -y x"),
        ("RUN |1 TARGETARCH=amd64 /bin/sh -c make  all     && rm x # buildkit",
         "RUN make all && rm x"),
        ("RUN |2 A=b C=two words /bin/bash -o pipefail -c curl x | sh # buildkit",
         "RUN curl x | sh"),
        ("RUN /bin/bash -euo pipefail -c true # buildkit", "RUN true"),
        ("RUN |1 A=b apk add curl # buildkit", "RUN apk add curl"),
        ("RUN apk add curl # buildkit", "RUN apk add curl"),
        ("/bin/sh -c #(nop) COPY file:0123456789abcdef in /app ",
         "COPY file:0123456789abcdef in /app"),
        ("/bin/sh -c #(nop)  ADD file:0123 in / ", "ADD file:0123 in /"),
        ("|1 A=b /bin/sh -c #(nop) COPY dir:01 in /", "COPY dir:01 in /"),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("|2 A=b C=d /bin/sh -c apt-get update", "RUN apt-get update"),
        ("WORKDIR /app", "WORKDIR /app"),
        ("# debian.sh --arch 'amd64' out/ 'trixie'", "# debian.sh --arch 'amd64' out/ 'trixie'"),
        ("ko build ko://example.org/x", "ko build ko://example.org/x"),
        ("", ""),
        ("COPY a\x1b[2Jb /", "COPY a�[2Jb /"),
        ("RUN |9999 " + "A=b " * 3000, "RUN"),
    ],
)  # fmt: skip
def test_a_step_is_in_the_words_of_its_dockerfile(created_by: str, step: str) -> None:
    assert step_of(created_by) == step


def test_where_a_dockerfile_is_known_its_flags_are_told() -> None:
    stages = dockerfile.parse(
        "FROM scratch\nCOPY --from=builder --chown=1:1 \\\n  /opt/app   /opt/app\nRUN x\n"
    ).all_stages
    words = instructions(stages)
    told = "COPY --from=builder --chown=1:1 /opt/app /opt/app"
    assert step_of("COPY --chown=1:1 /opt/app /opt/app # buildkit", words) == told
    assert step_of("COPY /opt/app /opt/app # buildkit", words) == told
    assert step_of("COPY /opt/other /opt # buildkit", words) == "COPY /opt/other /opt"


def layer(diff_id: str) -> LayerSize:
    return LayerSize(diff_id, diff_id, 1, 1, f"COPY {diff_id} /")


def test_the_layers_of_the_base_are_the_first_ones() -> None:
    layers = [layer("a"), layer("b"), layer("c")]
    assert [each.origin for each in marked(layers, ["a"])] == ["base", "own", "own"]
    assert [each.origin for each in marked(layers, [])] == ["own", "own", "own"]
    unknown = marked(layers, None)
    assert [each.origin for each in unknown] == [None, None, None]
    assert unknown[0].step == "COPY a /"


def test_an_image_stands_on_another_whose_layers_it_begins_with() -> None:
    layers = [layer("a"), layer("b")]
    assert begins_with(layers, ["a"])
    assert begins_with(layers, ["a", "b"])
    assert not begins_with(layers, ["b"])
    assert not begins_with(layers, ["a", "b", "c"])


STAGES = """\
FROM a AS base
RUN apt-get update \\
    && true
WORKDIR /app
FROM base
COPY --from=x $A /b
RUN ["one", "two"]
"""


@pytest.mark.parametrize(
    ("created", "count"),
    [
        (["RUN /bin/sh -c apt-get update     && true # buildkit", "WORKDIR /app",
          "COPY a /b # buildkit", "RUN one two # buildkit"], 4),
        (["RUN /bin/sh -c apt-get upgrade # buildkit", "WORKDIR /app", "COPY a /b", "RUN one"],
         None),
        (["WORKDIR /app", "COPY a /b", "RUN one"], None),
        (["RUN /bin/sh -c apt-get update && true", "COPY a /b", "WORKDIR /app", "RUN one"], None),
    ],
)  # fmt: skip
def test_where_the_base_is_gone_its_own_layers_are_the_steps(
    created: list[str], count: int | None
) -> None:
    stages = dockerfile.parse(STAGES).all_stages
    layers = [layer("base"), *(replace(layer("x"), created_by=each) for each in created)]
    assert own_layers(layers, stages[::-1]) == count
    assert own_layers(layers[:1], stages[::-1]) is None
    assert own_layers(layers, dockerfile.parse("FROM a\nENV A=b\n").all_stages) is None


def test_steps_that_fit_by_keyword_alone_prove_nothing() -> None:
    stages = dockerfile.parse("FROM a\nCOPY $A /\n").all_stages
    assert own_layers([layer("a"), layer("b")], stages) is None
