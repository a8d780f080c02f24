"""The engine's decoder on llama.cpp.

Each sequence has its own part of the KV cache (``kv_unified`` is off). In a unified cache each token's attention walks
the cells of all sequences: with eight of 400 tokens a step took 1.4 times as long. A unified cache would save memory
and the copying of prefixes, which takes milliseconds.
"""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.serving.errors import ArtifactError
from predictors.summarizer.engine.types import Constraint, EngineError, GrammarError, Part, Sampling, TokenArray
from predictors.summarizer.llama.library import load_library
from predictors.summarizer.llama.model import LlamaModel

# How many tokens back the repeat penalty looks.
_PENALTY_WINDOW = 64
_CANDIDATE = np.dtype([("token", np.int32), ("logit", np.float32), ("probability", np.float32)])


class LlamaDecoder:
    """A model with its context.

    Args:
        model: closed with this.
        sequence_tokens: KV cells of each sequence.
        sequences: how many there are.
        batch_tokens: most tokens in one batch.
        threads: compute threads; with more than the CPU quota allows, llama.cpp's threads spin waiting for each other.

    Raises:
        ArtifactError: there is not enough memory.
    """

    def __init__(
        self, model: LlamaModel, sequence_tokens: int, sequences: int, batch_tokens: int, threads: int
    ) -> None:
        self._api = load_library().api
        params = self._api.llama_context_default_params()
        params.n_ctx = sequence_tokens * sequences
        params.n_batch = params.n_ubatch = batch_tokens
        params.n_seq_max = params.n_outputs_max = sequences  # one row of logits for each
        params.n_threads = params.n_threads_batch = threads
        params.kv_unified = False
        params.swa_full = True  # with the cells of a sliding window alone, a prefix could not be copied
        params.no_perf = True
        self._model = model
        self._context: Any = self._api.llama_init_from_model(model.pointer, params)
        if not self._context:
            where, fewer = (" on a GPU", "--gpu_layers, ") if model.gpu_layers else ("", "")
            raise ArtifactError(
                f"there is no memory{where} for a KV cache of {sequences} times {sequence_tokens} tokens; choose less "
                f"with {fewer}--context_tokens or --slots"
            )
        self._memory: Any = self._api.llama_get_memory(self._context)
        self.sequence_tokens = sequence_tokens
        self.sequences = sequences
        self.batch_tokens = batch_tokens
        recurrent = self._api.llama_model_is_recurrent(model.pointer) or self._api.llama_model_is_hybrid(model.pointer)
        self.copies_prefixes = not recurrent
        self._batch = _Batch(self._api, batch_tokens)

    def decode(self, parts: Sequence[Part]) -> None:
        """Run a batch: add its tokens' keys and values to the KV cache, and compute logits where asked.

        Raises:
            EngineError: it failed; the cache's content is unknown.
        """
        status = self._api.llama_decode(self._context, self._batch.fill(parts))
        if status:
            raise EngineError(f"llama_decode returned {status}")

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Make a sequence hold the first ``length`` tokens of another, and nothing else."""
        self._api.llama_memory_seq_cp(self._memory, source, target, -1, -1)  # between streams, all or nothing is copied
        self._api.llama_memory_seq_rm(self._memory, target, length, -1)

    def trim(self, sequence: int, length: int) -> bool:
        """Remove a sequence's tokens from ``length`` on; returns whether that was possible (to 0, it always is)."""
        return bool(self._api.llama_memory_seq_rm(self._memory, sequence, length or -1, -1))

    def clear(self) -> None:
        """Empty all sequences."""
        self._api.llama_memory_clear(self._memory, True)

    def sampler(self, sampling: Sampling) -> "LlamaSampler":
        """Make the sampler of one answer."""
        chain = _new_chain(self._api, sampling, self._model.vocabulary_size)
        return LlamaSampler(self._context, chain, sampling.constraint, self._model.vocabulary_size)

    def is_end(self, token: int) -> bool:
        """Whether a token ends the answer."""
        return self._model.is_end(token)

    def piece(self, token: int) -> bytes:
        """A token's text: UTF-8 that may begin or end within a character."""
        return self._model.piece(token)

    def close(self) -> None:
        """Free the memory, the model's too."""
        if self._context:
            self._api.llama_free(self._context)
        self._context = None
        self._model.close()


