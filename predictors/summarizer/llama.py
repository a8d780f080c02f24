"""The engine on llama.cpp, through llama-cpp-python's low-level functions.

One sequence at a time. A prompt is read in batches, and between batches and tokens the caller is asked whether to
stop. What two prompts have in common at their start (the system message) is read once: the KV cache keeps it.
"""

import ctypes
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import llama_cpp
from jinja2 import TemplateError
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from predictors.serving.errors import ArtifactError
from predictors.summarizer.engine import Generation, Sampling, Stopped

logger = logging.getLogger(__name__)

# Tokens read per step: large enough for full prefill speed; a stop waits for one step at the most.
BATCH_TOKENS = 256
# How far back the repeat penalty looks, tokens.
_PENALTY_WINDOW = 64
_PIECE_BYTES = 256
_load_errors: list[str] = []


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _forward_log(level: int, text: bytes, user_data: object) -> None:
    message = text.decode("utf-8", "replace").rstrip()
    if "error loading model:" in message:
        _load_errors.append(message.partition("error loading model:")[2].strip())
    if message:
        logger.debug("llama.cpp: %s", message)


llama_cpp.llama_log_set(_forward_log, ctypes.c_void_p(0))
llama_cpp.llama_backend_init()


class LlamaEngine:
    """A GGUF model and its context.

    Args:
        path: the file.
        name: what to call the file in errors, since the path may be a descriptor's.
        context_tokens: tokens of prompt and answer together; 0 takes what the model was trained for, at most 8,192.
        threads: computing threads; more than the CPU quota makes llama.cpp's spinning threads wait for each other.

    Raises:
        ArtifactError: not a GGUF file, not loadable, without a chat template, or too large for the memory.
    """

    def __init__(self, path: Path, name: str, context_tokens: int, threads: int) -> None:
        self._model: Any = None
        self._context: Any = None
        _check_magic(path, name)
        _load_errors.clear()
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        if not self._model:
            reason = _load_errors[-1].replace(str(path), name) if _load_errors else "the file may be truncated"
            raise ArtifactError(f"{name} cannot be loaded: {reason}")
        try:
            self._vocab = llama_cpp.llama_model_get_vocab(self._model)
            self._formatter = self._chat_formatter(name)
            self._check_template(name)
            trained = llama_cpp.llama_model_n_ctx_train(self._model)
            self._context = self._new_context(context_tokens or min(trained, 8192), threads)
        except BaseException:
            self.close()
            raise
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._cached: list[int] = []

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer may have together."""
        return int(llama_cpp.llama_n_ctx(self._context))

    def prompt(self, system: str, user: str, document: str) -> list[int]:
        """Tokens of a chat with a system message and a user message that ends in the document.

        The template is rendered around a marker, and the document is tokenized apart from it as plain text, so that a
        document that quotes control tokens cannot end its own message.
        """
        marker = uuid.uuid4().hex
        before, _, after = self._render(system, user + marker).partition(marker)
        begins = bool(llama_cpp.llama_vocab_get_add_bos(self._vocab)) and not before.startswith(self._bos)
        return [
            *self._tokenize(before, add_special=begins, parse_special=True),
            *self._tokenize(document, add_special=False, parse_special=False),
            *self._tokenize(after, add_special=False, parse_special=True),
        ]

    def generate(self, prompt: Sequence[int], sampling: Sampling, stopped: Callable[[], bool]) -> Generation:
        """Write an answer.

        Raises:
            Stopped: ``stopped`` said so between two steps.
        """
        started = time.monotonic()
        stops = [text.encode() for text in sampling.stop]
        sampler = _new_sampler(sampling, llama_cpp.llama_vocab_n_tokens(self._vocab))
        written, text, first_token = 0, bytearray(), 0.0
        try:
            self._read_prompt(prompt, stopped)
            while True:
                token = llama_cpp.llama_sampler_sample(sampler, self._context, -1)
                written += 1
                first_token = first_token or time.monotonic() - started
                if llama_cpp.llama_vocab_is_eog(self._vocab, token):
                    return self._generation(text, prompt, written, "stop", first_token)
                seen = len(text)
                text += self._piece(token)
                end = _first_stop(text, stops, seen)
                if end is not None:
                    return self._generation(text[:end], prompt, written, "stop", first_token)
                if written == sampling.max_tokens:
                    return self._generation(text, prompt, written, "length", first_token)
                if stopped():
                    raise Stopped
                self._decode([token])
        finally:
            llama_cpp.llama_sampler_free(sampler)

    def close(self) -> None:
        """Give the model's memory back."""
        if self._context:
            llama_cpp.llama_free(self._context)
        if self._model:
            llama_cpp.llama_model_free(self._model)
        self._context = self._model = None

    def _chat_formatter(self, name: str) -> Jinja2ChatFormatter:
        template = llama_cpp.llama_model_chat_template(self._model, None)
        if not template:
            raise ArtifactError(f"{name} has no chat template; an instruction-tuned model is needed")
        self._bos = self._token_text(llama_cpp.llama_vocab_bos(self._vocab))
        eos = self._token_text(llama_cpp.llama_vocab_eos(self._vocab))
        try:
            return Jinja2ChatFormatter(template.decode(), eos_token=eos, bos_token=self._bos)
        except (TemplateError, UnicodeDecodeError):
            raise ArtifactError(f"{name} has a chat template that is not valid Jinja") from None

    def _render(self, system: str, user: str) -> str:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        try:
            return str(self._formatter(messages=messages).prompt)
        except (TemplateError, ValueError):  # some templates know no system role
            messages = [{"role": "user", "content": f"{system}\n\n{user}"}]
            return str(self._formatter(messages=messages).prompt)

    def _check_template(self, name: str) -> None:
        marker = uuid.uuid4().hex
        try:
            whole = marker in self._render("system", marker)
        except (TemplateError, ValueError):
            whole = False
        if not whole:
            raise ArtifactError(f"{name} has a chat template that cannot hold a user's message")

    def _new_context(self, context_tokens: int, threads: int) -> Any:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = context_tokens
        params.n_batch = params.n_ubatch = BATCH_TOKENS
        params.n_seq_max = 1
        params.n_threads = params.n_threads_batch = threads
        context = llama_cpp.llama_init_from_model(self._model, params)
        if not context:
            raise ArtifactError(
                f"there is no memory for a context of {context_tokens} tokens; choose fewer with --context_tokens"
            )
        return context

    def _read_prompt(self, prompt: Sequence[int], stopped: Callable[[], bool]) -> None:
        # The last token is always read again: its logits choose the first token of the answer.
        pairs = zip(self._cached, prompt[:-1], strict=False)
        kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        if not llama_cpp.llama_memory_seq_rm(self._memory, 0, kept, -1):
            llama_cpp.llama_memory_clear(self._memory, True)
            kept = 0
        self._cached = list(prompt[:kept])
        for start in range(kept, len(prompt), BATCH_TOKENS):
            if stopped():
                raise Stopped
            self._decode(prompt[start : start + BATCH_TOKENS])

    def _decode(self, tokens: Sequence[int]) -> None:
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        status = llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(array, len(tokens)))
        if status != 0:
            llama_cpp.llama_memory_clear(self._memory, True)
            self._cached = []
            raise RuntimeError(f"llama_decode returned {status}")
        self._cached += tokens

    def _tokenize(self, text: str, add_special: bool, parse_special: bool) -> list[int]:
        raw = text.encode()
        if not raw and not add_special:
            return []
        size = len(raw) + 8  # no token is shorter than a byte, but a few may be added
        tokens = (llama_cpp.llama_token * size)()
        count = llama_cpp.llama_tokenize(self._vocab, raw, len(raw), tokens, size, add_special, parse_special)
        if count < 0:
            raise RuntimeError(f"llama_tokenize asks for {-count} tokens for {len(raw)} bytes")
        return list(tokens[:count])

    def _piece(self, token: int, special: bool = False) -> bytes:
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, _PIECE_BYTES, 0, special)
        return buffer.raw[: max(size, 0)]

    def _token_text(self, token: int) -> str:
        return self._piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def _generation(
        self, text: bytes | bytearray, prompt: Sequence[int], written: int, reason: Any, first_token: float
    ) -> Generation:
        # An answer that was cut may end within a character; that rest is left out.
        return Generation(text.decode("utf-8", "ignore").strip(), len(prompt), written, reason, first_token)


def _check_magic(path: Path, name: str) -> None:
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ArtifactError(f"{name} is not a GGUF file")


def _new_sampler(sampling: Sampling, n_vocab: int) -> Any:
    chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    stages = []
    if sampling.repeat_penalty != 1.0:
        stages.append(
            llama_cpp.llama_sampler_init_penalties(n_vocab, _PENALTY_WINDOW, sampling.repeat_penalty, 0.0, 0.0)
        )
    if sampling.temperature > 0:
        stages.append(llama_cpp.llama_sampler_init_temp(sampling.temperature))
        stages.append(llama_cpp.llama_sampler_init_dist(sampling.seed))
    else:
        stages.append(llama_cpp.llama_sampler_init_greedy())
    for stage in stages:
        llama_cpp.llama_sampler_chain_add(chain, stage)
    return chain


def _first_stop(text: bytearray, stops: list[bytes], seen: int) -> int | None:
    """Where the first stop text begins, looking only where one can have become complete."""
    found = [text.find(stop, max(0, seen - len(stop) + 1)) for stop in stops]
    return min((place for place in found if place >= 0), default=None)
