"""Documents in other languages than English: their clauses are quoted as they stand, and not explained."""

import pytest

from predictors.summarizer.text.digest import digest
from predictors.summarizer.text.document import Document
from predictors.summarizer.text.drafts import draft
from predictors.summarizer.text.passages import Passage

DOCUMENTS = {
    "de": "Das Abonnement kostet 9,99 Euro im Monat (zum Beispiel für Filme) und verlängert sich automatisch, wenn Sie "
    "nicht spätestens 14 Tage vor dem Ende kündigen.",
    "fr": "L'abonnement coûte 9,99 euros par mois (par exemple pour des films) et se renouvelle si vous ne le résiliez "
    "pas au plus tard 14 jours avant la fin de la période en cours.",
    "es": "La suscripción cuesta 9,99 euros al mes (por ejemplo para películas) y se renueva si usted no la cancela a "
    "más tardar 14 días antes del final del período en curso.",
}


@pytest.mark.parametrize("language", DOCUMENTS)
def test_clauses_are_quoted(language: str) -> None:
    document = Document(DOCUMENTS[language], lambda text: [ord(letter) for letter in text], 10_000)
    assert document.language == language
    passage = Passage((0,))
    found = draft(document, passage)
    assert found.question == ""
    point = found.shortened("9,99").as_json(document)
    assert point["text"] == DOCUMENTS[language]
    assert point["quoted"]
    assert (point["topic"], point["gloss"]) == ("other", "What the document says, in its own words.")


def test_something_is_quoted_even_if_nothing_seems_to_matter() -> None:
    text = "Der Vertrag endet mit dem Tod des Mitglieds. Die Räume werden nicht geheizt, wenn es warm ist und die Sonne scheint."
    document = Document(text, lambda text: [ord(letter) for letter in text], 10_000)
    assert document.language == "de"
    assert [found.whole.text for found in digest(document, "fast", None, len).drafts]


def test_a_short_text_counts_as_english() -> None:
    assert Document("Fee: 5 euros.", lambda text: [0], 100).language == "en"
