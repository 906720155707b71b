"""Dockerfiles: their stages, the images that they are made from, and the arguments they declare.

This reading needs no engine. It follows BuildKit's frontend: the `# escape=` directive, continued
lines with comments between them, heredocs, flags, and variables in `FROM`.
Source: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from hullwright.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Kind = Literal["FROM", "COPY --from", "RUN --mount"]

_DIRECTIVE: Final = re.compile(r"#\s*(?P<name>[A-Za-z]+)\s*=\s*(?P<value>\S+)\s*")
_FLAG: Final = re.compile(r"--(?P<name>[a-z][a-z-]*)(?:=(?P<value>\S*))?(?:\s+|$)")
_HEREDOC: Final = re.compile(r"\d*<<(?P<dash>-?)(?P<quote>[\"']?)(?P<word>\w[\w.-]*)(?P=quote)")
WORD: Final = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+""")
_VARIABLE: Final = re.compile(
    r"\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?:(?P<operator>:?[-+?])(?P<other>[^}]*))?\})"
)
_WITH_HEREDOCS: Final = {"RUN", "COPY", "ADD"}
_PLATFORM_ARGUMENTS: Final = frozenset(
    f"{side}{part}"
    for side in ("BUILD", "TARGET")
    for part in ("PLATFORM", "OS", "ARCH", "VARIANT")
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction with its continued lines joined.

    Attributes:
        keyword: in upper case.
        value: everything after the keyword and its flags; heredocs' contents are left out.
        flags: the `--name=value` words before the value, in their order; no value is empty.
        line: number of its first line, from 1.
    """

    keyword: str
    value: str
    flags: tuple[tuple[str, str], ...]
    line: int

    def flag(self, name: str) -> str:
        """Return the value of a flag; empty where it is not given."""
        return next((value for given, value in self.flags if given == name), "")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: what it starts from and what it does.

    Attributes:
        name: as the Dockerfile writes it; empty for a stage without one.
        base: image or stage that it starts from, as written, variables included.
        platform: what `--platform` says, as written; empty without.
        instructions: all after its `FROM`.
        line: line of its `FROM`, from 1.
    """

    name: str
    base: str
    platform: str
    instructions: tuple[Instruction, ...]
    line: int

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the build arguments that it declares, in order."""
        return tuple(name for step in self.instructions for name, _ in _declared(step))

    def sources(self) -> Iterator[tuple[Kind, str, int]]:
        """Yield what it takes files from: stage, image or context as written, and the line."""
        for step in self.instructions:
            if step.keyword in {"COPY", "ADD"} and step.flag("from"):
                yield "COPY --from", step.flag("from"), step.line
            for name, value in step.flags if step.keyword == "RUN" else ():
                source = _mount_source(value) if name == "mount" else ""
                if source:
                    yield "RUN --mount", source, step.line


@dataclass(frozen=True, slots=True)
class ImageUse:
    """A place where a Dockerfile names an image that it does not make itself.

    Attributes:
        image: the reference, variables replaced.
        kind: the instruction.
        stage: name of the stage, or its number from 0.
        line: from 1.
        missing: variables without a value; where there are any, `image` is not to be relied on.
        platform: what the `FROM` asks for, variables replaced; empty for the built platform.
    """

    image: str
    kind: Kind
    stage: str
    line: int
    missing: tuple[str, ...] = ()
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A Dockerfile as values.

    Attributes:
        all_stages: every stage in order.
        globals: arguments before the first stage with their defaults; None is no default.
        directives: parser directives such as `syntax`, by lower-case name.
    """

    all_stages: tuple[Stage, ...]
    globals: Mapping[str, str | None]
    directives: Mapping[str, str]

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the named stages, in order."""
        return tuple(stage.name for stage in self.all_stages if stage.name)

    @property
    def arguments(self) -> frozenset[str]:
        """Names of all build arguments that are declared anywhere."""
        return frozenset(self.globals).union(*(stage.arguments for stage in self.all_stages))

    def needed_stages(
        self, target: str = "", build_args: Mapping[str, str] | None = None
    ) -> tuple[Stage, ...]:
        """Return the stages that `target` is made from, itself included; empty is every stage.

        Raises:
            UsageError: there is no such stage.
        """
        if not target:
            return self.all_stages
        start = self.index_of(target, len(self.all_stages))
        if start is None:
            raise UsageError(
                f'the Dockerfile has no stage "{target}"',
                why=[("stages", ", ".join(self.stages) or "none has a name")],
            )
        values = self.values(build_args or {})
        needed, waiting = set[int](), [start]
        while waiting:
            index = waiting.pop()
            if index not in needed:
                needed.add(index)
                waiting.extend(self._parents(index, values))
        return tuple(self.all_stages[index] for index in sorted(needed))

    def images(
        self,
        build_args: Mapping[str, str] | None = None,
        *,
        target: str = "",
        contexts: Sequence[str] = (),
    ) -> tuple[ImageUse, ...]:
        """Return every use of an image that the Dockerfile does not make itself.

        Args:
            build_args: override the defaults of the Dockerfile.
            target: only what this stage needs; empty means every stage.
            contexts: names of build contexts, which stand before images of the same name.
        """
        values = self.values(build_args or {})
        needed = {stage.line for stage in self.needed_stages(target, build_args)}
        own = {name.lower() for name in contexts} | {"scratch"}
        found = []
        for index, stage in enumerate(self.all_stages):
            if stage.line not in needed:
                continue
            platform = substitute(stage.platform, values).text
            for kind, written, line in (("FROM", stage.base, stage.line), *stage.sources()):
                name = substitute(written, values)
                if name.text.lower() in own or self.index_of(name.text, index) is not None:
                    continue
                use = ImageUse(name.text, kind, stage.name or str(index), line, name.missing)
                found.append(use if kind != "FROM" else _on(use, platform))
        return tuple(found)

    def values(self, build_args: Mapping[str, str]) -> dict[str, str]:
        """Return the values that variables of a `FROM` have."""
        values: dict[str, str] = {}
        for name, default in self.globals.items():
            given = build_args.get(name, default)
            if given is not None:
                values[name] = substitute(given, values).text
        return values

    def _parents(self, index: int, values: Mapping[str, str]) -> Iterator[int]:
        stage = self.all_stages[index]
        for written in (stage.base, *(source for _, source, _ in stage.sources())):
            parent = self.index_of(substitute(written, values).text, index)
            if parent is not None:
                yield parent

    def index_of(self, name: str, before: int) -> int | None:
        """Return the number of the stage that `name` means where those up to `before` are known."""
        for index in reversed(range(before)):
            if self.all_stages[index].name.lower() == name.lower() and name:
                return index
        return int(name) if name.isdecimal() and int(name) < before else None


@dataclass(frozen=True, slots=True)
class Substituted:
    """A text with its variables replaced, and the names that had no value."""

    text: str
    missing: tuple[str, ...] = ()


def substitute(text: str, values: Mapping[str, str]) -> Substituted:
    """Return `text` with `$name`, `${name}`, `${name:-other}` and `${name:+other}` replaced.

    BuildKit's own platform arguments stay as they are written: they differ from build to build.
    """
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        name = match["plain"] or match["name"]
        operator, other = match["operator"] or "", match["other"] or ""
        given = values.get(name)
        is_set = bool(given) if operator.startswith(":") else given is not None
        if operator.endswith("+"):
            return substitute(other, values).text if is_set else ""
        if is_set and given is not None:
            return given
        if operator.endswith("-"):
            return substitute(other, values).text
        if name in _PLATFORM_ARGUMENTS:
            return match[0]
        missing.append(name)
        return ""

    return Substituted(_VARIABLE.sub(value, text), tuple(missing))


def read(path: Path) -> Dockerfile:
    """Return the Dockerfile at `path`, parsed.

    Raises:
        UsageError: it cannot be read, or has no stage.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise UsageError(f"{path} could not be read", why=error.strerror or str(error)) from error
    parsed = parse(text)
    if not parsed.all_stages:
        raise UsageError(f"{path} has no FROM instruction", why="so there is nothing to build")
    return parsed


def parse(text: str) -> Dockerfile:
    """Return the Dockerfile that `text` writes; to refuse what is wrong is left to BuildKit."""
    lines = re.split(r"\r?\n", text.removeprefix("\ufeff"))
    directives = _directives(lines)
    escape = "`" if directives.get("escape") == "`" else "\\"
    global_arguments: dict[str, str | None] = {}
    stages: list[Stage] = []
    for step in _instructions(lines, escape):
        if step.keyword == "FROM":
            stages.append(_stage(step))
        elif stages:
            last = stages[-1]
            stages[-1] = Stage(
                last.name, last.base, last.platform, (*last.instructions, step), last.line
            )
        else:
            global_arguments.update(_declared(step))
    return Dockerfile(tuple(stages), global_arguments, directives)


def _directives(lines: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        match = _DIRECTIVE.fullmatch(line.strip())
        # They end at the first line that is no directive, or that repeats one.
        if match is None or match["name"].lower() in found:
            break
        found[match["name"].lower()] = match["value"]
    return found


def _instructions(lines: Sequence[str], escape: str) -> Iterator[Instruction]:
    number = 0
    while number < len(lines):
        number, first, text = _joined(lines, number, escape)
        if text:
            step = _instruction(text, first + 1)
            if step.keyword in _WITH_HEREDOCS:
                number = _after_heredocs(lines, number, step.value)
            yield step


def _joined(lines: Sequence[str], number: int, escape: str) -> tuple[int, int, str]:
    """Return the next unread line's number, the instruction's own, and its continued lines."""
    first, parts = number, list[str]()
    while number < len(lines):
        line = lines[number]
        number += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue  # between continued lines too, comments and empty lines are no part of them
        if not parts:
            first = number - 1
        continued = line.rstrip().endswith(escape)
        parts.append(line.rstrip().removesuffix(escape) if continued else line)
        if not continued:
            break
    return number, first, "".join(parts).strip()


def _instruction(text: str, line: int) -> Instruction:
    keyword, *others = text.split(maxsplit=1)
    rest = others[0] if others else ""
    flags: list[tuple[str, str]] = []
    while match := _FLAG.match(rest):
        flags.append((match["name"], (match["value"] or "").strip("\"'")))
        rest = rest[match.end() :]
    return Instruction(keyword.upper(), rest.strip(), tuple(flags), line)


def _after_heredocs(lines: Sequence[str], number: int, value: str) -> int:
    """Return the number of the line after the heredocs that an instruction opens."""
    for word in WORD.findall(value):
        match = _HEREDOC.fullmatch(word)
        if match is None:
            continue
        while number < len(lines):
            line = lines[number]
            number += 1
            if (line.lstrip("\t") if match["dash"] else line) == match["word"]:
                break
    return number


def _stage(step: Instruction) -> Stage:
    words = step.value.split()
    named = len(words) == 3 and words[1].upper() == "AS"
    return Stage(
        words[2] if named else "",
        words[0].strip("\"'") if words else "",
        step.flag("platform"),
        (),
        step.line,
    )


def _declared(step: Instruction) -> Iterator[tuple[str, str | None]]:
    if step.keyword == "ARG":
        for word in WORD.findall(step.value):
            name, equals, value = word.partition("=")
            yield name, value.strip("\"'") if equals else None


def _mount_source(options: str) -> str:
    pairs = (option.partition("=") for option in options.split(","))
    return next((value for name, _, value in pairs if name == "from"), "")


def _on(use: ImageUse, platform: str) -> ImageUse:
    return ImageUse(use.image, use.kind, use.stage, use.line, use.missing, platform)
