"""Each layer's step in the words of its Dockerfile, and whether it is the base's or its own. Pure.

An image says of each layer what made it, but in the builder's words, with the shell and the
arguments before a command. A base's layers are the first ones of whatever is built on it, so they
are told by their digests.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.tools.layersteps import key_of, step_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.sizes.models import LayerSize
    from hullwright.tools.dockerfile import Instruction, Stage

_MAKING_LAYERS: Final = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})


def own_layers(layers: Sequence[LayerSize], stages: Sequence[Stage]) -> int | None:
    """Return how many layers the steps of a Dockerfile made; None where they do not fit.

    For a base that is gone: the last layers have to be exactly the steps, one for one, and at
    least one of them by its words and not by its keyword alone.

    Args:
        layers: the lowest first.
        stages: what the image is, and below it what each starts from.
    """
    steps = [
        step
        for stage in reversed(stages)
        for step in stage.instructions
        if step.keyword in _MAKING_LAYERS
    ]
    last = layers[len(layers) - len(steps) :] if steps else ()
    if not steps or len(steps) >= len(layers):
        return None
    fits = [_fits(step, layer) for step, layer in zip(steps, last, strict=True)]
    return len(steps) if "words" in fits and "" not in fits else None


def marked(
    layers: Sequence[LayerSize],
    base: Sequence[str] | None,
    written: Mapping[str, str] | None = None,
) -> tuple[LayerSize, ...]:
    """Return the layers with their steps, and, where the base's are known, whose each is.

    Args:
        layers: the lowest first.
        base: diff ids of the layers of the image that it is built on; None where they are not
            known.
        written: instructions of its Dockerfile, as `instructions` gives them.
    """
    count = None if base is None else len(base)
    return tuple(
        replace(
            layer,
            step=step_of(layer.created_by, written),
            origin=None if count is None else "base" if number < count else "own",
        )
        for number, layer in enumerate(layers)
    )


def begins_with(layers: Sequence[LayerSize], base: Sequence[str]) -> bool:
    """Return whether layers stand on those of a base."""
    return [layer.diff_id for layer in layers[: len(base)]] == list(base)


def _fits(step: Instruction, layer: LayerSize) -> str:
    """Return by what a step is the one of a layer: `words`, `keyword`; empty for another one."""
    told = step_of(layer.created_by)
    if key_of(told) == key_of(text_of(step)):
        return "words"
    # Variables, lists and heredocs are told otherwise than they are written.
    loose = step.keyword != "RUN" and "$" in step.value
    loose = loose or step.value.startswith("[") or "<<" in step.value
    return "keyword" if loose and told.startswith(f"{step.keyword} ") else ""
