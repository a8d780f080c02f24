"""Labels: what of a clause is one, and what belongs to its sentence."""

import pytest

from predictors.summarizer.text.labels import without_label


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.3 You pay.", "You pay."),
        ("(a) you pay;", "you pay;"),
        ("- You pay.", "You pay."),
        ("• You pay.", "You pay."),
        ("§ 4 You pay.", "You pay."),
        ("Article 7. You pay.", "You pay."),
        ("iv) you pay", "you pay"),
        ("You pay on leaving. Then", "You pay on leaving. Then"),
        ("I. Fees", "Fees"),
        ("12 months is the term.", "12 months is the term."),
        ("3.50 euros are due.", "3.50 euros are due."),
        ("A fee is due.", "A fee is due."),
        ("e.g. this", "e.g. this"),
        ("12.3. you pay", "you pay"),
        ("12: You pay.", "You pay."),
        ("(1.2) You pay.", "You pay."),
        ("Section 5: You pay.", "You pay."),
        ("Art. 7. You pay.", "You pay."),
        ("> You pay.", "You pay."),
        ("> - You pay.", "You pay."),
        ("\ufeff12. You pay.", "You pay."),
        (">5 days late", ">5 days late"),
        ("•You pay.", "You pay."),
        ("Schedule 1 – Fees", "Fees"),
        ("（２）住所", "住所"),
        ("第7条 返金はしません。", "返金はしません。"),
        ("12.3 “Fees” means all fees.", "“Fees” means all fees."),
        ("4.1 £25 is due.", "£25 is due."),
        ("12.3 you pay", "you pay"),
        ("12.3 pay us", "12.3 pay us"),
        ("3.50 a month is due.", "3.50 a month is due."),
        ("2.5 (two and a half) hours", "2.5 (two and a half) hours"),
        ("10 (ten) days", "10 (ten) days"),
        ("1.2.1 pay us", "pay us"),
        ("1.2.1(a)(ii) You pay.", "You pay."),
        ("1.2.1 (a) You pay.", "You pay."),
        ("(a)(ii) you pay", "you pay"),
        ("- 1.2 (a) You pay.", "You pay."),
        ("§ 4 (2) You pay.", "You pay."),
        ("Section 5(1) applies.", "Section 5(1) applies."),
        ("3 You pay.", "You pay."),
        ("3  Payment is due.", "Payment is due."),
        ("30 May 2024 is the date.", "30 May 2024 is the date."),
        ("5 Business Days", "5 Business Days"),
        ("C1. You pay.", "You pay."),
        ("1.) You pay.", "You pay."),
        ("[1] You pay.", "You pay."),
        ("1.1) You pay.", "You pay."),
        ("- [x] You pay.", "You pay."),
        ("✅ You pay.", "You pay."),
        ("👉 You pay.", "You pay."),
        ("► You pay.", "You pay."),
        ("**You pay**", "You pay"),
        ("4.99 € are due.", "4.99 € are due."),
        ("10.5 % are due.", "10.5 % are due."),
        ("Section 5 applies to you.", "Section 5 applies to you."),
        ("Section 5 GDPR applies.", "Section 5 GDPR applies."),
        ("§ 14 of the Act applies.", "§ 14 of the Act applies."),
        ("**12.3 Fees.** You pay.", "**12.3 Fees.** You pay."),
        ("(a)", "(a)"),
        ("Schedule 1", "Schedule 1"),
    ],
)
def test_a_label_is_no_part_of_the_words(text: str, expected: str) -> None:
    assert without_label(text) == expected


@pytest.mark.parametrize("pattern", ["§", "§ ", "-", "> ", "1.", "(", "Article ", " "])
def test_hostile_labels_take_linear_time(pattern: str) -> None:
    without_label(pattern * (200_000 // len(pattern)))  # with quadratic work this would not end
