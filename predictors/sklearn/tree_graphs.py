"""Making ONNX's trees decide exactly as scikit-learn's do, within a graph that computes in FP64.

Forests and gradient boosting round each feature to FP32 before they compare it with a threshold; histogram gradient
boosting compares in FP64. Converters round thresholds to FP32 in both cases, and features in none, so that values close
to a threshold take the other branch.
"""

from typing import Any

import numpy as np

from predictors.sklearn import nesting

_SUFFIX = "_single"
# Of the domain ai.onnx.ml: the first whose trees may have thresholds in FP64.
_OPSET_OF_DOUBLES = 3


def sharpen(double: Any, single: Any, model: Any) -> None:
    """Correct the trees of a graph in FP64, in place; a graph without trees stays as it is.

    Args:
        double: the graph in FP64, an `onnx.ModelProto`.
        single: the same model converted to FP32, whose thresholds are rounded down, as is right for features in FP32.
        model: the fitted estimator.

    Raises:
        ValueError: the graph's trees are not the model's.
    """
    trees = [node for node in double.graph.node if _is_tree(node)]
    if not trees:
        return
    histograms = [each for each in nesting.every(model) if isinstance(getattr(each, "_predictors", None), list)]
    if histograms:
        if len(histograms) != len(trees):
            raise ValueError("the graph has another number of ensembles than the model")
        for node, estimator in zip(trees, histograms, strict=True):
            _use_double_thresholds(node, estimator)
        for opset in double.opset_import:
            opset.version = _OPSET_OF_DOUBLES if opset.domain == "ai.onnx.ml" else opset.version
    else:
        for node, rounded in zip(trees, filter(_is_tree, single.graph.node), strict=True):
            del node.attribute[:]
            node.attribute.extend(rounded.attribute)
            _cast_before(double.graph, node)
    for node in trees:
        _cast_after(double.graph, node)
    for output in double.graph.output:
        kind = output.type.tensor_type
        kind.elem_type = _onnx().DOUBLE if kind.elem_type == _onnx().FLOAT else kind.elem_type


def _is_tree(node: Any) -> bool:
    return str(node.op_type).startswith("TreeEnsemble")


def _onnx() -> Any:
    from onnx import TensorProto

    return TensorProto


def _use_double_thresholds(node: Any, estimator: Any) -> None:
    """Give a node the thresholds of histogram gradient boosting as they are; then ONNX compares in FP64."""
    from onnx import helper, numpy_helper

    given = {attribute.name: attribute for attribute in node.attribute}
    trees = [tree.nodes for iteration in estimator._predictors for tree in iteration]
    places = list(zip(given["nodes_treeids"].ints, given["nodes_nodeids"].ints, strict=True))
    thresholds = np.array([trees[tree][at]["num_threshold"] for tree, at in places])
    inner = np.array([not trees[tree][at]["is_leaf"] for tree, at in places])
    rounded = np.array(given["nodes_values"].floats)
    if not np.allclose(rounded[inner], thresholds[inner], rtol=1e-6, atol=1e-30):
        raise ValueError("the graph's thresholds are not the model's")
    doubles = {"nodes_values": np.where(inner, thresholds, 0.0)}
    for name in ("base_values", "class_weights", "nodes_hitrates", "target_weights"):
        if name in given:
            doubles[name] = np.array(given[name].floats, dtype=np.float64)
    kept = [attribute for name, attribute in given.items() if name not in doubles]
    del node.attribute[:]
    node.attribute.extend(kept)
    for name, values in doubles.items():
        tensor = numpy_helper.from_array(values, f"{name}_as_tensor")
        node.attribute.append(helper.make_attribute(f"{name}_as_tensor", tensor))


def _cast_before(graph: Any, node: Any) -> None:
    rounded = node.input[0] + _SUFFIX
    _insert_cast(graph, (node.input[0], rounded), _onnx().FLOAT, at=_place(graph, node))
    node.input[0] = rounded


def _cast_after(graph: Any, node: Any) -> None:
    """Widen what an ensemble gives, which is FP32 whatever it takes; a classifier's first output is the label."""
    at = 1 if node.op_type == "TreeEnsembleClassifier" else 0
    wide = node.output[at]
    node.output[at] = wide + _SUFFIX
    _insert_cast(graph, (node.output[at], wide), _onnx().DOUBLE, at=_place(graph, node) + 1)


def _place(graph: Any, node: Any) -> int:
    return next(i for i, each in enumerate(graph.node) if each.name == node.name and each.output == node.output)


def _insert_cast(graph: Any, names: tuple[str, str], kind: int, at: int) -> None:
    from onnx import helper

    graph.node.insert(at, helper.make_node("Cast", [names[0]], [names[1]], name=f"cast_{names[1]}", to=kind))
