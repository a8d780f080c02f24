"""Glosses: each rule has a clause that gets its line, and clauses that must not."""

import re

import pytest

from predictors.summarizer.text.gloss.rules import RULES
from predictors.summarizer.text.gloss.told import told
from predictors.summarizer.text.topics import TOPICS

# A line, clauses that get it, and clauses that must not get it.
CASES: list[tuple[str, list[str], list[str]]] = [
    ("You can opt out of arbitration.",
     ["You may opt out of arbitration within 30 days.", "You can reject this agreement to arbitrate by letter."],
     ["You may not opt out of arbitration.", "You can opt out of marketing."]),
    ("You can't sue in court: disputes go to arbitration.",
     ["Any dispute will be decided by binding individual arbitration in Denver, and not in court."],
     ["You may opt out of arbitration.", "Disputes go to arbitration only if you agree.", "There is no arbitration.",
      "Small claims may go to court instead of arbitration, unless binding arbitration has begun."]),
    ("No class actions.",
     ["You waive the right to take part in a class action.", "Neither of us may join a class action."],
     ["You may bring a class action.", "This class action waiver does not apply in Ohio."]),
    ("No jury.", ["You give up the right to a jury trial."], ["You may be called to serve on a jury.", "Leave is given for a jury trial."]),
    ("About arbitration, which takes the place of a court.", ["The arbitrator may award costs."], ["The court may award costs."]),
    ("Try to settle it with them first.",
     ["Before taking formal steps you must send us a description of the dispute."],
     ["Before we bring a claim, we must write to you.", "You may bring a claim."]),
    ("There is a time limit for complaints or claims.",
     ["Any claim must be started within one year of the event.", "Complaints must reach us within 14 days."],
     ["You may claim once a service was down for more than 48 hours.", "We will answer complaints within 14 days."]),
    ("Somebody outside the company can look at a complaint.", ["You may go to the Ombudsman."], ["There is no ombudsman for this."]),
    ("Which court decides.", ["The courts of Ireland have jurisdiction."], ["The tennis court opens at noon."]),
    ("Which law applies.", ["These terms are governed by the law of Ohio."], ["The law forbids it."]),
    ("Going on using it counts as agreeing.",
     ["If you keep using the app after that date, you accept the new terms."],
     ["Continued use does not mean that you accept anything."]),
    ("The price can go up.",
     ["We may raise the price with 21 days' notice.", "The rent is raised by the index each year."],
     ["We will not raise the price.", "The fare does not go up afterwards.", "We may lower the price."]),
    ("The price can change.", ["We may change the price at any time."], ["We may not change the price."]),
    ("The terms can change.",
     ["We may amend these terms at any time.", "These terms may be changed."],
     ["No dealer may change these terms.", "We may not change these terms.", "You may change your address."]),
    ("They can change or drop part of what you get.", ["We may withdraw features at any time."], ["We may not withdraw features."]),
    ("It renews by itself unless you act.",
     ["Your plan renews automatically for another year.", "It renews every month until you end it."],
     ["Your plan does not renew automatically.", "Nothing is renewed automatically."]),
    ("When the trial is over, you pay.",
     ["When the free trial ends, we charge your card $12 a month."], ["After the trial you will not be charged."]),
    ("You are bound for a minimum time.", ["The minimum term is 24 months."], ["There is no minimum term.", "A minimum age applies."]),
    ("A missed or late payment costs extra.",
     ["Overdue sums bear interest at 4% a year.", "A late payment charge of £12.50 applies."],
     ["There is no fee for late payment of $5.", "We bear late charges of up to $50."]),
    ("Unpaid sums can be passed on to collectors or reported.",
     ["We may pass unpaid debts to a collection agency."], ["We never pass unpaid debts to a collection agency."]),
    ("Not using it can cost you.",
     ["If you have not used the wallet for 12 months, we deduct a dormancy fee of $4.95."],
     ["There is no inactivity fee of $5."]),
    ("A deposit stands as security.", ["A security deposit of €900 is blocked on your card."], ["There is no deposit of €900.", "A direct deposit of $500 waives the fee."]),
    ("Interest on your money is not yours.", ["Interest that accrues belongs to us and not to you."], ["Interest that accrues belongs to you."]),
    ("Interest is charged.", ["You pay interest at a rate of 9% a year."], ["There is no interest at any rate.", "The wallet pays you interest at a rate of 3%."]),
    ("Other currencies or countries cost extra.", ["Foreign payments cost a margin of 3.5%."], ["Foreign payments are free of the charge of 3%."]),
    ("You pay extra for this.", ["A booking fee of €3 is added."], ["There is no booking fee of €3."]),
    ("They take the money from your card or account.", ["We charge the card on file each month."], ["We never charge your card."]),
    ("This is paid month by month.", ["The fee is 9 euros a month."], ["The fee is 9 euros.", "We reduce the rent by €8 a month."]),
    ("This is paid year by year.", ["It costs $119 a year."], ["Interest at 6% a year runs.", "It costs $119 once."]),
    ("Taxes come on top.", ["Prices are shown plus any tax."], ["Prices include tax."]),
    ("It has no time limit.", ["Points never expire."], ["Points expire after a year."]),
    ("It runs out after a time.", ["Vouchers expire twelve months after issue."], ["Vouchers do not expire.", "The lease is long."]),
    ("A price.", ["Dent: £120", "Paper statement, $2.50 each"], ["We pay $120", "You owe nothing"]),
    ("Leaving early or cancelling costs money.",
     ["If you cancel, you owe an early termination fee of €90."], ["You may cancel without a cancellation fee of €9.", "We may end it if a fee is due."]),
    ("Doing just that does not cancel it.", ["Deleting the app does not cancel your plan."], ["Deleting the app cancels your plan."]),
    ("You can't change your mind about this.", ["The right of withdrawal does not apply to fresh food."], ["You have a right of withdrawal."]),
    ("You can change your mind within a set time.", ["You may withdraw within 14 days without giving a reason."], ["You may not withdraw within 14 days.", "You lose the right to cancel within 14 days."]),
    ("Money back only in some cases.", ["We do not give refunds unless the law says so.", "It is not refunded, except where we cancel."], ["You get a refund."]),
    ("No money back.", ["All fees are non-refundable.", "We do not give refunds.", "No part of the fee is returned."], ["You get a refund.", "Fees are refundable."]),
    ("You get money back in this case.", ["We refund the price within 21 days.", "You will get a full refund."], ["We don't give refunds.", "You reimburse us for the fuel.", "You can't get a refund."]),
    ("To leave, you must give notice.", ["You may end it with 30 days' notice.", "Notice must be given in writing."], ["We may end it with 30 days' notice.", "You may leave without notice."]),
    ("You have to cancel in time.", ["You must cancel at least 48 hours before the renewal date."], ["We may cancel at least 48 hours before it."]),
    ("You can end it whenever you like.", ["You may close your account at any time."], ["You may not close your account at any time.", "We may close your account at any time."]),
    ("How you can cancel.", ["You may cancel by telephone."], ["You may not cancel by telephone.", "The app is closed; settings are below."]),
    ("Sending things back has its rules.", ["Returns of unopened items are accepted."], ["Items are sold."]),
    ("You pay the first part yourself.", ["The cover has an excess of €150."], ["The excess is waived: no excess of €150.", "Excess baggage of €30 is charged."]),
    ("Something is not covered.", ["Flood damage is not covered by the policy.", "Opening the case voids the warranty."], ["Flood damage is covered by the policy.", "Some states do not allow the exclusion of warranties."]),
    ("They pay up to a limit.", ["We pay claims up to €1,800."], ["You pay up to €1,800 for a claim."]),
    ("How long it is covered.", ["The band is covered by a limited warranty of one year."], ["Bulbs are not covered by the warranty of one year."]),
    ("To claim, you must do something.", ["For a claim you must send the receipts."], ["We must send you the claim."]),
    ("They say what they will not pass on or sell.", ["We do not sell your data.", "We never share your address."], ["We sell your data.", "You may not sell your data."]),
    ("They share it unless you say no.", ["We share your details with partners unless you object."], ["We share your details with partners if you consent.", "We do not share your details unless you object."]),
    ("They may sell your data.", ["We may sell your personal data."], ["We do not sell your data.", "If we sell our business, your data moves."]),
    ("If the company is sold, this goes with it.", ["In a merger, your data may be transferred."], ["In a merger, your data is not transferred."]),
    ("Insurers may get it.", ["We share your data with insurers."], ["We do not share your data with insurers."]),
    ("Advertisers or data brokers may get it.", ["We share your location with advertising networks."], ["We never share your location with advertisers."]),
    ("Authorities may be told.", ["We disclose your data to the police."], ["We do not disclose your data to the police."]),
    ("Your data may leave the country.", ["Your data may be stored outside the country."], ["Your data is not stored outside the country."]),
    ("Others see what you do or say there.", ["Your profile is public."], ["Your profile is not public."]),
    ("Others get it too.", ["We share your data with affiliated companies."], ["We do not share your data with other companies."]),
    ("They may use what you post for ever.", ["You grant us a perpetual licence to use your content.", "The Student grants the School a licence without limit in time."], ["We grant you a perpetual licence.", "You grant us a licence for a year."]),
    ("You let them use what you post.", ["You grant us a licence to use your photos."], ["We grant you a licence to use the photos."]),
    ("What you post stays yours.", ["You keep ownership of your content."], ["You train at your own risk.", "What you post is not yours."]),
    ("They may take down what you post.", ["We may remove posts that are abusive."], ["We do not remove posts."]),
    ("You get a right to use it, and no more.", ["We grant you a licence to use the app."], ["You grant us a licence."]),
    ("It may be used to train artificial intelligence.", ["We use your files to train our AI models."], ["We do not use your files to train our AI models."]),
    ("It is about your face, finger or voice.", ["We keep the fingerprint template."], ["We keep the key."]),
    ("It is about your body or health.", ["We collect health data."], ["Health is important."]),
    ("They may know where you are.", ["The app records your precise location."], ["The app never records your location."]),
    ("Machines take part in decisions about you.", ["Decisions are made by automated means."], ["No automated decisions are made."]),
    ("Calls or messages may be recorded or read.", ["Calls are recorded for training."], ["Calls are not recorded.", "A message is sent."]),
    ("Cameras are watching.", ["Cameras record every plate."], ["There are no cameras that record."]),
    ("They follow what you do.", ["We use cookies."], ["We do not use cookies."]),
    ("They may keep things after you leave.", ["Data may be kept after you close your account."], ["Data is not kept after you leave."]),
    ("How long they keep it.", ["We keep your records for seven years."], ["We hold the deposit for 14 days."]),
    ("You have a say over your data.", ["You may ask for a copy of your data."], ["You may not delete your data."]),
    ("What they do not do with your data.", ["We do not store your data."], ["We store your data."]),
    ("What they collect about you.", ["We collect your name and address."], ["We collect the rent."]),
    ("Where you live, the law may not allow this.", ["Some states do not allow such limits."], ["Some states allow such limits."]),
    ("Your rights by law stay.", ["Nothing in these terms limits your rights by law."], ["Nothing is free."]),
    ("You answer for it, up to a limit.", ["You are liable up to $500."], ["We are liable up to $500."]),
    ("What they owe you if things go wrong is capped.", ["Our liability is limited to $100."], ["Your liability is limited to $100.", "Our liability is not limited."]),
    ("If others make claims because of you, you pay.", ["You agree to indemnify us."], ["We will indemnify you."]),
    ("You bear the risk.", ["You train at your own risk."], ["There is no risk."]),
    ("You give up rights here.", ["You waive any claim against us."], ["We waive no right.", "No failure is a waiver."]),
    ("They do not answer for this.", ["We are not liable for delays."], ["You are not liable for delays.", "We are liable for delays."]),
    ("They make no promise about this.", ["We do not promise that it works.", 'The app is provided "as is".'], ["We promise that it works.", "Collect it as soon as it is available."]),
    ("You pay for loss or damage.", ["You must pay for any damage.", "The renter pays for lost keys and theft."], ["You do not pay for damage."]),
    ("You answer for this.", ["You are responsible for your password."], ["You are not responsible for it."]),
    ("Leave it unused for long and you may lose it.", ["If you have not signed in for 9 months, we may close your account."], ["If you have not signed in, we never close your account."]),
    ("They may cut you off at once.", ["We may suspend your account without notice."], ["We may not suspend your account without notice.", "You may end it immediately."]),
    ("They may suspend or end it.", ["We may close your account with two weeks' notice."], ["We may not close your account."]),
    ("Break the rules and you may lose it.", ["A breach leads to exclusion."], ["We break nothing."]),
    ("Some of it goes on after the end.", ["Sections 5 and 7 continue to apply after the end."], ["Sections 5 and 7 do not survive the end."]),
    ("They may hand the contract on to somebody else.", ["We may assign this agreement to anyone."], ["We may not assign this agreement."]),
    ("What happens when it ends.", ["Upon termination the keys go back."], ["The keys go back."]),
    ("Some of this is free.", ["Withdrawals are free of charge."], ["Withdrawals are not free of charge.", "Feel free to write."]),
    ("An amount to pay.", ["A lost key is charged at €80."], ["The key costs nothing.", "We pay €80."]),
    ("It depends on age.", ["You must be at least 16 years old."], ["You must wait at least 16 days.", "It is invalid under clause 12."]),
    ("It is personal: you may not pass it on.", ["You may not transfer your account.", "The pass is non-transferable."], ["We may not transfer your data."]),
    ("Something you may not do.", ["You may not smoke.", "The tenant must not keep pets."], ["You may smoke.", "You may not receive a reply.", "We may not smoke."]),
    ("Something is not allowed.", ["Pets are not allowed.", "Do not smoke here."], ["Pets are allowed."]),
    ("You have to act in time.", ["You must report it within 48 hours."], ["You need not report it within 48 hours.", "We must report it within 48 hours."]),
    ("There is a limit.", ["The maximum stay is three hours.", "A player may hold no more than 5 cards."], ["There is no maximum of 5.", "It may take up to two days."]),
    ("Something you must do.", ["You must wear shoes."], ["You must not wear shoes.", "We must wear shoes."]),
    ("How a word is meant here.", ["“Fee” means the sum below."], ["The fee means little."]),
    ("A percentage that counts for you.", ["The rate is 4%."], ["The rate is not 4%."]),
    ("When and how you pay.", ["The rent is payable in advance."], ["The rent is not payable in advance."]),
    ("What happens if you don't.", ["If you do not answer, the offer ends."], ["If you answer, the offer ends."]),
    ("Something they will not do.", ["We will not check it."], ["We will check it."]),
    ("Something they may do.", ["We may ask for a passport."], ["We may not ask for a passport."]),
    ("Something you may do.", ["You may bring a friend."], ["You may not bring a friend."]),
    ("What they undertake to do.", ["We will write to you."], ["We will not write to you."]),
    ("Something they do.", ["We use bricks."], ["You use bricks."]),
    ("It depends on a condition.", ["The gate opens if it rains."], ["The gate opens."]),
]  # fmt: skip
# Lines that are near, but say what the clause does not.
UNTRUE = [
    ("Money back only in some cases.", "Findings are not returned to you unless the board decides otherwise."),
    ("You get money back in this case.", "The car is returned within three days."),
    ("A price.", "Keep quiet between 11 p.m. and 7 a.m."),
    ("They pay up to a limit.", "The buyer pays us a premium of 25% up to £500,000."),
    ("You get a right to use it, and no more.", "We give you at least 31 days' notice of it."),
    ("They take the money from your card or account.", "A direct debit that bounces costs £7.50."),
    ("They may suspend or end it.", "We block €100 on the card; the bank may need ten days to lift the block."),
    (
        "You can change your mind within a set time.",
        "Money left over when you withdraw will be sent back within 30 days.",
    ),
    ("Something you may not do.", "No term may be made less favorable to you."),
]
POSITIVE = [(gloss, text) for gloss, texts, _ in CASES for text in texts]
NEGATIVE = [(gloss, text) for gloss, _, texts in CASES for text in texts]


