"""All rules, in the order in which they are tried."""

from predictors.summarizer.text.gloss import (
    anything,
    cancelling,
    changes,
    content,
    cost,
    cover,
    data,
    disputes,
    ending,
    liability,
    limits,
    prices,
    sharing,
)

RULES = (
    *disputes.RULES, *changes.RULES, *cost.RULES, *cancelling.RULES, *sharing.RULES, *content.RULES, *data.RULES,
    *liability.RULES, *cover.RULES, *ending.RULES, *prices.RULES, *limits.RULES, *anything.RULES,
)  # fmt: skip
