"""A tensor as V2's JSON, whoever writes it besides the protocol itself."""

from typing import Any

import numpy as np

from predictors.serving.model.types import NUMPY_TYPES, Column

_DATATYPES = {dtype: name for name, dtype in NUMPY_TYPES.items()}


def json_tensor(name: str, column: Column) -> dict[str, Any]:
    """Arrange a tensor; its data stays a NumPy array or a list, row by row."""
    return {**tensor_head(name, column), "data": _flat(column)}


def tensor_head(name: str, column: Column) -> dict[str, Any]:
    """What a tensor is, without its data: name, datatype and shape."""
    if isinstance(column, list):
        return {"name": name, "datatype": "BYTES", "shape": [len(column)]}
    return {"name": name, "datatype": _DATATYPES[column.dtype], "shape": column.shape}


def _flat(column: Column) -> Column:
    return column if isinstance(column, list) else np.ascontiguousarray(column).reshape(-1)
