"""Make the CustomResourceDefinition of InferenceRollouts from predictors/rollout/spec.py and crd.yaml beside this file.

Types, bounds and descriptions come from the models and their docstrings, so that the API server refuses what the
controller would refuse. The schema has no defaults: they stay the controller's, and an object holds what its author
wrote. Descriptions tell them.
"""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from predictors.rollout import spec

ROOT = Path(__file__).parent.parent
FRAME = Path(__file__).with_suffix(".yaml")
CRD = ROOT / "charts" / "rollout-controller" / "files" / "inferencerollouts.yaml"
_HEAD = "# Made from predictors/rollout/spec.py and scripts/crd.yaml by `make crd`.\n"
_DURATION = {"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"}
# The same in JSON schema as in OpenAPI.
_KEPT = ("type", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "required")

Schema = dict[str, Any]


def make_crd() -> str:
    """The CustomResourceDefinition, YAML."""
    weights = [step.weight for step in spec.Strategy().steps]
    crd = yaml.safe_load(FRAME.read_text("utf-8").replace("$DEFAULT_WEIGHTS", str(weights)))
    properties = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    properties["spec"] = _merged(_spec_schema(), properties["spec"])
    text: str = yaml.dump(crd, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=140)
    return _HEAD + text


def _spec_schema() -> Schema:
    # As it is serialized, a duration is a string; so it is in the cluster.
    whole = spec.RolloutSpec.model_json_schema(by_alias=True, mode="serialization")
    return _Converter(whole["$defs"]).convert(whole)


class _Converter:
    """From pydantic's JSON schema to the structural schema that the API server takes."""

    def __init__(self, definitions: dict[str, Schema]) -> None:
        self._definitions = definitions

    def convert(self, schema: Schema) -> Schema:
        """Convert a schema and all below it."""
        if "$ref" in schema:
            return self.convert(self._definitions[schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema:
            [given] = (each for each in schema["anyOf"] if each.get("type") != "null")
            return self.convert(given)
        if schema["type"] == "string" and "ge" in schema:  # pydantic leaves the seconds' bound on the text
            return dict(_DURATION)
        found = {key: schema[key] for key in _KEPT if key in schema} | _open_bounds(schema)
        if "items" in schema:
            found["items"] = self.convert(schema["items"])
        if "properties" in schema:
            model: type[BaseModel] = getattr(spec, schema["title"])
            found = {"type": "object", "description": _prose(model), **found}
            found["properties"] = {
                name: self._field(model, name, field) for name, field in schema["properties"].items()
            }
        elif schema.get("additionalProperties") is True:
            found["x-kubernetes-preserve-unknown-fields"] = True
        elif "additionalProperties" in schema:
            found["additionalProperties"] = self.convert(schema["additionalProperties"])
        return found

    def _field(self, model: type[BaseModel], name: str, schema: Schema) -> Schema:
        found = self.convert(schema)
        described = _arguments(model).get(name)
        if described is None:
            return found
        if found.get("pattern") == _DURATION["pattern"]:
            described = described.replace(", seconds", "") + " As 30s, 5m or 1h30m."
        default = schema.get("default")
        if default not in (None, "", []) and not isinstance(default, dict):
            described += f" Default: {default if isinstance(default, str) else json.dumps(default)}."
        return {**found, "description": described}


def _open_bounds(schema: Schema) -> Schema:
    """Bounds that are excluded: numbers in JSON schema, but flags beside the bound in OpenAPI 3.0."""
    found: Schema = {}
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if exclusive in schema:
            found |= {bound: schema[exclusive], exclusive: True}
    return found


def _prose(model: type[BaseModel]) -> str:
    return (inspect.getdoc(model) or "").partition("\n\n")[0]


def _arguments(model: type[BaseModel]) -> dict[str, str]:
    """What a model's docstring says of its fields, by their names in YAML."""
    found = {}
    section = (inspect.getdoc(model) or "").partition("Args:\n")[2]
    for line in re.sub(r"\n {5,}", " ", section).splitlines():  # a longer description goes on in the next line
        names, _, text = line.strip().partition(": ")
        text = re.sub(r"`([a-z_]+)`", lambda match: to_camel(match[1]), text).replace("None: ", "without it, ")
        for name in names.split(", "):
            found[to_camel(name)] = text[:1].upper() + text[1:]
    return found


def _merged(base: Schema, over: Schema) -> Schema:
    """A schema with what another adds to it, at any depth."""
    both = {key: _merged(base[key], value) if isinstance(base.get(key), dict) else value for key, value in over.items()}
    return {**base, **both}


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """Without anchors, which crd.yaml uses and the API server need not know."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything in full."""
        return True


def main() -> None:
    """Write the file."""
    CRD.write_text(make_crd(), "utf-8")


if __name__ == "__main__":
    main()
