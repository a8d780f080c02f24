"""What serving a GGUF model takes in memory, from the model's shape alone, and how much there is.

Four things lie in memory at once:

- The **weights**: as much as the file has. llama.cpp maps the file and copies what its repacked kernels compute on; the
  pages of the file that were copied are not read again, and the kernel drops them when memory is short. So a repacked
  weight is counted once.
- The **KV cache**: for each cell (one token of one sequence) a key and a value per layer and key-value head, 2 bytes
  each (F16). Each sequence has a part to itself, as large as every other's, however few of its cells are in use.
- The **compute buffers**: the activations of one batch. See `_compute_bytes`.
- The **process** itself: `RUNTIME_BYTES`.
"""

import bisect
import os
from dataclasses import dataclass
from pathlib import Path

from predictors.summarizer.engine.cpu import CGROUP_ROOT

# The interpreter with the server's libraries takes 146 MB, the tables of a tokenizer 17 MB (49,152 tokens) to 43 MB
# (262,144 tokens); measured as the resident set of a server process. The rest is room for requests.
RUNTIME_BYTES = 200_000_000
# llama.cpp rounds the number of cells in each sequence's part up to a multiple of this.
CELL_STEP = 256
_FLOAT_BYTES = 4
_HALF_BYTES = 2


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The dimensions of a model, as its file gives them.

    Where layers differ, the largest counts: what is computed from it is then a bound.

    Args:
        architecture: llama.cpp's name for the kind of network, such as ``llama``.
        parameters: how many weights.
        model_bytes: size of the weights with their metadata.
        trained_context: tokens that it was trained to attend to.
        layers: how many.
        heads: query heads.
        kv_heads: heads of keys and values; fewer than ``heads`` where queries share them.
        key_length: values in a head's key.
        value_length: values in a head's value.
        embedding: values that represent a token between layers.
        feed_forward: values in the widest activation of a layer's feed-forward part; of all experts that are used.
        vocabulary: tokens that it knows.
        sliding_window: tokens that some layers attend to; 0 if all layers attend to everything.
        quantization: how most weights are stored, such as ``Q4_K - Medium``.
    """

    architecture: str
    parameters: int
    model_bytes: int
    trained_context: int
    layers: int
    heads: int
    kv_heads: int
    key_length: int
    value_length: int
    embedding: int
    feed_forward: int
    vocabulary: int
    sliding_window: int
    quantization: str

    @property
    def cell_bytes(self) -> int:
        """Size of one cell of the KV cache: the keys and values of one token."""
        return self.layers * self.kv_heads * (self.key_length + self.value_length) * _HALF_BYTES


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """What one configuration takes, bytes.

    Args:
        model_bytes: the weights.
        kv_bytes: the KV cache.
        compute_bytes: at most, the buffers of activations and logits.
    """

    model_bytes: int
    kv_bytes: int
    compute_bytes: int

    @property
    def total_bytes(self) -> int:
        """All of it, with the process around it."""
        return self.model_bytes + self.kv_bytes + self.compute_bytes + RUNTIME_BYTES


def memory_plan(shape: ModelShape, sequence_tokens: int, sequences: int, batch_tokens: int) -> MemoryPlan:
    """Work out what a context takes beside its model.

    Args:
        shape: the model's.
        sequence_tokens: tokens that the KV cache holds for each sequence; rounded up to a multiple of `CELL_STEP`.
        sequences: how many there are (``n_seq_max`` and ``n_outputs_max``).
        batch_tokens: most tokens in one batch (``n_batch`` and ``n_ubatch``).
    """
    cells = _round_up(sequence_tokens, CELL_STEP)
    return MemoryPlan(
        model_bytes=shape.model_bytes,
        kv_bytes=sequences * cells * shape.cell_bytes,
        compute_bytes=_compute_bytes(shape, cells, sequences, batch_tokens),
    )


def fitting_tokens(shape: ModelShape, limit_bytes: int, sequences: int, batch_tokens: int) -> int:
    """Find the most tokens per sequence with which a model fits.

    Args:
        shape: the model's.
        limit_bytes: what there is, such as from `memory_limit`.
        sequences: as for `memory_plan`.
        batch_tokens: as for `memory_plan`.

    Returns:
        A multiple of `CELL_STEP`; 0 if not even the fewest fit.
    """
    step_bytes = max(1, sequences * CELL_STEP * shape.cell_bytes)
    steps = range(1, max(0, limit_bytes) // step_bytes + 1)
    return CELL_STEP * bisect.bisect_right(
        steps, limit_bytes, key=lambda step: memory_plan(shape, step * CELL_STEP, sequences, batch_tokens).total_bytes
    )


def memory_limit(root: Path = CGROUP_ROOT) -> int:
    """How much memory this process may take, bytes: the cgroup's limit (v2 or v1) or the machine's, whichever is less.

    Args:
        root: where cgroups are mounted.
    """
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    files = (root / "memory.max", root / "memory/memory.limit_in_bytes")
    return min(physical, *(_limit(file, physical) for file in files))


def _limit(file: Path, otherwise: int) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # not there, or "max"
        return otherwise


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step


def _compute_bytes(shape: ModelShape, cells: int, sequences: int, batch_tokens: int) -> int:
    """Bound what llama.cpp reports as "compute buffer size" and "output buffer size", with flash attention.

    The buffers are reserved for the largest batch that gives each sequence the same number of tokens (at least one) and
    asks for the logits of each. They are reused from one operation to the next, so what counts is the larger of two
    moments:

    - within a layer: four copies of the embedding, and beside them the queries with either the three matrices of the
      feed-forward part or the queries, keys and values again; and the attention's mask (F16, a row per token and a
      column per cell of its sequence's part), twice where some layers attend through a sliding window;
    - at the end: the logits of one token per sequence (``n_outputs_max``), and two copies of the embedding.

    To that comes what its allocator loses between the buffers it reuses: 15%. The terms were fitted to version 0.3.36
    of llama-cpp-python. For seven published models of the architectures llama, qwen2 and gemma3 (135M to 70B), of which
    all but the smallest were made with their dimensions alone, with 1 to 66 sequences of 256 to 65,536 tokens and 8 to
    512 tokens in a batch, the result is 1.04 to 1.25 times what it reports.
    """
    tokens = _round_up(min(batch_tokens, sequences * cells), sequences)
    queries = shape.heads * shape.key_length
    keys_and_values = shape.kv_heads * (shape.key_length + shape.value_length)
    widest = max(3 * shape.feed_forward, queries + keys_and_values)
    layer = tokens * (4 * shape.embedding + queries + widest) * _FLOAT_BYTES
    masks = (2 if shape.sliding_window else 1) * cells * tokens * _HALF_BYTES
    logits = (min(batch_tokens, sequences) * shape.vocabulary + 2 * tokens * shape.embedding) * _FLOAT_BYTES
    outputs = sequences * shape.vocabulary * _FLOAT_BYTES
    return max(layer + masks, logits) * 115 // 100 + outputs
