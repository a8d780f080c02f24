"""Lines that fix something of a model: values of the chart, where it is the chart's, else patches of single fields.

A patch never repeats what stands beside the field that it changes: that may be a secret, and reports are kept in logs.
"""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from predictors.doctor.fields import at, mapping, text, texts
from predictors.doctor.finding import Fix
from predictors.doctor.model import Model

_HELM = "meta.helm.sh/release-name"
_PART, _RELEASE = "app.kubernetes.io/part-of", "app.kubernetes.io/instance"


def release_of(model: Model) -> str:
    """The chart's release that a model is of; empty if it is not the chart's."""
    labels = mapping(model.service, "metadata", "labels")
    return text(labels, _RELEASE) if labels.get(_PART) == "predictors" else ""


def is_helms(model: Model) -> bool:
    """Whether Helm keeps that release."""
    kept = (model.service, model.runtime, model.rollout)
    return any(text(each, "metadata", "annotations", _HELM) for each in kept)


def release(model: Model, value: str, otherwise: str) -> Fix:
    """What sets a value of the whole release.

    Args:
        model: one of it.
        value: as `--set` takes it.
        otherwise: the line where the model is not the chart's.
    """
    return Fix(f"--set {value}", _frame(model)) if release_of(model) else Fix(otherwise)


def predictor(model: Model, value: str, change: Mapping[str, Any]) -> Fix:
    """What changes `spec.predictor`.

    Args:
        model: whose.
        value: of the chart's `models.NAME`, as `--set` takes it; empty: the chart renders it so by itself.
        change: the fields.
    """
    return _by_chart(model, value) or _patch(model, [_add(f"/{field}", new) for field, new in change.items()])


def container(model: Model, value: str, change: Mapping[str, Any]) -> Fix:
    """What changes the container that serves; the same."""
    place = _place(model)
    old = at(model.predictor, "model") if place == "/model" else model.container
    return _by_chart(model, value) or _patch(
        model, [_add(f"{place}/{field}", _merged(at(old, field), new)) for field, new in change.items()]
    )


def argument(model: Model, value: str, wanted: str) -> Fix:
    """What gives the server an argument, in place of one for the same flag."""
    flag, given = wanted.partition("=")[0], _arguments(model)
    place = f"{_place(model)}/args"
    known = [i for i, each in enumerate(given) if each.partition("=")[0] == flag]
    if known:
        change = {"op": "replace", "path": f"{place}/{known[0]}", "value": wanted}
    else:
        change = _add(f"{place}/-", wanted) if given else _add(place, [wanted])
    return _by_chart(model, value) or _patch(model, [change])


def no_argument(model: Model, value: str, flag: str) -> Fix:
    """What takes an argument away. Where the runtime gives it, another one contradicts it."""
    known = [i for i, each in enumerate(_arguments(model)) if each.partition("=")[0] == flag]
    if not known:
        return argument(model, value, f"{flag}=false")
    remove = {"op": "remove", "path": f"{_place(model)}/args/{known[0]}"}
    return _by_chart(model, value) or _patch(model, [remove])


def in_namespace(model: Model, command: str) -> Fix:
    """A command about the model's namespace."""
    return Fix(f"{command} -n {model.cluster.namespace}")


def _by_chart(model: Model, value: str) -> Fix | None:
    if not release_of(model):
        return None
    frame = _frame(model)
    return Fix(f"--set models.{model.name}.{value}", frame) if value else Fix(frame.replace(" {}", ""))


def _frame(model: Model) -> str:
    """How values of the release are given."""
    where = f"{shlex.quote(release_of(model))} charts/predictors -n {model.cluster.namespace}"
    if is_helms(model):
        return f"helm upgrade {where} --reset-then-reuse-values {{}}"
    return f"helm template {where} -f VALUES.yaml --skip-tests {{}} | kubectl apply -f -"


def _patch(model: Model, operations: list[dict[str, Any]]) -> Fix:
    """A JSON patch of the InferenceService, or of the rollout that writes it."""
    kind, before = ("inferencerollout", "/spec/template") if model.rollout else ("inferenceservice", "")
    placed = [each | {"path": f"{before}/spec/predictor{each['path']}"} for each in operations]
    body = shlex.quote(json.dumps(placed))
    return in_namespace(model, f"kubectl patch {kind} {shlex.quote(model.name)} --type json -p {body}")


def _place(model: Model) -> str:
    """Where `spec.predictor` has the container that serves."""
    if "model" in model.predictor:
        return "/model"
    listed = at(model.predictor, "containers")
    named = [text(each, "name") for each in listed] if isinstance(listed, list) else []
    serving = text(model.container, "name")
    return f"/containers/{named.index(serving) if serving in named else 0}"


def _arguments(model: Model) -> list[str]:
    """Those of the InferenceService itself, beside its runtime's."""
    return texts(model.predictor, "model", "args") if "model" in model.predictor else texts(model.container, "args")


def _add(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def _merged(old: Any, new: Any) -> Any:
    """As a merge patch does it: None takes a field away."""
    if not isinstance(new, Mapping):
        return new
    old = old if isinstance(old, Mapping) else {}
    both = {**old, **{field: _merged(old.get(field), value) for field, value in new.items()}}
    return {field: value for field, value in both.items() if value is not None}
