"""Prompts of a given length in tokens, the same in every run, no two of which share a prefix."""

import random
from pathlib import Path

from predictors.summarizer.llama.library import load_library
from predictors.summarizer.llama.model import LlamaModel
from tests.benchmarks.chat.client import Turn

SYSTEM = "You explain documents in plain English to people who are not lawyers. You only say what the document says."
# Asks for more than max_tokens allows, so that every answer reaches the limit.
TASK = "Explain every clause of this document at length, one after the other, each with an example.\n\nDocument:\n\n"
QUESTIONS = (
    "What does this cost me every month, and when does the price change?",
    "How do I end this contract, and what happens to my money then?",
    "Who may read my data, and for how long do they keep it?",
    "What am I not allowed to do with the service, in plain words?",
)
_NAMES = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gorse", "Hazel", "Ivy", "Juniper", "Larch", "Maple")
_CLAUSES = (
    "{name} charges {price} euros a month, payable on day {day} of each month, and raises the price once a year.",
    "You may end this contract with {days} days of notice; {name} keeps the fee for the month that has begun.",
    "{name} may show your photos, reviews and messages in its advertising unless you object within {days} days.",
    "If a payment is late by more than {days} days, {name} closes the account and adds a charge of {price} euros.",
    "Records of your visits are kept for {days} days and shared with {price} partners who measure advertising.",
    "Any dispute goes to a single arbitrator in the city where {name} has its seat; you give up a trial by jury.",
    "The free trial lasts {day} days and turns into a yearly plan of {price} euros unless it is cancelled before.",
    "{name} is liable for no more than what you paid in the last {days} days, whatever the cause of the damage.",
    "You must be {day} years old or older, and answer for everything that is done with your password.",
    "A refund takes up to {days} days, is paid as credit, and loses its value after {price} weeks without use.",
    "{name} changes these terms by a notice on its site; whoever uses the service {day} days later agrees to them.",
    "Devices that were lent to you go back within {days} days, at your cost, or {name} bills {price} euros each.",
)


class Tokenizer:
    """A GGUF file's tokenizer and weights.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._model = LlamaModel(path, path.name)
        self.weight_bytes = int(load_library().api.llama_model_size(self._model.pointer))

    def count(self, text: str) -> int:
        """The number of tokens of a plain text."""
        return len(self._model.tokenize(text))

    def close(self) -> None:
        """Free the memory."""
        self._model.close()


def document(tokenizer: Tokenizer, tokens: int, key: str) -> str:
    """Clauses of made-up terms of service; each key gives another document.

    Args:
        tokenizer: counts the tokens.
        tokens: least length; the last clause may exceed it by about 30 tokens.
        key: seeds the random choices.
    """
    chance = random.Random(key)
    name = "".join(chance.choices(_NAMES, k=2))
    text = f"{name} {chance.randrange(1000, 10000)} Terms of Service"
    number = 0
    while tokenizer.count(text) < tokens:
        number += 1
        clause = chance.choice(_CLAUSES).format(
            name=name, price=chance.randrange(2, 90), day=chance.randrange(2, 29), days=chance.randrange(3, 120)
        )
        text += f"\n\n{number}. {clause}"
    return text


def summaries(tokenizer: Tokenizer, count: int, key: str, max_tokens: int) -> list[Turn]:
    """Requests about documents of 300 tokens, with the same system message."""
    return [Turn(SYSTEM, TASK + document(tokenizer, 300, f"{key} {number}"), max_tokens) for number in range(count)]


def questions(tokenizer: Tokenizer, key: str, max_tokens: int) -> list[Turn]:
    """Different questions about one document of 500 tokens, which is their shared system message."""
    system = document(tokenizer, 500, key)
    return [Turn(system, question, max_tokens) for question in QUESTIONS]
