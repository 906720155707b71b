"""What is wrong in a configuration: found all at once, raised once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hullwright.errors import UsageError

_SEE: Final = "invoke config   (shows what is understood, and where it comes from)"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: the key, as `services.web.budgets[0].hard`; empty for a file as a whole.
        message: what is wrong, with a suggestion where there is one.
        origin: the file, the variable or `command line` that said it.
    """

    path: str
    message: str
    origin: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigurationError(UsageError):
    """The configuration has problems; every one of them is named."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        origins = list(dict.fromkeys(problem.origin for problem in problems))
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            f"the configuration has {count} ({', '.join(origins)})",
            why=[(problem.path or problem.origin, problem.message) for problem in problems],
            next_step=_SEE if any(problem.path for problem in problems) else "",
        )
        self.problems = problems


@dataclass(slots=True)
class Notes:
    """What is written down while a configuration is read.

    Attributes:
        source: name of the file that is read.
        origins: where each value came from, by key path.
        problems: what is wrong so far, in the order of the keys.
    """

    source: str
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: str, message: str) -> None:
        """Note what is wrong with the value at `path`, or with what stands inside it."""
        origin = self.origins.get(path.partition("[")[0], self.source)
        self.problems.append(Problem(path, message, origin))
