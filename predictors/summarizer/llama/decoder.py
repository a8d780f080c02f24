"""The engine's decoder on llama.cpp.

Each sequence has a part of the KV cache to itself (``kv_unified`` is off). In a cache that all share, each token's
attention walks the cells of all sequences: with eight of 400 tokens a step took 1.4 times as long. What that would save
is memory, and the copying of prefixes, which costs milliseconds.
"""

import ctypes
from collections.abc import Sequence
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from predictors.serving.errors import ArtifactError
from predictors.summarizer.engine.types import EngineError, GrammarError, Part, Sampling
from predictors.summarizer.llama.model import LlamaModel

# How far back the repeat penalty looks, tokens.
_PENALTY_WINDOW = 64
_CANDIDATE = np.dtype([("token", np.int32), ("logit", np.float32), ("probability", np.float32)])


class LlamaDecoder:
    """A model with its context.

    Args:
        model: closed with this.
        sequence_tokens: tokens that the KV cache holds for each sequence.
        sequences: how many there are.
        batch_tokens: most tokens in one batch.
        threads: computing threads; more than the CPU quota makes llama.cpp's spinning threads wait for each other.

    Raises:
        ArtifactError: there is no memory for it.
    """

    def __init__(
        self, model: LlamaModel, sequence_tokens: int, sequences: int, batch_tokens: int, threads: int
    ) -> None:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = sequence_tokens * sequences
        params.n_batch = params.n_ubatch = batch_tokens
        params.n_seq_max = params.n_outputs_max = sequences  # one row of logits for each
        params.n_threads = params.n_threads_batch = threads
        params.kv_unified = False
        params.swa_full = True  # with a sliding window's cells alone, a prefix could not be shared
        params.no_perf = True
        self._model = model
        self._context: Any = llama_cpp.llama_init_from_model(model.pointer, params)
        if not self._context:
            raise ArtifactError(
                f"there is no memory for a KV cache of {sequences} times {sequence_tokens} tokens; choose less with "
                "--context_tokens or --slots"
            )
        self._memory: Any = llama_cpp.llama_get_memory(self._context)
        self._vocabulary_size = int(llama_cpp.llama_vocab_n_tokens(model.vocabulary))
        self.sequence_tokens = sequence_tokens
        self.sequences = sequences
        self.batch_tokens = batch_tokens
        recurrent = llama_cpp.llama_model_is_recurrent(model.pointer) or llama_cpp.llama_model_is_hybrid(model.pointer)
        self.shares = not recurrent
        self._batch = _Batch(batch_tokens)

    def decode(self, parts: Sequence[Part]) -> None:
        """Read tokens: add their keys and values to the cache, and compute logits where asked.

        Raises:
            EngineError: it failed; the cache's content is unknown.
        """
        status = llama_cpp.llama_decode(self._context, self._batch.fill(parts))
        if status:
            raise EngineError(f"llama_decode returned {status}")

    def share(self, source: int, target: int, length: int) -> None:
        """Let a sequence hold the first ``length`` tokens of another, and nothing else."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, -1, -1)  # between parts it copies all or nothing
        llama_cpp.llama_memory_seq_rm(self._memory, target, length, -1)

    def trim(self, sequence: int, length: int) -> bool:
        """Forget a sequence's tokens from ``length`` on; gives whether that was possible (to 0, it always is)."""
        return bool(llama_cpp.llama_memory_seq_rm(self._memory, sequence, length or -1, -1))

    def clear(self) -> None:
        """Forget all sequences."""
        llama_cpp.llama_memory_clear(self._memory, True)

    def sampler(self, sampling: Sampling) -> "LlamaSampler":
        """Make the sampler of one answer.

        Raises:
            GrammarError: no answer could follow its grammar.
        """
        grammar = None
        if sampling.grammar:
            grammar = llama_cpp.llama_sampler_init_grammar(self._model.vocabulary, sampling.grammar.encode(), b"root")
            if not grammar:
                raise GrammarError("llama.cpp does not take the grammar")
        return LlamaSampler(self._context, _new_chain(sampling, self._vocabulary_size), grammar, self._vocabulary_size)

    def is_end(self, token: int) -> bool:
        """Whether a token ends the answer."""
        return self._model.is_end(token)

    def piece(self, token: int) -> bytes:
        """A token's text, UTF-8 that may begin or end within a character."""
        return self._model.piece(token)

    def close(self) -> None:
        """Give the memory back, the model's too."""
        if self._context:
            llama_cpp.llama_free(self._context)
        self._context = None
        self._model.close()


