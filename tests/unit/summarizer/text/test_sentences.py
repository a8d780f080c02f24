"""Sentences in many languages."""

import pytest

from tests.unit.summarizer.text.splitting import pieces


@pytest.mark.parametrize(
    "sentences",
    [
        ["We may change the price.", "You may cancel."],
        ["We use trackers, e.g. Cookies and pixels.", "You may object, i.e. We stop."],
        ["You contract with Acme Inc. (The Company) and with Acme Ltd. and its partners.", "It is Acme Inc.", "We act for it."],
        ["Acme Inc. Europe pays Acme Ltd. Asia."],
        ["See No. 5 and Nos. 6 and 7.", "Is it free?", "The answer is no.", "We charge."],
        ["The laws of the U.S. Congress apply in the U.S.", "You live there."],
        ["See Sec. 3, Art. IV and para. 2 of it.", "It is the state of the art.", "Use it."],
        ["That is approx. 5 euros.", "Dr. Jones and J. Smith of St. Mary vs. Mr. Lee agree."],
        ["Fees, taxes etc. are yours.", "You pay fees, taxes etc.", "We do not."],
        ["Lines open at 8 a.m. Monday.", "They close at 8 p.m.", "On Sundays they rest."],
        ["It costs €4.99 a month.", "It was $1,000.50 before.", "Version 2.0.1 is out."],
        ["Wait... and see.", "Wait...", "Then see…", "That is all."],
        ["He said “Stop.”", "Then he (or she) left (for good.)", "'Why?' they asked.", '"Go!"', "[It ended.]", "Yes."],
        ["See 12.3.", "We also refer to clause 4.", "It governs (cf. 12.3.) the rest."],
        ["You must be at least 18.", "We check this."],
        ["**We own it.**", "*You* do not.", "`This.`", "That."],
        ["Do you agree?!", "iPhones are included.", "eBay is not.", "3 days remain.", "3rd parties wait."],
        ["Mail us at help@acme.example or www.acme.example/terms.html.", "Node.js is a trademark."],
        ["¿Puede cancelar?", "¡Sí!", "El plazo es de 14 días.", "Véase el art. 5."],
        ["Die Frist endet am 3. Mai 2024.", "Die 2. Rate ist im 1. Quartal fällig.", "Er gilt bis 5. Juni seit 2023.", "Mai ist frei."],
        ["Wir speichern z. B. Namen, d. h. Daten, gem. Art. 6 Abs. 1 S. 1 lit. b DSGVO.", "Es gilt § 312 Abs. 2 Nr. 5 BGB."],
        ["Das regelt Ziff. 12.", "Wir haften nicht für Schäden, Kosten usw.", "Das gilt immer."],
        ["क्या यह मुफ़्त है।", "नहीं।", "आप भुगतान करते हैं।"],
        ["هل هو مجاني؟", "لا يمكنك الإلغاء."],
    ],
)  # fmt: skip
def test_sentences(sentences: list[str]) -> None:
    assert pieces(" ".join(sentences)) == sentences
    assert pieces("\n".join(sentences)) == sentences  # each a paragraph of its own


@pytest.mark.parametrize(
    "sentences",
    [
        ["料金は月額500円です。", "3.5％の手数料があります！", "解約できますか？", "はい。"],
        ["店員は「はい。」と答えます。", "（詳しくは別紙。）", "以上です。"],
        ["您可以随时取消。", "价格为4.99元；恕不退款。"],
    ],
)
def test_sentences_without_spaces(sentences: list[str]) -> None:
    assert pieces("".join(sentences)) == sentences


def test_an_enumeration_within_a_sentence_stays_in_it() -> None:
    assert pieces("We may (a) close it; (b) sell it. 1. Fees are due. (2) We bill.") == [
        "We may (a) close it; (b) sell it.",
        "1. Fees are due.",
        "(2) We bill.",
    ]
