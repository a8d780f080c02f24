"""Languages: English is never mistaken, and others are told."""

import pytest

from predictors.summarizer.text.language import language
from tests.live import ROOT


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests/eval/set").glob("*/document.txt")), ids=lambda path: path.parent.name
)
def test_english_documents(path) -> None:  # type: ignore[no-untyped-def]
    assert language(path.read_text("utf-8")) == "en"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("de", "Der Vertrag läuft 12 Monate. Er endet am 31. Dezember. Die Kündigung bedarf der Textform."),
        ("fr", "Vous pouvez résilier votre abonnement à tout moment, et nous vous rembourserons."),
        ("es", "El usuario puede cancelar la suscripción en cualquier momento y no se le cobrará."),
        ("it", "Puoi annullare il tuo abbonamento in qualsiasi momento e non ti verrà addebitato nulla."),
        ("pt", "Você pode cancelar a assinatura a qualquer momento, e não será cobrado por isso."),
        ("nl", "Je kunt het abonnement op elk moment opzeggen en wij betalen het bedrag terug."),
        ("sv", "Du kan säga upp avtalet när som helst och vi betalar tillbaka det som du har betalat."),
        ("ru", "Можете отменить подписку в любое время."),
        ("ja", "利用者は料金を支払います。返金はしません。"),
        ("zh", "用户可以随时取消订阅。"),
        ("ko", "언제든지 구독을 취소할 수 있습니다."),
        ("", "You pay 5 euros."),
        ("", "12345 --- !!!"),
        ("", ""),
    ],
)
def test_languages(code: str, text: str) -> None:
    assert language(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "Must you pay a fee of $5 a month? No, never.",
        "No refunds are given. No pets. A deposit of $50 a person.",
        "A fee of $5 a month as a member, or $6 a month as a guest.",
    ],
)
def test_short_english_texts_are_english(text: str) -> None:
    assert language(text) in ("en", "")
