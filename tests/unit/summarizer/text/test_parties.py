"""The names by which a contract calls the company."""

import pytest

from predictors.summarizer.text.parties import company_names


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
