"""Makes the reference that a manifest keeps, of rows and what a model answers to them."""

from collections.abc import Mapping, Sequence

import numpy as np

from predictors.serving.artifacts.reference import Distribution, Reference, Side
from predictors.serving.drift.bins import affordable_bins, categories_of, edges_of, least_reference_rows
from predictors.serving.drift.columns import PREDICTION, Columns, Values
from predictors.serving.drift.tally import Layout
from predictors.serving.errors import ArtifactError

# Each column that is compared takes some 25 microseconds of a scrape, on the event loop, and two series.
_MOST_COLUMNS = 64


def make_reference(columns: Columns, made_of: str, labels: Sequence[str] = ()) -> Reference:
    """Count the rows of each column.

    Columns with no value at all are left out, and of many columns that are asked, all but the first 64.

    Args:
        columns: of at least as many rows as two bins need. A model answers more surely to rows that it was fitted on,
            so its answers should be those to others, or out of fold.
        made_of: which rows these are, in words.
        labels: that the model may predict.

    Raises:
        ArtifactError: there are too few rows, or no column has a value.
    """
    rows = min(map(len, columns.values()), default=0)
    if not affordable_bins(rows):
        raise ArtifactError(
            f"a reference for drift needs at least {least_reference_rows()} rows, to tell a shift from chance; "
            f"there are {rows}"
        )
    filled = {key: values for key, values in columns.items() if _has_values(values)}
    asked = [key for key in filled if key[0] == "input"][:_MOST_COLUMNS]
    answered = [key for key in filled if key[0] == "output"]
    known: Mapping[tuple[Side, str], Sequence[str]] = {("output", PREDICTION): labels}
    empty = [_distribution(key, filled[key], known.get(key, ())) for key in (*asked, *answered)]
    if not empty:
        raise ArtifactError("a reference for drift needs rows with values")
    layout = Layout(Reference(made_of=made_of, distributions=tuple(empty)))
    counts = layout.empty()
    layout.count(columns, counts)
    counted = (each.model_copy(update={"counts": tuple(layout.part(each, counts))}) for each in layout.distributions)
    return Reference(made_of=made_of, distributions=tuple(counted))


def _has_values(values: Values) -> bool:
    if isinstance(values, list):
        return any(value is not None for value in values)
    return bool(np.isfinite(values).any())


def _distribution(key: tuple[Side, str], values: Values, known: Sequence[str]) -> Distribution:
    """The bins of a column, each with a row as yet."""
    side, name = key
    bins = affordable_bins(len(values))
    if isinstance(values, list):
        categories = categories_of(values, bins, known)
        return Distribution(side=side, name=name, categories=categories, counts=(1,) * (len(categories) + 1))
    edges = edges_of(values[np.isfinite(values)], bins)
    return Distribution(side=side, name=name, edges=edges, counts=(1,) * (len(edges) + 2))
