"""The points of an answer, whatever form the model gave them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.text.answers import points_of

ONE, TWO = "You pay 9 euros a month.", "You can cancel with 30 days' notice."


@pytest.mark.parametrize(
    "answer",
    [
        f"- {ONE}\n- {TWO}",
        f"* {ONE}\n* {TWO}",
        f"• {ONE}\n• {TWO}",
        f"+ {ONE}\n+ {TWO}",
        f"1. {ONE}\n2. {TWO}",
        f"1) {ONE}\n2) {TWO}",
        f"(1) {ONE}\n(2) {TWO}",
        f"a) {ONE}\nb) {TWO}",
        f"{ONE}\n{TWO}",
        f"{ONE}\n\n{TWO}\n",
        f"  - {ONE}\r\n  - {TWO}\r\n",
        f"> - {ONE}\n> - {TWO}",
        f"- **{ONE}**\n- __{TWO}__",
        f"- You pay **9 euros** a month.\n- You *can* cancel with `30 days'` notice.",  # noqa: F541
        f"- **Price**: {ONE}\n- **Ending:** {TWO}",
        f"- Price: {ONE}\n- How to end it: {TWO}",
        f"## Key points\n- {ONE}\n### Ending\n- {TWO}",
        f"**Key points**\n\n- {ONE}\n- {TWO}",
        f"---\n- {ONE}\n---\n- {TWO}\n---",
        f"Sure! Here are the key points:\n\n- {ONE}\n- {TWO}",
        f"Here is a summary of the text for a consumer:\n{ONE}\n{TWO}",
        f"What you must know:\n- {ONE}\n- {TWO}\n\nI hope this helps!",
        f"- {ONE}\n- {TWO}\n\nLet me know if you need more.",
        f"<think>The text says 5 euros?\n- No, 9.</think>\n- {ONE}\n- {TWO}",
        f"It is about money.\n</think>\n\n- {ONE}\n- {TWO}",
        f"```\n- {ONE}\n- {TWO}\n```",
        f"```markdown\n- {ONE}\n- {TWO}\n```",
        f'["{ONE}", "{TWO}"]',
        f'```json\n["{ONE}", "{TWO}"]\n```',
        f'Here is the JSON:\n{{"points": ["{ONE}", "{TWO}"]}}',
        f'{{"points": [{{"title": "Price", "point": "{ONE}"}}, {{"title": "Ending", "point": "{TWO}"}}]}}',
        f'[{{"text": "{ONE}"}}, {{"text": "{TWO}"}}]',
        f'{{"price": "{ONE}", "ending": "{TWO}"}}',
        f"{ONE} {TWO}",
        f"- {ONE}\n- {TWO}\n- {ONE}\n- {TWO}\n- {TWO}",
        f"- {ONE}\n- nothing\n- {TWO}\n- N/A",
        f"- {ONE}\n- {TWO}<|im_end|>",
    ],
)
def test_the_points_are_found_in_any_form(answer: str) -> None:
    assert points_of(answer, cut=False) == [ONE, TWO]


@pytest.mark.parametrize(
    "answer", ["", " \n\t\n", "- nothing", "None.", "[]", "<think>hm", "```\n```", "Sure!", "- \n- ", "---", '{"points": []}']
)  # fmt: skip
def test_an_answer_without_points(answer: str) -> None:
    assert points_of(answer, cut=False) == []


@pytest.mark.parametrize(
    "answer", [f"- {ONE}\n- You can cancel with", f'["{ONE}", "You can cancel with', f"{ONE} You can cancel with"]
)
def test_of_a_cut_answer_the_last_point_is_not_whole(answer: str) -> None:
    assert points_of(answer, cut=True) == [ONE]


def test_a_json_answer_that_ended_before_it_was_cut_is_whole() -> None:
    assert points_of(f'["{ONE}", "{TWO}"]', cut=True) == [ONE, TWO]


def test_what_looks_like_a_mark_may_belong_to_the_point() -> None:
    assert points_of("3.50 euros are due.\n9 days later it ends.", cut=False) == [
        "3.50 euros are due.",
        "9 days later it ends.",
    ]
    assert points_of("Fee: 5 euros", cut=False) == ["Fee: 5 euros"]


@given(st.text(max_size=300), st.booleans())
def test_any_answer_becomes_distinct_lines(answer: str, cut: bool) -> None:
    found = points_of(answer, cut)
    assert len(set(found)) == len(found)
    assert all(text == " ".join(text.split()) != "" for text in found)


@given(st.recursive(st.text(max_size=20) | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner)))  # fmt: skip
def test_any_json_becomes_lines(content: object) -> None:
    import json

    assert all(points_of(json.dumps(content), cut=False))


def test_deep_json_is_no_trouble() -> None:
    assert points_of("[" * 100_000, cut=False) is not None
