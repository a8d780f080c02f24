"""JSON schemas as constraints on an answer's tokens, by llguidance.

llama.cpp's own grammars (GBNF, with a converter from JSON schemas) ignored some keywords and took longer: 0.6 to 5 ms
of CPU time per token against 0.4 to 1.1 ms here, and 220 ms against 1 ms for an enum of 1,000 texts.
"""

import importlib.util
import re
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from predictors.serving.errors import InvalidInput, PackageMissing
from predictors.summarizer.engine.types import GrammarError, TokenArray
from predictors.summarizer.llama.model import LlamaModel
from predictors.summarizer.llama.schema_bounds import bounded_schema

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

# One thread generates all answers: 50,000 units of lexer work are at most 10 ms per token, and 20,000 states are about
# 10 MB per answer. Of ordinary schemas, a pattern for up to 256 letters (\p{L}) needs the most: over 20,000 units.
_STEP_LEXER_FUEL = 50_000
_MOST_LEXER_STATES = 20_000
# Whitespace is bounded, because small models do not stop writing it.
_WHITESPACE = r"[ ]|\n{1,2}[ \t]{0,20}"
# No \u escapes: with them, a property's name could be written in two ways, and be subject to two schemas.
_ESCAPES = 'nrbtf\\"'
# A byte that begins no UTF-8 text marks tokens that are none.
_SPECIAL = b"\xff"
_LONGEST_REASON = 300


class JsonSchemas:
    """Compiles JSON schemas for a model. Threads may share it.

    Args:
        model: whose vocabulary the answers are made of.

    Raises:
        PackageMissing: llguidance is not installed.
    """

    def __init__(self, model: LlamaModel) -> None:
        if importlib.util.find_spec("llguidance") is None:
            raise PackageMissing("llguidance is not installed: install kserve-predictors[summarizer]")
        self._model = model
        self._lock = threading.Lock()  # compiling runs without the GIL, and is not to take more than one core
        self._tokenizer: LLTokenizer | None = None

    def compile(self, schema: dict[str, Any]) -> "JsonConstraint":
        """Make the constraint of one answer.

        It takes some milliseconds; the first also 0.3 s and 9 MB for a vocabulary of 49,152 tokens, or 2.5 s and 37 MB
        for 262,144.

        Raises:
            InvalidInput: the schema is too large, or uses a keyword that cannot be followed.
        """
        bounded = bounded_schema(schema)
        bounded["x-guidance"] = {"whitespace_pattern": _WHITESPACE, "json_allowed_escapes": _ESCAPES}
        # No forced tokens: where a pattern leaves one text of megabytes, all of it would be tokenized at each step.
        grammar = '%llguidance {"no_forcing": true}\nstart: %json ' + orjson.dumps(bounded).decode()
        from llguidance import LLMatcher, LLParserLimits

        limits = LLParserLimits(
            step_lexer_fuel=_STEP_LEXER_FUEL, max_lexer_states=_MOST_LEXER_STATES, verbose_errors=False
        )
        with self._lock:
            if self._tokenizer is None:
                self._tokenizer = _new_tokenizer(self._model)
            matcher = LLMatcher(self._tokenizer, grammar, log_level=0, limits=limits)
            if matcher.is_error():
                raise InvalidInput(_reason(matcher.get_error()))
            constraint = JsonConstraint(matcher, self._tokenizer)
            try:
                constraint.allowed()
            except GrammarError as error:
                raise InvalidInput(str(error)) from None
        return constraint


class JsonConstraint:
    """Follows a schema with one answer.

    Args:
        matcher: at the beginning of the answer.
        tokenizer: the matcher's.
    """

    def __init__(self, matcher: "LLMatcher", tokenizer: "LLTokenizer") -> None:
        self._matcher = matcher
        self._ends = frozenset(tokenizer.eos_tokens)
        self._vocabulary_size = tokenizer.vocab_size

    def accept(self, token: int) -> bool:
        """Advance by a token; returns whether the schema allows it, and does nothing if not.

        Raises:
            GrammarError: the schema takes too much work to follow.
        """
        if self._matcher.is_stopped():
            self._check()
            return token in self._ends
        accepted = bool(self._matcher.try_consume_tokens([token]))
        self._check()
        return accepted

    def allowed(self) -> TokenArray:
        """The tokens that may come next; where the answer is complete, those that end it.

        Raises:
            GrammarError: there is none, or the schema takes too much work to follow.
        """
        mask = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        self._check()
        bits = np.unpackbits(mask, count=self._vocabulary_size, bitorder="little")
        allowed = np.flatnonzero(bits).astype(np.int32)
        if not len(allowed):
            raise GrammarError("no answer can follow the JSON schema")
        return allowed

    def _check(self) -> None:
        if self._matcher.is_error():
            raise GrammarError(_reason(self._matcher.get_error()))


class _Vocabulary:
    """A model's vocabulary in the form that llguidance expects."""

    is_tokenizer_wrapper = True
    bos_token_id = None
    special_token_ids: Sequence[int] = ()

    def __init__(self, model: LlamaModel) -> None:
        self._tokenize = model.tokenize
        self.ends = [token for token in range(model.vocabulary_size) if model.is_end(token)]
        if not self.ends:
            raise InvalidInput("JSON schemas are not supported: the model has no token that ends an answer")
        self.eos_token_id = self.ends[0]
        self.tokens = model.all_pieces()
        for token, piece in enumerate(self.tokens):
            if not piece or token in self.ends:
                self.tokens[token] = _SPECIAL + b"%d" % token

    def __call__(self, text: str) -> list[int]:
        return self._tokenize(text)


def _new_tokenizer(model: LlamaModel) -> "LLTokenizer":
    from llguidance import LLTokenizer

    vocabulary = _Vocabulary(model)
    # Without "slices" (masks computed ahead for common strings): they take 0.2 s and 9 MB more, and save nothing here,
    # where most tokens are judged one by one.
    tokenizer = LLTokenizer(vocabulary, eos_token=vocabulary.ends, slices=[])
    vocabulary.tokens = []  # copied
    return tokenizer


def _reason(error: str) -> str:
    """Say in plain words why llguidance rejects a schema, or gives up on an answer."""
    if "lexer error" in error or "Parser Error" in error:
        return "the JSON schema takes too much work to follow; simplify its patterns, lengths or alternatives"
    if keywords := re.search(r"Unimplemented keys: \[(.*?)\]", error):
        return f"{keywords[1]} {'are' if ',' in keywords[1] else 'is'} not supported in the JSON schema"
    if "oneOf constraints are not supported" in error:
        return 'the JSON schema uses "oneOf" with alternatives that may overlap; use "anyOf"'
    found = re.search(r"failed to compile JSON schema: (.*?)(?:\n +\d+ \||$)", error, re.DOTALL)
    if found is None or "panic" in error:
        return "no answer can follow the JSON schema"
    return f"the JSON schema cannot be followed: {' '.join(found[1].split())[:_LONGEST_REASON]}"
