"""Words in the form in which they are compared: lower case, numbers in one spelling, stems.

Made for English contracts between a company and a consumer.
"""

import re

from predictors.summarizer.text.numbers import fold_numbers, normal_digits
from predictors.summarizer.text.quantities import CURRENCIES
from predictors.summarizer.text.stems import stem
from predictors.summarizer.text.word_lists import word_set

_STOP_WORDS = CURRENCIES.keys() | word_set(
    """a about above again all also although am among an and any anyone anything are as at be because been before being
    after below between both but by can can't cannot come could did do does doing don't done down during each either
    else even ever every except for from further get gets getting going had has have having he her here hereby hereof
    his how however if in into is it it's its itself just least let like made make makes making many may me might more
    most much must my need needs neither never no non none nor not of off on once one only onto or other others
    otherwise our ours ourselves out over own per percent please put same set shall she should so some someone something
    still such take taken takes than that the their them then there thereof these they this those though through thus to
    too toward under unless until up upon us very via want was we were what when where whether which while who whom
    whose why will with within without won't would yet you you'll you're your yours yourself yourselves"""
)
_TOKEN = re.compile(
    r"\d{1,3}(?:[ \u00a0\u202f']\d{3})+(?!\d)(?:[.,]\d{1,2}(?!\d))?|\d+(?:[.,]\d+)*"
    r"|(?:usa?|au?|ca?|nz|hk|[sr])?\$|[%€£¥₹₩₺₽₱₦₪]|[^\W\d_]+(?:'[^\W\d_]+)*|[.,;:!?]"
)
_MILLIONS = re.compile(r"([$€£] ?[\d.,]*\d) ?mn?\b")


def content_words(text: str) -> list[str]:
    """The stems of the words that carry meaning, in order and with repetitions.

    There are no stop words and no punctuation. Numbers have one spelling: "thirty" and "30", "1,000" and "1000",
    "€4.99" and "4.99" are equal.
    """
    return [stemmed for word in tokens(text) if (stemmed := content_stem(word))]


def tokens(text: str) -> list[str]:
    """All words in lower case, numbers in one spelling, currency and percent signs, and punctuation."""
    if not text.isupper():
        text = re.sub(r"\bUS\b", "USA", text)  # before it becomes "us"
    text = _MILLIONS.sub(r"\1 million", text.replace("\u2019", "'").lower().replace("per cent", "percent"))
    return fold_numbers(
        [normal_digits(word) if word[0].isdecimal() else word.removesuffix("'s") for word in _TOKEN.findall(text)]
    )


def content_stem(word: str) -> str:
    """The stem of a word, empty for a stop word or punctuation; numbers are unchanged.

    Args:
        word: from `tokens`.
    """
    if word[0].isdecimal():
        return word
    return "" if word in _STOP_WORDS or len(word) == 1 else stem(word)
