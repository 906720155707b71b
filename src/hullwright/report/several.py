"""The results of several stacks as one document, by the report of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCHEMA: Final = 1


class One(Protocol):
    """A report of one result, such as the module `report.stack`."""

    def text(self, result: Any, /) -> str: ...
    def markdown(self, result: Any, /) -> str: ...
    def as_json(self, result: Any, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Several:
    """The report of several results, and of stacks that nothing was done for.

    Attributes:
        one: the report of each.
        undone: what did not happen to those that are left, such as `not started`.
        left: their names.
    """

    one: One
    undone: str = ""
    left: tuple[str, ...] = ()

    def text(self, results: Iterable[object]) -> str:
        """Return the results for people, one below the other."""
        return "\n\n".join([*(self.one.text(each) for each in results), *self._rest()])

    def markdown(self, results: Iterable[object]) -> str:
        """Return the results for a job summary or a pull request."""
        return "\n\n".join([*(self.one.markdown(each) for each in results), *self._rest()])

    def as_json(self, results: Iterable[object]) -> dict[str, Any]:
        """Return the documents of the results, each as it is alone."""
        given = {"schema": _SCHEMA, "stacks": [self.one.as_json(each) for each in results]}
        key = self.undone.replace(" ", "_")
        return given | ({key: list(self.left)} if self.left else {})

    def _rest(self) -> list[str]:
        return [f"{self.undone}: {', '.join(self.left)}"] if self.left else []
