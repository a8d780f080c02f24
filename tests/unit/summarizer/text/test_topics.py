"""What a text is about."""

import pytest

from predictors.summarizer.text.topics import topic_of


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("A fee is payable, and a deposit.", "cost"),
        ("We collect your location.", "data"),
        ("We share your name with advertisers.", "sharing"),
        ("We are not liable for damage.", "liability"),
        ("The arbitrator decides disputes.", "disputes"),
        ("Flood damage is excluded and not covered.", "cover"),
        ("The walls are green.", "other"),
    ],
)
def test_the_lexicon_tells_the_topic(text: str, topic: str) -> None:
    assert topic_of(text).id == topic


def test_the_heading_decides_where_words_do_not() -> None:
    assert topic_of("A letter is enough.", "Complaints, disputes and jurisdiction").id == "disputes"
    assert topic_of("A letter is enough.").id == "other"


@pytest.mark.parametrize(
    ("text", "section", "topic"),
    [
        ("The Company may sell the contents at auction.", "Late payment and default", "cost"),
        ("We sell and share the bicycles.", "", "sharing"),
    ],
)
def test_words_that_are_said_of_goods_too_do_not_decide_alone(text: str, section: str, topic: str) -> None:
    assert topic_of(text, section).id != topic


def test_a_heading_says_that_a_clause_without_words_of_data_is_about_sharing() -> None:
    assert topic_of("Partners and affiliates receive them.", "How we share your data").id == "sharing"