@pytest.mark.parametrize(("gloss", "text"), POSITIVE)
def test_a_clause_gets_a_line_that_holds_for_it(gloss: str, text: str) -> None:
    assert told(text).gloss == gloss


@pytest.mark.parametrize(("gloss", "text"), NEGATIVE)
def test_a_clause_does_not_get_a_line_that_does_not_hold_for_it(gloss: str, text: str) -> None:
    assert told(text).gloss != gloss


@pytest.mark.parametrize(("gloss", "text"), UNTRUE)
def test_a_line_is_only_for_what_it_says(gloss: str, text: str) -> None:
    assert gloss in {rule.gloss for rule in RULES}
    assert told(text).gloss != gloss


def test_every_rule_is_tried_both_ways() -> None:
    assert {rule.gloss for rule in RULES} == {gloss for gloss, *_ in CASES}
    assert all(positive and negative for _, positive, negative in CASES)


def test_glosses_are_single_sentences_without_numbers() -> None:
    for gloss in [*(rule.gloss for rule in RULES), *(topic.gloss for topic in TOPICS.values())]:
        assert not re.search(r"\d", gloss)
        assert re.fullmatch(r"[A-Z][^.!?]*\.", gloss), gloss
    assert {rule.topic for rule in RULES} <= {"", *TOPICS}


def test_a_clause_that_no_rule_knows_gets_the_line_of_its_topic() -> None:
    found = told("Deposits and refunds: see the poster.")
    assert found.gloss == found.topic.gloss
    assert told("The colour is blue.").topic.id == "other"


def test_the_companys_name_counts_as_we() -> None:
    text = "Waymark may assign this Agreement to anyone."
    assert told(text, frozenset({"waymark"})).gloss == "They may hand the contract on to somebody else."
    assert told(text).gloss != told(text, frozenset({"waymark"})).gloss


def test_capitals_and_apostrophes_change_nothing() -> None:
    assert told("WE DON\u2019T SELL YOUR DATA.") == told("We do not sell your data.")


@pytest.mark.parametrize(
    "piece", ["we may ", "you pay ", "arbitration ", "5 € ", "a" * 50 + " ", "not ", "fee, ", "within 5 "]
)
def test_hostile_texts_do_not_take_long(piece: str) -> None:
    assert told(piece * 2000).topic.id in TOPICS
