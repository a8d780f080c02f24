"""InferenceServices as a rollout writes them."""

from dataclasses import replace

from predictors.rollout.routing import services
from predictors.rollout.routing.objects import REVISION_LABEL, revision_of
from predictors.rollout.routing.target import revision
from tests.unit.rollout.routing.fakes import PREDICTOR, target

OLD = PREDICTOR | {"model": PREDICTOR["model"] | {"storageUri": "s3://bucket/iris/0"}}


def test_a_restored_predictor_keeps_the_label_of_its_revision() -> None:
    edited = OLD | {"timeout": 99, "labels": {REVISION_LABEL: revision(OLD)}}
    restored = services.restored(replace(target(), stable=OLD), edited)
    assert (restored["timeout"], revision_of(restored)) == (15, revision(OLD))


def test_what_is_made_again_is_the_stable_version() -> None:
    made = services.first(replace(target(), stable=OLD))
    assert made["model"] == OLD["model"]
    assert (revision_of(made), made["minReplicas"]) == (revision(OLD), 2)


def test_what_is_made_first_is_the_template() -> None:
    made = services.first(target())
    assert (made["model"], revision_of(made)) == (PREDICTOR["model"], target().revision)


def test_empty_labels_are_none() -> None:
    assert target(PREDICTOR | {"labels": None}).revision == target().revision
    assert revision_of({"labels": None}) == ""
