"""Lines that fix something of a model: values of the chart, where it is the chart's, else patches of single fields.

A patch never repeats what stands beside the field that it changes: that may be a secret, and reports are kept in logs.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from predictors.doctor.fields import Object, at, mapping, name, objects, text, texts
from predictors.doctor.finding import Fix
from predictors.doctor.model import Model

_MODEL = "/model"
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
        change: the fields, as a merge patch has them.
    """
    return _by_chart(model, value) or _patch(model, "merge", _nested(_path(model), change))


def container(model: Model, value: str, change: Mapping[str, Any], beside: Mapping[str, Any] | None = None) -> Fix:
    """What changes the container that serves, and fields of `spec.predictor` beside it; the same."""
    place = _place(model)
    if place == _MODEL:
        return predictor(model, value, {**(beside or {}), "model": change})
    operations = [*_operations("", model.predictor, beside or {}), *_operations(place, declared(model), change)]
    return _by_chart(model, value) or _json_patch(model, operations)


def argument(model: Model, value: str, *wanted: str) -> Fix:
    """What gives the server arguments, each in place of one for the same flag."""
    given, operations = _arguments(model), list[dict[str, Any]]()
    place, added = f"{_place(model)}/args", list[str]()
    for each in wanted:
        known = _indexes(given, each.partition("=")[0])
        if known:
            removed = _remove(place, given, known[0])
            operations += [*removed[:-1], {"op": "replace", "path": f"{place}/{known[0]}", "value": each}]
            given[known[0]] = each
        else:
            added.append(each)
    if given:
        operations += [_add(f"{place}/-", each) for each in added]
    elif added:
        operations += [_test(place, None), _add(place, added)]
    return _by_chart(model, value) or _json_patch(model, operations)


def no_argument(model: Model, value: str, flag: str) -> Fix:
    """What takes an argument away. Where the runtime gives it, another one contradicts it."""
    given = _arguments(model)
    known = _indexes(given, flag)
    if not known:
        return argument(model, value, f"{flag}=false")
    return _by_chart(model, value) or _json_patch(model, _remove(f"{_place(model)}/args", given, known[0]))


def _indexes(arguments: list[str], flag: str) -> list[int]:
    """Where a flag is; - and _ are the same in it."""
    names = [each.partition("=")[0].replace("-", "_") for each in arguments]
    return [i for i, each in enumerate(names) if each == flag.replace("-", "_")]


def _remove(place: str, given: list[str], index: int) -> list[dict[str, Any]]:
    """What takes an argument away, and the next word where that is its value, if they are still there.

    The value goes from `given` too. The last operation removes the flag itself.
    """
    tests, removals = [_test(f"{place}/{index}", given[index])], [{"op": "remove", "path": f"{place}/{index}"}]
    following = given[index + 1 : index + 2]
    if "=" not in given[index] and following and not following[0].startswith("--"):
        tests.append(_test(f"{place}/{index + 1}", given.pop(index + 1)))
        removals.insert(0, {"op": "remove", "path": f"{place}/{index + 1}"})
    return [*tests, *removals]


def runtime(model: Model) -> Fix:
    """What changes the runtime by hand, or the InferenceService where there is none."""
    kind = "servingruntime" if model.runtime in model.cluster.of("ServingRuntime") else "clusterservingruntime"
    subject = f"{kind} {name(model.runtime)}" if model.runtime else f"inferenceservice {model.name}"
    return _by_chart(model, "") or in_namespace(model, f"kubectl edit {subject}")


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


def _json_patch(model: Model, operations: list[dict[str, Any]]) -> Fix:
    """A JSON patch, with paths in `spec.predictor`."""
    before = "".join(f"/{each}" for each in _path(model))
    return _patch(model, "json", [each | {"path": f"{before}{each['path']}"} for each in operations])


def _patch(model: Model, kind: str, body: object) -> Fix:
    """A patch of the InferenceService, or of the rollout that writes it."""
    subject = "inferencerollout" if model.rollout else "inferenceservice"
    given = shlex.quote(json.dumps(body))
    return in_namespace(model, f"kubectl patch {subject} {shlex.quote(model.name)} --type {kind} -p {given}")


def _path(model: Model) -> tuple[str, ...]:
    """Where `spec.predictor` is in what is patched."""
    return ("spec", "template", "spec", "predictor") if model.rollout else ("spec", "predictor")


def _nested(path: tuple[str, ...], value: object) -> object:
    for each in reversed(path):
        value = {each: value}
    return value


def declared(model: Model) -> Object:
    """The container as `spec.predictor` has it; its pod's may have more by itself, which no patch can start from."""
    if "model" in model.predictor:
        return mapping(model.predictor, "model")
    declared = objects(model.predictor, "containers")
    serving = text(model.container, "name")
    return next((each for each in declared if text(each, "name") == serving), next(iter(declared), {}))


def _place(model: Model) -> str:
    """Where `spec.predictor` has the container that serves."""
    if "model" in model.predictor:
        return _MODEL
    listed = at(model.predictor, "containers")
    named = [text(each, "name") for each in listed] if isinstance(listed, list) else []
    serving = text(model.container, "name")
    return f"/containers/{named.index(serving) if serving in named else 0}"


def _arguments(model: Model) -> list[str]:
    """Those of the InferenceService itself, beside its runtime's."""
    return texts(declared(model), "args")


def _add(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def _test(path: str, value: Any) -> dict[str, Any]:
    """Refuses the patch, if something else is there by now; None: if anything is."""
    return {"op": "test", "path": path, "value": value}


def _operations(place: str, old: Any, change: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A merge patch as operations, for what is in a list, which a merge patch would replace."""
    for field, new in change.items():
        path, before = f"{place}/{field}", at(old, field)
        if isinstance(new, Mapping) and isinstance(before, Mapping):
            yield from _operations(path, before, new)
        elif isinstance(new, Mapping):
            yield _test(path, None)
            yield _add(path, _without_nulls(new))
        elif new is not None:
            yield _add(path, new)
        elif before is not None:
            yield {"op": "remove", "path": path}


def _without_nulls(thing: Any) -> Any:
    if not isinstance(thing, Mapping):
        return thing
    return {field: _without_nulls(value) for field, value in thing.items() if value is not None}
