"""Bullets, as they appear in answers."""

from predictors.summarizer.text.bullets import Bullet
from predictors.summarizer.text.document import Document

DOCUMENT = Document("FEES\n\n1. The fee is €25 a month.\n\n2. Pets are not allowed.", lambda text: [0], 1000)


def quotation(document: Document, clause: int) -> Bullet:
    return Bullet(document.sentences[clause], (clause,), 1.0, written=False)


def test_a_quotation_as_it_appears_in_answers() -> None:
    (fee, _) = DOCUMENT.body
    assert quotation(DOCUMENT, fee).as_json(DOCUMENT) == {
        "topic": "cost",
        "gloss": "This is paid month by month.",
        "text": "The fee is €25 a month.",
        "citations": [{"start": 6, "end": 32}],
        "support": 1.0,
        "quoted": True,
    }


def test_words_of_the_models_own_stand_beside_the_clauses() -> None:
    (fee, _) = DOCUMENT.body
    bullet = Bullet("Each month costs €25.", (fee,), 0.8, written=True, quote="The fee is €25 a month.")
    shown = bullet.as_json(DOCUMENT)
    assert (shown["quoted"], shown["quote"], shown["support"]) == (False, "The fee is €25 a month.", 0.8)
    assert shown["gloss"] == "This is paid month by month."  # by what the document says


def test_what_leaves_something_out_is_no_quotation() -> None:
    shown = Bullet("The fee is €25.", (DOCUMENT.body[0],), 1.0, written=False, whole=False)
    assert shown.as_json(DOCUMENT)["quoted"] is False
    assert "quote" not in shown.as_json(DOCUMENT)


def test_you_is_the_company_where_the_customer_speaks() -> None:
    note = "I promise to pay you. I will pay on time. I may prepay. I must write. I agree to this. You may sell cakes."
    document = Document(note, lambda text: [0], 1000)
    assert quotation(document, document.body[-1]).as_json(document)["gloss"] == "Something they may do."
    assert quotation(DOCUMENT, DOCUMENT.body[-1]).as_json(DOCUMENT)["gloss"] == "Something is not allowed."