class _Batch:
    """llama.cpp's batch, with arrays that are filled in place."""

    def __init__(self, size: int) -> None:
        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._counts = np.ones(size, np.int32)
        self._sequences = np.zeros(size, np.int32)
        self._logits = np.zeros(size, np.int8)
        # For each entry a pointer to its sequence's number; one number each.
        self._pointers = self._sequences.ctypes.data + np.arange(size, dtype=np.uintp) * self._sequences.itemsize
        self._batch = llama_cpp.llama_batch(
            n_tokens=0,
            token=_pointer(self._tokens, llama_cpp.llama_token),
            embd=None,
            pos=_pointer(self._positions, llama_cpp.llama_pos),
            n_seq_id=_pointer(self._counts, ctypes.c_int32),
            seq_id=_pointer(self._pointers, ctypes.POINTER(llama_cpp.llama_seq_id)),
            logits=_pointer(self._logits, ctypes.c_int8),
        )

    def fill(self, parts: Sequence[Part]) -> Any:
        """Write the parts one after the other; gives the batch."""
        begin = 0
        self._logits[:] = 0
        for part in parts:
            end = begin + len(part.tokens)
            self._tokens[begin:end] = part.tokens
            self._positions[begin:end] = range(part.position, part.position + len(part.tokens))
            self._sequences[begin:end] = part.sequence
            self._logits[end - 1] = part.logits
            begin = end
        self._batch.n_tokens = begin
        return self._batch


class LlamaSampler:
    """A chain of llama.cpp's samplers, and a grammar beside it.

    A grammar that judges the whole vocabulary takes longer than the model itself. So a token is chosen without it
    first, and only if the grammar forbids that one, again among what it allows.
    """

    def __init__(self, context: Any, chain: Any, grammar: Any, vocabulary_size: int) -> None:
        self._context = context
        self._chain = chain
        self._grammar = grammar
        self._size = vocabulary_size

    def sample(self, row: int) -> int:
        """Choose a token from the logits of the last batch."""
        if self._grammar is None:
            return int(llama_cpp.llama_sampler_sample(self._chain, self._context, row))
        token = self._choose(row, constrained=False)
        if not self._allows(token):
            token = self._choose(row, constrained=True)
        llama_cpp.llama_sampler_accept(self._grammar, token)
        llama_cpp.llama_sampler_accept(self._chain, token)
        return token

    def close(self) -> None:
        """Free it."""
        llama_cpp.llama_sampler_free(self._chain)
        if self._grammar is not None:
            llama_cpp.llama_sampler_free(self._grammar)

    def _choose(self, row: int, constrained: bool) -> int:
        logits = llama_cpp.llama_get_logits_ith(self._context, row)
        candidates = np.zeros(self._size, _CANDIDATE)
        candidates["token"] = np.arange(self._size, dtype=np.int32)
        candidates["logit"] = np.ctypeslib.as_array(logits, (self._size,))
        chosen = _as_candidates(candidates)
        if constrained:
            llama_cpp.llama_sampler_apply(self._grammar, ctypes.byref(chosen))
            if not np.isfinite(candidates["logit"]).any():  # llama.cpp would end the process
                raise GrammarError("the vocabulary has no token that the grammar allows here")
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(chosen))
        return int(chosen.data[chosen.selected].id)

    def _allows(self, token: int) -> bool:
        one = np.zeros(1, _CANDIDATE)
        one["token"] = token
        llama_cpp.llama_sampler_apply(self._grammar, ctypes.byref(_as_candidates(one)))
        return bool(np.isfinite(one["logit"][0]))


def _as_candidates(array: NDArray[Any]) -> Any:
    data = ctypes.cast(array.ctypes.data, ctypes.POINTER(llama_cpp.llama_token_data))
    return llama_cpp.llama_token_data_array(data=data, size=len(array), selected=-1, sorted=False)


def _pointer(array: NDArray[Any], kind: Any) -> Any:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))


def _new_chain(sampling: Sampling, vocabulary_size: int) -> Any:
    chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    stages = []
    if sampling.repeat_penalty != 1.0:
        stages.append(
            llama_cpp.llama_sampler_init_penalties(vocabulary_size, _PENALTY_WINDOW, sampling.repeat_penalty, 0.0, 0.0)
        )
    if sampling.temperature > 0:
        if sampling.top_p < 1:
            stages.append(llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1))
        if sampling.min_p > 0:
            stages.append(llama_cpp.llama_sampler_init_min_p(sampling.min_p, 1))
        stages.append(llama_cpp.llama_sampler_init_temp(sampling.temperature))
        stages.append(llama_cpp.llama_sampler_init_dist(sampling.seed))
    else:
        stages.append(llama_cpp.llama_sampler_init_greedy())
    for stage in stages:
        llama_cpp.llama_sampler_chain_add(chain, stage)
    return chain
