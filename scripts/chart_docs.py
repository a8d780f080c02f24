"""Generate the charts' values.schema.json, and the values in their README.md, from values.yaml.

A comment stands right above its key, and its first paragraph is the description. A line `# @schema {…}` adds to the
JSON schema what the default's type does not say; `# @settings` makes a map of the server's own settings. The schema
refuses any value that is not in values.yaml.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from predictors.cli.flags import SERVE_SETTINGS

CHARTS = sorted((Path(__file__).parent.parent / "charts").iterdir())
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_MARKS = re.compile(r"(<!-- values -->\n).*(<!-- end of values -->\n)", re.DOTALL)


class Value(NamedTuple):
    """A key of values.yaml.

    Args:
        path: names from the top.
        default: its value there.
        description: the comment's first paragraph, on one line.
        schema: what the comment adds to the JSON schema.
        fields: the keys below it.
    """

    path: tuple[str, ...]
    default: Any
    description: str
    schema: dict[str, Any]
    fields: list["Value"]


def read_values(text: str) -> list[Value]:
    """Read the keys of values.yaml with their comments.

    Raises:
        ValueError: a value has no comment.
    """
    return list(_fields(yaml.compose(text), yaml.safe_load(text), (), text.splitlines()))


def make_schema(values: list[Value]) -> str:
    """Write the JSON schema of the chart's values."""
    properties = {value.path[-1]: _schema(value) for value in values}
    properties["global"] = {"type": "object"}  # Helm adds it where the chart is a dependency
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **_object(properties)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def make_readme(readme: str, values: list[Value]) -> str:
    """Put the tables of values between the marks in a README."""
    tables = ["\n## Values\n", *_table([value for value in values if value.path != ("defaults",)], skip=0)]
    for model in (value for value in values if value.path == ("defaults",)):
        tables += [
            "\n## Fields of a model\n",
            "In `models.NAME`; in `kinds.KIND` for all models of a kind; in `defaults` for all models.\n",
            *_table(model.fields, skip=1),
        ]
    tables.append("\n")
    return _MARKS.sub(lambda marks: marks[1] + "\n".join(tables) + marks[2], readme)


def _fields(node: Any, values: dict[str, Any], path: tuple[str, ...], lines: list[str]) -> Iterator[Value]:
    for key, below in node.value:
        where = (*path, key.value)
        description, schema = _comment(lines[: key.start_mark.line])
        default = values[key.value]
        has_fields = (
            bool(default) and isinstance(default, dict) and not schema.keys() & {"$ref", "additionalProperties"}
        )
        if not description and not has_fields and "$ref" not in schema:
            raise ValueError(f"values.yaml: {'.'.join(where)} has no comment")
        yield Value(
            where, default, description, schema, list(_fields(below, default, where, lines)) if has_fields else []
        )


def _comment(lines: list[str]) -> tuple[str, dict[str, Any]]:
    """Split the comment at the end of some lines into its first paragraph and its additions to the schema."""
    block: list[str] = []
    while lines and lines[-1].lstrip().startswith("#"):
        block.insert(0, lines.pop().strip().removeprefix("#").strip())
    schema: dict[str, Any] = {}
    for line in block:
        if line == "@settings":
            schema |= _object(_settings())
        elif line.startswith("@schema "):
            schema |= yaml.safe_load(line.removeprefix("@schema "))
    prose = [line for line in block if not line.startswith("@")]
    return " ".join(prose[: prose.index("")] if "" in prose else prose), schema


def _settings() -> dict[str, Any]:
    """The schema of each setting of the server, by its name in camelCase."""
    found = {}
    for settings in SERVE_SETTINGS:
        for name, schema in settings.model_json_schema(by_alias=False)["properties"].items():
            first, *others = name.split("_")
            kept = {key: value for key, value in schema.items() if key not in {"default", "title", "format"}}
            found[first + "".join(map(str.capitalize, others))] = kept
    return found


def _schema(value: Value) -> dict[str, Any]:
    if "$ref" in value.schema:
        return value.schema
    kind = _TYPES.get(type(value.default))
    schema: dict[str, Any] = {"type": kind} if kind else {}
    if value.fields:
        schema = _object({field.path[-1]: _schema(field) for field in value.fields})
        if value.path[0] == "defaults" and len(value.path) > 1:
            schema["type"] = ["object", "null"]  # as in `--set models.iris.canary=null`
    elif kind == "object":
        schema["additionalProperties"] = False
    return ({"description": value.description} if value.description else {}) | schema | value.schema


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _table(values: list[Value], skip: int) -> list[str]:
    return ["| value | default | |", "|---|---|---|", *_rows(values, skip)]


def _rows(values: list[Value], skip: int) -> Iterator[str]:
    for value in values:
        name = ".".join(value.path[skip:])
        if value.fields:
            if value.description:
                yield f"| `{name}` | | {value.description} |"
            yield from _rows(value.fields, skip)
        else:
            shown = "" if value.default in (None, "") else f"`{json.dumps(value.default, ensure_ascii=False)}`"
            yield f"| `{name}` | {shown} | {value.description} |"


def main() -> None:
    """Write both files of each chart."""
    for chart in CHARTS:
        values = read_values((chart / "values.yaml").read_text("utf-8"))
        readme = chart / "README.md"
        (chart / "values.schema.json").write_text(make_schema(values), "utf-8")
        readme.write_text(make_readme(readme.read_text("utf-8"), values), "utf-8")


if __name__ == "__main__":
    main()
