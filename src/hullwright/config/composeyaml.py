"""The YAML of compose files, with the tags that only Compose knows."""

from __future__ import annotations


def parse(text: str) -> object:
    """Return the value of a YAML text.

    Raises:
        ValueError: it is not YAML; the message has the line.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

    class Constructor(SafeConstructor):
        """Knows Compose's tags: `!reset` takes a value away, `!override` leaves it as it is."""

    def tagged(constructor: SafeConstructor, suffix: str, node: Node) -> object:
        if suffix == "reset":
            return None
        if isinstance(node, MappingNode):
            return constructor.construct_mapping(node, deep=True)
        if isinstance(node, SequenceNode):
            return constructor.construct_sequence(node, deep=True)
        return constructor.construct_scalar(node)

    Constructor.add_multi_constructor("!", tagged)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{line}{error.problem}") from None
    except YAMLError as error:
        raise ValueError(f"{error}".partition("\n")[0]) from None
