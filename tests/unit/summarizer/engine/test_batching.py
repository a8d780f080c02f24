"""How a batch is shared among slots."""

from concurrent.futures import Future

import numpy as np

from predictors.summarizer.engine.answer_text import AnswerText
from predictors.summarizer.engine.batching import share_batch
from predictors.summarizer.engine.slots import Slot, Ticket
from predictors.summarizer.engine.types import Prompt, Sampling
from tests.unit.summarizer.fake_decoder import FakeDecoder


def slot(sequence: int, pending: int) -> Slot:
    tokens = list(range(1, pending + 1))
    ticket = Ticket(Prompt(tokens), Sampling(1), None, lambda: False, None, Future(), sequence, 0.0)
    sampler = FakeDecoder().sampler(ticket.sampling)
    return Slot(ticket, sequence, sampler, AnswerText(()), np.array(tokens, np.int32), tokens, decoded=0, cached=0)


def shares(decoding: list[Slot], prefilling: list[Slot], batch_tokens: int) -> list[tuple[int, int]]:
    return [(each.sequence, count) for each, count in share_batch(decoding, prefilling, batch_tokens)]


def test_each_answer_gets_its_token_first() -> None:
    assert shares([slot(3, 1), slot(1, 1)], [slot(2, 100)], 10) == [(1, 1), (2, 8), (3, 1)]


def test_the_oldest_and_the_shortest_prompt_get_half_each() -> None:
    assert shares([], [slot(0, 100), slot(1, 50), slot(2, 30)], 20) == [(0, 10), (2, 10)]


def test_a_short_prompt_leaves_its_share_to_others() -> None:
    assert shares([], [slot(0, 100), slot(1, 4), slot(2, 30)], 20) == [(0, 10), (1, 4), (2, 6)]


def test_the_oldest_takes_what_others_do_not_need() -> None:
    assert shares([], [slot(0, 100), slot(1, 4)], 20) == [(0, 16), (1, 4)]


def test_no_slot_gets_more_than_it_has() -> None:
    assert shares([slot(0, 1)], [slot(1, 3)], 20) == [(0, 1), (1, 3)]
