"""How much memory serving a GGUF model takes, computed from the model's shape alone, and how much there is.

Four things are in memory at once:

- The **weights**: the size of the file. llama.cpp maps the file, and copies the weights that its repacked kernels
  compute on; the pages that were copied are not read again, and the kernel drops them when memory is short. So a
  repacked weight counts once.
- The **KV cache**: for each cell (one token of one sequence) a key and a value per layer and KV head, 2 bytes each
  (F16). Each sequence has its own part, all of the same size, however few of its cells are in use.
- The **compute buffers**: the activations of one batch. See `_compute_bytes`.
- The **process** itself: `RUNTIME_BYTES`.
"""

import bisect
import os
from dataclasses import dataclass, replace
from pathlib import Path

from predictors.summarizer.engine.cpu import CGROUP_ROOT

# Measured as the resident set of a server process: Python with the server's libraries takes 146 MB, the tables of a
# tokenizer 17 MB (49,152 tokens) to 43 MB (262,144 tokens), those for JSON schemas 9 to 37 MB. The rest is for
# requests.
RUNTIME_BYTES = 240_000_000
# What CUDA takes of main memory besides: a server's resident set was 530 MB on an H100 with CUDA 13.0, with a model of
# 145 MB that was on the GPU as a whole.
CUDA_BYTES = 300_000_000
# llama.cpp rounds the number of cells of each sequence up to a multiple of this.
CELL_STEP = 256
_FLOAT_BYTES = 4
_HALF_BYTES = 2


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The dimensions of a model, as its file gives them.

    Where layers differ, the largest value is taken, so that what is computed from it is an upper bound.

    Args:
        architecture: llama.cpp's name for the kind of network, such as ``llama``.
        parameters: number of weights.
        model_bytes: size of the weights and metadata.
        trained_context: context length that it was trained with, tokens.
        layers: number of layers.
        heads: query heads per layer.
        kv_heads: key and value heads per layer; fewer than ``heads`` with grouped-query attention.
        key_length: dimension of a head's key.
        value_length: dimension of a head's value.
        embedding: dimension of a token's hidden state.
        feed_forward: dimension of the widest activation of a layer's feed-forward part, over all experts in use.
        vocabulary: number of tokens.
        sliding_window: tokens that some layers attend to; 0 if all layers attend to the whole context.
        quantization: type of most weights, such as ``Q4_K - Medium``.
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
        """Size of one KV cell: the keys and values of one token."""
        return self.layers * self.kv_heads * (self.key_length + self.value_length) * _HALF_BYTES


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The memory that one configuration takes, bytes.

    Args:
        model_bytes: the weights.
        kv_bytes: the KV cache.
        compute_bytes: upper bound of the buffers for activations and logits.
        process_bytes: the process itself.
    """

    model_bytes: int
    kv_bytes: int
    compute_bytes: int
    process_bytes: int

    @property
    def parts(self) -> tuple[int, int, int, int]:
        """The weights, the KV cache, the buffers, and the process itself, bytes."""
        return self.model_bytes, self.kv_bytes, self.compute_bytes, self.process_bytes

    @property
    def total_bytes(self) -> int:
        """The total, including the process itself."""
        return sum(self.parts)


def memory_plan(
    shape: ModelShape, sequence_tokens: int, sequences: int, batch_tokens: int, gpu_layers: int = 0
) -> MemoryPlan:
    """Compute the main memory that a model and its context take.

    Args:
        shape: the model's.
        sequence_tokens: KV cells of each sequence; rounded up to a multiple of `CELL_STEP`.
        sequences: number of sequences (``n_seq_max`` and ``n_outputs_max``).
        batch_tokens: most tokens in one batch (``n_batch`` and ``n_ubatch``).
        gpu_layers: as in `SummarizerSettings`.
    """
    cells = _round_up(sequence_tokens, CELL_STEP)
    here = host_part(shape, gpu_layers)
    return MemoryPlan(
        model_bytes=here.model_bytes,
        kv_bytes=sequences * cells * here.cell_bytes,
        compute_bytes=_compute_bytes(here, cells, sequences, batch_tokens),
        process_bytes=RUNTIME_BYTES + (CUDA_BYTES if gpu_layers else 0),
    )


def host_part(shape: ModelShape, gpu_layers: int) -> ModelShape:
    """The part of a model that stays in main memory when its last layers are on a GPU.

    Of each layer, the output included, the same share of the weights is counted. The embeddings of the input stay in
    main memory too, but they are mapped from the file, and of them only the rows of tokens in use are read.

    Args:
        shape: the model's.
        gpu_layers: as in `SummarizerSettings`.
    """
    layers = shape.layers + 1
    kept = layers - layers_on_gpu(shape, gpu_layers)
    return replace(shape, layers=min(kept, shape.layers), model_bytes=shape.model_bytes * kept // layers)


def layers_on_gpu(shape: ModelShape, gpu_layers: int) -> int:
    """Layers on a GPU as llama.cpp counts them: one more than the model's, since the output is one.

    Args:
        shape: the model's.
        gpu_layers: as in `SummarizerSettings`.
    """
    layers = shape.layers + 1
    return layers if gpu_layers < 0 else min(gpu_layers, layers)


def gpu_bytes(whole: MemoryPlan, host: MemoryPlan) -> int:
    """What a GPU has to hold: the weights and the KV cache that the host does not, and its own compute buffers.

    What CUDA takes is not in it: an H100 held about 600 MiB more, with CUDA 13.0 and models of 145 MB and 3.2 GB.

    Args:
        whole: the model's plan.
        host: the same with ``gpu_layers``.
    """
    moved = whole.model_bytes - host.model_bytes + whole.kv_bytes - host.kv_bytes
    return moved + whole.compute_bytes if moved else 0


def fitting_tokens(shape: ModelShape, limit_bytes: int, sequences: int, batch_tokens: int, gpu_layers: int = 0) -> int:
    """Find the largest number of tokens per sequence with which a model fits.

    Args:
        shape: the model's.
        limit_bytes: memory that there is, such as `memory_limit`.
        sequences: as for `memory_plan`.
        batch_tokens: as for `memory_plan`.
        gpu_layers: as in `SummarizerSettings`.

    Returns:
        A multiple of `CELL_STEP`; 0 if nothing fits.
    """
    step_bytes = max(1, sequences * CELL_STEP * host_part(shape, gpu_layers).cell_bytes)
    steps = range(1, max(0, limit_bytes) // step_bytes + 1)

    def taken(step: int) -> int:
        return memory_plan(shape, step * CELL_STEP, sequences, batch_tokens, gpu_layers).total_bytes

    return CELL_STEP * bisect.bisect_right(steps, limit_bytes, key=taken)


def memory_limit(root: Path = CGROUP_ROOT) -> int:
    """How much memory this process may use, bytes: the cgroup's limit (v2 or v1) or the machine's, whichever is less.

    Args:
        root: where cgroups are mounted.
    """
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    files = (root / "memory.max", root / "memory/memory.limit_in_bytes")
    return min(physical, *(_limit(file, physical) for file in files))


def _limit(file: Path, otherwise: int) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # absent, or "max"
        return otherwise


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step


def _compute_bytes(shape: ModelShape, cells: int, sequences: int, batch_tokens: int) -> int:
    """Bound what llama.cpp reports as "compute buffer size" and "output buffer size", with flash attention.

    The buffers are reserved for the largest batch that gives each sequence the same number of tokens (at least one) and
    asks for the logits of each. Operations reuse them, so the peak is the larger of two:

    - within a layer: four copies of the hidden states; the queries, with either the three matrices of the feed-forward
      part or the queries, keys and values again; and the attention mask (F16, a row per token and a column per cell of
      its sequence), twice where some layers have a sliding window;
    - at the end: the logits of one token per sequence (``n_outputs_max``), and two copies of the hidden states.

    The allocator loses up to 15% to fragmentation. The terms were fitted to llama-cpp-python 0.3.36. For seven
    published models of the architectures llama, qwen2 and gemma3 (135M to 70B; all but the smallest reproduced by their
    dimensions alone), with 1 to 66 sequences of 256 to 65,536 tokens and 8 to 512 tokens per batch, the result is 1.04
    to 1.25 times what llama.cpp reports.
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