class _Batch:
    """llama.cpp's batch, whose arrays are filled in place."""

    def __init__(self, api: Any, size: int) -> None:
        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._counts = np.ones(size, np.int32)
        self._sequences = np.zeros(size, np.int32)
        self._logits = np.zeros(size, np.int8)
        # For each entry a pointer to its sequence number; each token belongs to one sequence.
        self._pointers = self._sequences.ctypes.data + np.arange(size, dtype=np.uintp) * self._sequences.itemsize
        self._batch = api.llama_batch(
            n_tokens=0,
            token=_pointer(self._tokens, api.llama_token),
            embd=None,
            pos=_pointer(self._positions, api.llama_pos),
            n_seq_id=_pointer(self._counts, ctypes.c_int32),
            seq_id=_pointer(self._pointers, ctypes.POINTER(api.llama_seq_id)),
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
    """A chain of llama.cpp's samplers, and a constraint.

    A constraint can judge one token in microseconds, and takes longer for the whole vocabulary. So a token is chosen
    freely first; only if the constraint forbids it, one is chosen among the tokens that it allows.
    """

    def __init__(self, context: Any, chain: Any, constraint: Constraint | None, vocabulary_size: int) -> None:
        self._api = load_library().api
        self._context = context
        self._chain = chain
        self._constraint = constraint
        self._size = vocabulary_size

    def sample(self, row: int) -> int:
        """Choose a token from the logits of the last batch.

        Raises:
            GrammarError: the constraint allows no token, or takes too much work to follow.
        """
        if self._constraint is None:
            return int(self._api.llama_sampler_sample(self._chain, self._context, row))
        logits = np.ctypeslib.as_array(self._api.llama_get_logits_ith(self._context, row), (self._size,))
        token = self._choose(logits, np.arange(self._size, dtype=np.int32))
        if not self._constraint.accept(token):
            allowed = self._constraint.allowed()
            token = self._choose(logits[allowed], allowed)
            if not self._constraint.accept(token):
                raise GrammarError(f"the constraint allows the token {token} and then rejects it")
        self._api.llama_sampler_accept(self._chain, token)
        return token

    def close(self) -> None:
        """Free the memory."""
        self._api.llama_sampler_free(self._chain)

    def _choose(self, logits: NDArray[np.float32], tokens: TokenArray) -> int:
        candidates = np.zeros(len(tokens), _CANDIDATE)
        candidates["token"] = tokens
        candidates["logit"] = logits
        chosen = self._api.llama_token_data_array(
            data=_pointer(candidates, self._api.llama_token_data), size=len(tokens), selected=-1, sorted=False
        )
        self._api.llama_sampler_apply(self._chain, ctypes.byref(chosen))
        return int(chosen.data[chosen.selected].id)


def _pointer(array: NDArray[Any], kind: Any) -> Any:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))


def _new_chain(api: Any, sampling: Sampling, vocabulary_size: int) -> Any:
    chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    stages = []
    if sampling.repeat_penalty != 1.0:
        stages.append(
            api.llama_sampler_init_penalties(vocabulary_size, _PENALTY_WINDOW, sampling.repeat_penalty, 0.0, 0.0)
        )
    if sampling.temperature > 0:
        if sampling.top_p < 1:
            stages.append(api.llama_sampler_init_top_p(sampling.top_p, 1))
        if sampling.min_p > 0:
            stages.append(api.llama_sampler_init_min_p(sampling.min_p, 1))
        stages.append(api.llama_sampler_init_temp(sampling.temperature))
        stages.append(api.llama_sampler_init_dist(sampling.seed))
    else:
        stages.append(api.llama_sampler_init_greedy())
    for stage in stages:
        api.llama_sampler_chain_add(chain, stage)
    return chain
