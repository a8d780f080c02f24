"""The classes of an answer, and how a classifier's own become them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from predictors.serving.errors import ArtifactError
from predictors.serving.model.types import FloatArray

CLASS_NAMES = ("greeting", "question", "complaint", "praise")
"""The default artifact's intents."""
BACKGROUND = "other"
"""The default artifact's class of texts with none of them."""
UNKNOWN = "unknown"
"""What a text is called whose best class is not likely enough."""


@dataclass(frozen=True, slots=True)
class Intents:
    """The ``C`` classes of an answer.

    Args:
        names: in the order of the answer's probabilities.
        columns: their places among the classifier's ``K`` classes.
        background: the place of the background class; none if it is None.
    """

    names: tuple[str, ...]
    columns: tuple[int, ...]
    background: int | None

    @classmethod
    def of(cls, classes: Sequence[str], names: Sequence[str] = (), background: str | None = None) -> "Intents":
        """Arrange a classifier's classes.

        Args:
            classes: the classifier's.
            names: the answer's: the classes in another order, or new names for them in the classifier's order; if
                there are none, the classifier's own.
            background: the class that is no class of the answer; empty for none. If omitted, `BACKGROUND` for a
                classifier that knows it and the default intents, and none for others.

        Raises:
            ArtifactError: there is no such background class, or the names do not fit.
        """
        if background is None:
            background = BACKGROUND if set(classes) == {*CLASS_NAMES, BACKGROUND} else ""
        if background and background not in classes:
            raise ArtifactError(f'the classifier has no class "{background}"; it knows {", ".join(classes)}')
        own = [name for name in classes if name != background]
        if not own:
            raise ArtifactError("the classifier has no class besides the background class")
        names = tuple(names) or (CLASS_NAMES if set(own) == set(CLASS_NAMES) else tuple(own))
        if len(names) != len(own) or len(set(names)) != len(own) or not all(name.strip() for name in names):
            raise ArtifactError(
                f"the classifier knows {len(own)} classes ({', '.join(own)}); "
                f"{len(names)} names are given, which must be as many, and differ: {', '.join(names)}"
            )
        ordered = names if set(names) == set(own) else own
        columns = tuple(classes.index(name) for name in ordered)
        return cls(names, columns, classes.index(background) if background else None)

    def fold(self, probabilities: FloatArray) -> FloatArray:
        """Probabilities of the answer, float64 ``[N, C]``, of the classifier's, ``[N, K]``.

        A text with none of the intents belongs to the background class, whose probability says nothing about the
        intent. So it is divided evenly: rows still sum to 1, and such a text gets about 1 / C for each intent.
        """
        intents = probabilities.take(self.columns, axis=1)
        if self.background is not None:
            intents += probabilities[:, [self.background]] / len(self.names)
        return np.asarray(intents)

    def called(self, probabilities: FloatArray, threshold: float) -> list[str]:
        """The name of each row's most likely class, or `UNKNOWN` where that is less likely than the threshold.

        Args:
            probabilities: of the answer, float64 ``[N, C]``.
            threshold: from 0 to 1.
        """
        best, confidence = probabilities.argmax(axis=1).tolist(), probabilities.max(axis=1).tolist()
        return [self.names[i] if value >= threshold else UNKNOWN for i, value in zip(best, confidence, strict=True)]
