import numpy as np
import pytest

from predictors.intent.intents import Intents
from predictors.serving.errors import ArtifactError

DEFAULT = ("complaint", "greeting", "other", "praise", "question")
ROW = np.array([[0.1, 0.2, 0.3, 0.4]])


def test_the_default_artifacts_classes() -> None:
    intents = Intents.of(DEFAULT)
    assert intents.names == ("greeting", "question", "complaint", "praise")
    np.testing.assert_allclose(intents.fold(np.array([[0.5, 0.2, 0.2, 0.1, 0.0]])), [[0.25, 0.05, 0.55, 0.15]])


def test_a_class_called_other_is_a_class_like_any_for_a_model_of_ones_own() -> None:
    intents = Intents.of(("news", "other", "sport"))
    assert intents.names == ("news", "other", "sport")
    assert intents.background is None


def test_the_background_class_can_be_switched_off() -> None:
    assert Intents.of(DEFAULT, background="").names == DEFAULT


def test_the_background_class_is_spread_evenly() -> None:
    intents = Intents.of(("a", "b", "c", "none"), background="c")
    assert intents.names == ("a", "b", "none")
    np.testing.assert_allclose(intents.fold(ROW), [[0.2, 0.3, 0.5]])


def test_the_same_names_in_another_order_put_the_probabilities_in_order() -> None:
    intents = Intents.of(("a", "b", "c", "d"), ("d", "a", "b", "c"))
    np.testing.assert_array_equal(intents.fold(ROW), [[0.4, 0.1, 0.2, 0.3]])


def test_new_names_keep_the_order() -> None:
    intents = Intents.of(("0", "1", "2", "3"), ("north", "east", "south", "west"))
    assert intents.names == ("north", "east", "south", "west")
    np.testing.assert_array_equal(intents.fold(ROW), ROW)


@pytest.mark.parametrize(
    ("classes", "names", "background", "says"),
    [
        (("a", "b"), ("a",), None, "2 classes .*; 1 names are given"),
        (("a", "b"), ("x", "x"), None, "must be as many, and differ"),
        (("a", "b"), ("x", " "), None, "must be as many, and differ"),
        (("a", "b"), (), "c", 'no class "c"'),
        (("a",), (), "a", "no class besides the background class"),
    ],
)
def test_what_does_not_fit_is_refused(
    classes: tuple[str, ...], names: tuple[str, ...], background: str | None, says: str
) -> None:
    with pytest.raises(ArtifactError, match=says):
        Intents.of(classes, names, background)
