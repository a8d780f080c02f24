"""Which sentences cannot stand alone."""

import pytest

from predictors.summarizer.text.antecedents import needs_antecedent

DEPENDENT = """It costs $119 a year.
This fee is not refundable.
These vendors may use the data only on our instructions.
They may be changed.
Such charges are due at once.
That period is two weeks.
The same applies to returns.
If so, you pay twice.
Otherwise, it is lost.
In that case we refund you.
However, it may be cancelled.
If we do so, we will send you an email.
We keep them for three years.
We do not sell it.
We may share these with partners.
If this happens, call us.
If it is lost, you pay.
In every other case the subscriptions fall due.
After that you lose the right.
Its price is 5 euros.
Both are free.
To do this you write to us.
Those who pay late lose it.
It lasts 30 days.
It covers the device for 12 months.
They apply to this product.
If we do, we will email you 45 days beforehand.
If you don't, you will be charged $30.
Unless you do, the plan renews for 12 months.
Yes, within 30 days after you leave.
No. The plan runs for 12 months.
Each costs $5.
None are refundable.
All other fees are refundable.
The exception is faulty goods.
The second renews every year at $50.
On top of that you pay $5.
We don't charge for this.
There is a fee of $20 for this.
If you used the club in that time, we may keep £8 for each visit.
You cannot leave free of charge because of it.
You may terminate without penalty if you disagree.
You have 30 days to do so.
We shall not do so without 30 days' notice.
Students are exempt."""
ALONE = """This agreement is governed by English law.
These terms may change.
It is your responsibility to keep the password safe.
It is prohibited to smoke.
If you cancel, you pay.
We may change the terms at any time.
Under these terms you may sue.
By using this site you agree to these terms.
You can cancel this agreement.
You confirm that you are of age.
We share your data with insurers.
You must keep the card safe and not lend it.
You may not use this service to spam.
During this tenancy you pay rent.
Your plan renews every year.
If you do nothing, the plan renews.
It may take 30 days to send a refund.
You lose the deposit if you cancel after it is paid.
You pay $5 for this service.
You are exempt from fees if you are under 18."""


@pytest.mark.parametrize("sentence", DEPENDENT.splitlines())
def test_a_sentence_that_goes_back(sentence: str) -> None:
    assert needs_antecedent(sentence)


@pytest.mark.parametrize("sentence", ALONE.splitlines())
def test_a_sentence_that_stands_alone(sentence: str) -> None:
    assert not needs_antecedent(sentence)
