"""Inspect a GGUF file through llama.cpp, without loading its weights."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from predictors.summarizer.llama.gguf_header import number_arrays
from predictors.summarizer.llama.library import load_library
from predictors.summarizer.llama.memory import ModelShape

_TEXT_BYTES = 256
# Metadata that is either one number or an array with one number per layer.
_PER_LAYER = ("attention.head_count", "attention.head_count_kv", "feed_forward_length")


class Inspection(NamedTuple):
    """What a file's metadata says.

    Args:
        shape: the model's dimensions.
        name: the model's name; empty if the file does not give one.
        license: its licence; empty if the file does not give one.
        has_chat_template: whether it has a chat template; a model can be served only with one.
    """

    shape: ModelShape
    name: str
    license: str
    has_chat_template: bool


def inspect(path: Path) -> Inspection:
    """Read a file's metadata and check where its tensors lie, not their values.

    Raises:
        ArtifactError: not a GGUF file, truncated, or of an architecture that llama.cpp does not know.
        OSError: it cannot be read.
    """
    api = load_library().api
    with _opened(path) as model:
        return Inspection(
            shape=read_shape(model, path),
            name=_text(model, "general.name"),
            license=_text(model, "general.license"),
            has_chat_template=api.llama_model_chat_template(model, None) is not None,
        )


def read_shape(model: Any, path: Path) -> ModelShape:
    """Read a model's dimensions.

    Args:
        model: a loaded model's pointer.
        path: its file, for what llama.cpp does not return.
    """
    api = load_library().api
    architecture = _text(model, "general.architecture")

    def number(key: str, otherwise: int) -> int:
        return int(_text(model, f"{architecture}.{key}") or otherwise)

    embedding = int(api.llama_model_n_embd(model))
    layers = _per_layer(model, path, architecture)
    heads = layers.get("attention.head_count", 0)
    head_length = embedding // max(1, heads)
    feed_forward = layers.get("feed_forward_length", 0)
    # Each expert that is used has an activation of its own, and then an output as wide as the embedding.
    expert = max(number("expert_feed_forward_length", feed_forward), embedding)
    experts = number("expert_used_count", 0)
    return ModelShape(
        architecture=architecture,
        parameters=int(api.llama_model_n_params(model)),
        # A model in several files is larger than the file that names it.
        model_bytes=max(path.stat().st_size, int(api.llama_model_size(model))),
        trained_context=int(api.llama_model_n_ctx_train(model)),
        layers=int(api.llama_model_n_layer(model)),
        heads=heads,
        kv_heads=layers.get("attention.head_count_kv", heads),
        key_length=max(number("attention.key_length", head_length), number("attention.key_length_swa", 0)),
        value_length=max(number("attention.value_length", head_length), number("attention.value_length_swa", 0)),
        embedding=embedding,
        feed_forward=max(feed_forward, experts * expert),
        vocabulary=int(api.llama_vocab_n_tokens(api.llama_model_get_vocab(model))),
        sliding_window=int(api.llama_model_n_swa(model)),
        quantization=api.llama_ftype_name(api.llama_model_ftype(model)).decode(),
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    library = load_library()
    params = library.model_params()
    params.no_alloc = True
    params.load_mode = library.api.LLAMA_LOAD_MODE_NONE  # the only mode that no_alloc works with
    model = library.load_model(path, path.name, params)
    try:
        yield model
    finally:
        library.api.llama_model_free(model)


def _per_layer(model: Any, path: Path, architecture: str) -> dict[str, int]:
    """The largest of each value that may differ between layers; a key that the file lacks is left out."""
    texts = {key: _text(model, f"{architecture}.{key}") for key in _PER_LAYER}
    values = {key: int(text) for key, text in texts.items() if text}
    if len(values) < len(_PER_LAYER):
        arrays = number_arrays(path, [f"{architecture}.{key}" for key in _PER_LAYER if key not in values])
        values |= {key.removeprefix(f"{architecture}."): max(array) for key, array in arrays.items() if array}
    return values


def _text(model: Any, key: str) -> str:
    """A metadata value as text; empty if it is absent or an array."""
    buffer = ctypes.create_string_buffer(_TEXT_BYTES)
    api = load_library().api
    found = api.llama_model_meta_val_str(model, key.encode(), buffer, _TEXT_BYTES) >= 0
    return buffer.value.decode("utf-8", "replace") if found else ""
