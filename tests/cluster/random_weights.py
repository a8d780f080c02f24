"""A model with the dimensions, types and vocabulary size of Qwen2.5-1.5B-Instruct in Q4_K_M, and random weights.

What it takes to load and run a file depends on its shape alone. The answers of this one are gibberish. The dimensions are
the published model's (https://huggingface.co/Qwen/Qwen2.5-1.5B-Instruct), of which two such files are in use:

- The publisher's file has a matrix of its own for the output: 1,117,320,736 bytes
  (https://huggingface.co/Qwen/Qwen2.5-1.5B-Instruct-GGUF at 91cad51).
- In others the output shares the embeddings' matrix, as in the model itself: 986,048,768 bytes
  (https://huggingface.co/bartowski/Qwen2.5-1.5B-Instruct-GGUF at 9eadc66). `predictors gguf quantize` makes such files.
"""

import itertools
import math
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter, LlamaFileType, TokenType
from numpy.typing import NDArray

LAYERS = 28
EMBEDDING = 1536
FEED_FORWARD = 8960
HEADS = 12
KV_HEADS = 2
CONTEXT = 32_768
VOCABULARY = 151_936
_TEXT_TOKENS = 151_643
_CONTROL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
# ChatML, with less in it than the model's own template.
_CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Standard deviation of the weights of a matrix.
_DEVIATION = 0.02
Q4_K, Q6_K, F32 = GGMLQuantizationType.Q4_K, GGMLQuantizationType.Q6_K, GGMLQuantizationType.F32


class Tensor(NamedTuple):
    """One tensor of a model.

    Args:
        name: as in the file.
        shape: rows and columns of a matrix; the length of a vector.
        kind: how its values are stored.
    """

    name: str
    shape: tuple[int, ...]
    kind: GGMLQuantizationType

    @property
    def blocks(self) -> int:
        """How many blocks of values it is stored in."""
        return math.prod(self.shape) // GGML_QUANT_SIZES[self.kind][0]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.blocks * GGML_QUANT_SIZES[self.kind][1]


def write_model(path: Path, *, own_output: bool) -> Path:
    """Write the file, in seconds.

    Args:
        path: of the file.
        own_output: whether the output has a matrix of its own, as in the publisher's file.
    """
    tensors = [*model_tensors(own_output=own_output)]
    writer = GGUFWriter(path, "qwen2")
    _describe(writer)
    _add_vocabulary(writer)
    for tensor in tensors:
        writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), tensor.size, tensor.kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    random = np.random.default_rng(0)
    for tensor in tensors:
        writer.write_tensor_data(_values(tensor, random))
    writer.close()
    return path


def model_tensors(*, own_output: bool) -> Iterator[Tensor]:
    """The tensors, typed as llama.cpp's Q4_K_M types them (`llama_tensor_get_type` in its src/llama-quant.cpp)."""
    yield Tensor("token_embd.weight", (VOCABULARY, EMBEDDING), Q4_K if own_output else Q6_K)
    for layer in range(LAYERS):
        finer = Q6_K if _has_finer_values(layer) else Q4_K
        for name, shape, kind in _layer_tensors(finer):
            yield Tensor(f"blk.{layer}.{name}", shape, kind)
    yield Tensor("output_norm.weight", (EMBEDDING,), F32)
    if own_output:
        yield Tensor("output.weight", (VOCABULARY, EMBEDDING), Q6_K)


def _has_finer_values(layer: int) -> bool:
    """Whether the values and the second matrix of the feed-forward part are stored in Q6_K: the first and the last eighth
    of the layers, and every third between.
    """
    eighth = LAYERS // 8
    return layer < eighth or layer >= 7 * LAYERS // 8 or (layer - eighth) % 3 == 2


def _layer_tensors(finer: GGMLQuantizationType) -> Iterator[Tensor]:
    keys = EMBEDDING // HEADS * KV_HEADS
    yield Tensor("attn_norm.weight", (EMBEDDING,), F32)
    for name, rows, kind in (("q", EMBEDDING, Q4_K), ("k", keys, Q4_K), ("v", keys, finer)):
        yield Tensor(f"attn_{name}.weight", (rows, EMBEDDING), kind)
        yield Tensor(f"attn_{name}.bias", (rows,), F32)
    yield Tensor("attn_output.weight", (EMBEDDING, EMBEDDING), Q4_K)
    yield Tensor("ffn_norm.weight", (EMBEDDING,), F32)
    yield Tensor("ffn_gate.weight", (FEED_FORWARD, EMBEDDING), Q4_K)
    yield Tensor("ffn_up.weight", (FEED_FORWARD, EMBEDDING), Q4_K)
    yield Tensor("ffn_down.weight", (EMBEDDING, FEED_FORWARD), finer)


def _describe(writer: GGUFWriter) -> None:
    writer.add_name("random weights in the shape of Qwen2.5-1.5B-Instruct")
    writer.add_file_type(LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_chat_template(_CHAT_TEMPLATE)


def _add_vocabulary(writer: GGUFWriter) -> None:
    """Add as many tokens and merges as the model has: bytes, all pairs of letters, and pairs of those."""
    letters = ["Ġ", *string.ascii_lowercase]
    pairs = [(first, second) for first in letters for second in letters[1:]]
    words = itertools.product(map("".join, pairs), repeat=2)
    merges = [*pairs, *itertools.islice((pair for pair in words if "Ġ" not in pair[1]), _TEXT_TOKENS)]
    texts = [*_byte_tokens(), *map("".join, merges)][:_TEXT_TOKENS]
    unused = [f"<unused {number}>" for number in range(VOCABULARY - _TEXT_TOKENS - len(_CONTROL_TOKENS))]
    control = len(texts) + _CONTROL_TOKENS.index("<|endoftext|>")
    kinds = [TokenType.NORMAL] * len(texts)
    kinds += [TokenType.CONTROL] * len(_CONTROL_TOKENS) + [TokenType.UNUSED] * len(unused)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([*texts, *_CONTROL_TOKENS, *unused])
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(merge) for merge in merges][: len(texts) - 256])
    writer.add_bos_token_id(control)
    writer.add_eos_token_id(len(texts) + _CONTROL_TOKENS.index("<|im_end|>"))
    writer.add_add_bos_token(False)


def _byte_tokens() -> list[str]:
    """A character for each byte, as byte-level BPE has it: the printable ones of Latin-1 as they are, others from U+0100 on."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = itertools.count(0x100)
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def _values(tensor: Tensor, random: np.random.Generator) -> NDArray[Any]:
    """Random blocks of a matrix; a vector's values are 1, or 0 if it is a bias."""
    if tensor.kind is F32:
        return np.full(tensor.shape, 0 if tensor.name.endswith("bias") else 1, np.float32)
    numbers = random.integers(0, 2**64 - 1, tensor.size // 8, np.uint64, endpoint=True)
    blocks = numbers.view(np.uint8).reshape(tensor.blocks, -1)
    if tensor.kind is Q4_K:
        # d * scale * q - dmin * minimum, with scales and minima in 0..63, and q in 0..15.
        scale = _DEVIATION / 250
        blocks[:, :4] = np.array([scale, 7.5 * scale], np.float16).view(np.uint8)
    else:
        # d * scale * (q - 32), with scales in -128..127, and q in 0..63.
        blocks[:, -2:] = np.array([_DEVIATION / 1370], np.float16).view(np.uint8)
    return blocks
