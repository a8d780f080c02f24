"""InferenceRollouts in YAML files, with the lines that their fields are on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from predictors.rollout.kube.api import Object
from predictors.rollout.spec import KIND


class BadYaml(Exception):
    """A file is not YAML; the text says where, in one sentence."""


@dataclass(frozen=True)
class Document:
    """One InferenceRollout of a file.

    Args:
        value: it.
        node: the same as YAML's parser sees it.
    """

    value: Object
    node: yaml.Node

    def line(self, path: Sequence[str | int]) -> int:
        """The line, from 1, of a field; of the nearest thing around it, if it is not there."""
        node = self.node
        line: int = node.start_mark.line
        for part in path:
            if (found := _child(node, part)) is None:
                break
            key, node = found
            line = key.start_mark.line
        return line + 1


def rollouts(text: str) -> Iterator[Document]:
    """The InferenceRollouts of a file; other documents are passed over.

    Raises:
        BadYaml: it is no YAML.
    """
    try:
        for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
            if node is None:
                continue
            value = _value(node)
            if isinstance(value, dict) and value.get("kind") == KIND:
                yield Document(value, node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise BadYaml(f"{where}not YAML: {error.problem or error}") from None
    except yaml.YAMLError as error:
        raise BadYaml(f"not YAML: {error}") from None


def _value(node: yaml.Node) -> object:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """A field's key and value, or an item twice."""
    if isinstance(node, yaml.MappingNode):
        return next((pair for pair in node.value if pair[0].value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None
