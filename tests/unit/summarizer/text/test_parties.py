"""Who the parties of a contract are."""

import pytest

from predictors.summarizer.text.parties import addressed, company_names, customer_speaks


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Waymark may end it. Waymark will write. Waymark shall pay.", {"waymark"}),
        ("The School may close. The School will write. The School is not liable.", {"school"}),
        ("The Tenant may leave. The Tenant must pay. The Tenant shall clean.", set()),
        ("It may end. It will end. It shall end. You must pay. You may go. You will see.", set()),
        ("Waymark may end it.", set()),
    ],
)
def test_a_name_that_acts_often_is_the_companys(text: str, names: set[str]) -> None:
    assert company_names(text) == names


def test_a_contract_may_be_in_the_customers_own_words() -> None:
    note = "I promise to pay you. I will pay on time. I may prepay. I am in default if I do not pay. You may sell it."
    assert customer_speaks(note)
    assert not customer_speaks("We may end it. We will write. You may leave. Schedule I applies. Part I may change.")
    assert not customer_speaks('You say: "I agree", "I accept" or "I understand". We may end it.')


def test_such_words_are_read_as_said_to_the_customer() -> None:
    assert addressed("You may sell my note without telling me, and I am bound.") == (
        "we may sell your note without telling you, and you are bound."
    )
