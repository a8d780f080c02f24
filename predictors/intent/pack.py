"""Make a package of a fitted pipeline: its pickle-free form, checked against scikit-learn, and golden examples."""

from collections.abc import Mapping
from typing import Any

from predictors.intent.intents import Intents
from predictors.intent.model import IntentPredictor, output_specs
from predictors.intent.normalize import normalize
from predictors.intent.proof import convert
from predictors.serving.model.training import Names, Package, golden_examples

_MAX_EXAMPLES = 5


def package(
    model: Any,
    pickled: bytes,
    evaluation: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    names: Names | None = None,
) -> Package:
    """Convert a fitted pipeline of TF-IDF and a linear classifier.

    Args:
        model: of scikit-learn.
        pickled: its joblib file.
        evaluation: how good it is, if that was measured.
        settings: for the manifest: ``unknown_threshold``, the probability below which an intent is unknown (none ever
            is without it); ``background_class``, the class of texts with no intent; ``normalize``, whether the model
            was trained on normalized texts.
        names: of the intents, if they are not the classes' own.

    Raises:
        ArtifactError: it is another kind of model, the two forms do not agree, or a name does not fit.
    """
    settings = dict(settings or {})
    classifier, texts = convert(model)
    intents = Intents.of(classifier.classes, names.classes if names else (), settings.get("background_class"))
    read = [normalize(text) for text in texts] if settings.get("normalize") else texts
    answers = intents.fold(model.predict_proba(read))
    surest = list(dict.fromkeys(answers.argmax(axis=0).tolist()))[:_MAX_EXAMPLES]
    return Package(
        predictor=IntentPredictor,
        pickled=pickled,
        npz=classifier.to_bytes(),
        inputs=IntentPredictor.input.specs(),
        outputs=output_specs(len(intents.names)),
        names=Names(classes=intents.names),
        golden=golden_examples([texts[i] for i in surest], {"predict_proba": answers[surest].tolist()}),
        settings=settings,
        evaluation=evaluation or {},
    )
