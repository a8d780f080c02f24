"""A GGUF model's file, vocabulary and chat template, through llama-cpp-python's low-level functions.

Several threads may use all of this at once; what they may not share is in `decoder`.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from predictors.serving.errors import ArtifactError
from predictors.summarizer.llama.library import load_library

if TYPE_CHECKING:
    from predictors.summarizer.llama.chat_template import ChatTemplate

_PIECE_BYTES = 256


class Message(NamedTuple):
    """One turn of a chat.

    Args:
        role: ``system``, ``user`` or ``assistant``.
        content: its text.
    """

    role: str
    content: str


class LlamaModel:
    """A loaded GGUF file.

    Args:
        path: the file.
        name: what to call the file in errors, since the path may be a file descriptor's.
        template: a chat template instead of the file's own.
        gpu_layers: layers that a GPU computes, counted from the output; -1: all.

    Raises:
        ArtifactError: not a GGUF file, not loadable, not a text generator, without a usable chat template, or there is
            no GPU for its layers.
    """

    def __init__(self, path: Path, name: str, template: str = "", gpu_layers: int = 0) -> None:
        library = load_library()
        self.name = name
        self.gpu_layers = gpu_layers
        self._api = library.api
        if gpu_layers and not self._api.llama_supports_gpu_offload():
            raise ArtifactError(
                f"--gpu_layers is {gpu_layers}, but llama.cpp finds no GPU: it needs a llama.cpp that was compiled for "
                "GPUs, such as that of an image built with LLAMA_BACKEND=cuda, and a machine with one; otherwise leave "
                "out --gpu_layers"
            )
        self.pointer: Any = library.load_model(path, name, library.model_params(gpu_layers))
        try:
            if self._api.llama_model_has_encoder(self.pointer) or self._api.llama_model_is_diffusion(self.pointer):
                raise ArtifactError(f"{name} is not a decoder-only language model; no other kind can be served")
            self.vocabulary: Any = self._api.llama_model_get_vocab(self.pointer)
            self.vocabulary_size = int(self._api.llama_vocab_n_tokens(self.vocabulary))
            self.trained_context = int(self._api.llama_model_n_ctx_train(self.pointer))
            self._pieces: dict[int, bytes] = {}
            self._adds_bos = bool(self._api.llama_vocab_get_add_bos(self.vocabulary))
            self._bos = self._special_text(self._api.llama_vocab_bos(self.vocabulary))
            self._template = self._chat_template(template)
        except BaseException:
            self.close()
            raise

    def chat(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of a chat, up to where the assistant begins.

        Args:
            messages: at least one.

        Raises:
            ValueError: the model's template does not accept a chat of this form.
        """
        frame = self.frame([message.role for message in messages])
        tokens = list(frame[0])
        for message, after in zip(messages, frame[1:], strict=True):
            tokens += self.tokenize(message.content)
            tokens += after
        return tokens

    def frame(self, roles: Sequence[str]) -> list[list[int]]:
        """Tokens of a chat's template around the messages' contents: before the first, between, and after the last.

        The template is rendered around markers, and contents are tokenized separately as plain text, so that a document
        that quotes control tokens cannot end its own message.

        Raises:
            ValueError: the model's template does not accept a chat of this form.
        """
        texts = self._template.render(roles)
        begins = self._adds_bos and not texts[0].startswith(self._bos)
        first = self.tokenize(texts[0], special=True, begin=begins)
        return [first, *(self.tokenize(text, special=True) for text in texts[1:])]

    def tokenize(self, text: str, special: bool = False, begin: bool = False) -> list[int]:
        """Turn text into tokens.

        Args:
            text: any text.
            special: whether text like ``<|im_end|>`` becomes a control token.
            begin: whether to prepend the model's beginning-of-sequence token.
        """
        raw = text.encode()
        if not raw and not begin:
            return []
        size = len(raw) + 8  # no token is shorter than a byte, but a few may be added
        tokens = (self._api.llama_token * size)()
        count = self._api.llama_tokenize(self.vocabulary, raw, len(raw), tokens, size, begin, special)
        if count < 0:
            raise RuntimeError(f"llama_tokenize asks for {-count} tokens for {len(raw)} bytes")
        return list(tokens[:count])

    def completion(self, text: str) -> list[int]:
        """Tokens of a bare prompt, which may contain control tokens."""
        return self.tokenize(text, special=True, begin=self._adds_bos)

    def piece(self, token: int) -> bytes:
        """A token's text; control tokens have none."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._pieces[token] = self._piece(token, special=False)
        return piece

    def all_pieces(self) -> list[bytes]:
        """The texts of all tokens, by number; control tokens have none. Takes 0.15 s for 49,152 tokens."""
        return [self._piece(token, special=False) for token in range(self.vocabulary_size)]

    def is_end(self, token: int) -> bool:
        """Whether a token ends an answer."""
        return bool(self._api.llama_vocab_is_eog(self.vocabulary, token))

    def close(self) -> None:
        """Free the memory."""
        if self.pointer:
            self._api.llama_model_free(self.pointer)
        self.pointer = None

    def _chat_template(self, own: str) -> "ChatTemplate":
        from predictors.summarizer.llama.chat_template import ChatTemplate  # needs llama-cpp-python

        source = own.encode() or self._api.llama_model_chat_template(self.pointer, None)
        if not source:
            raise ArtifactError(f"{self.name} has no chat template; an instruction-tuned model is needed")
        whose = "the setting chat_template" if own else f"{self.name} has a chat template that"
        eos = self._special_text(self._api.llama_vocab_eos(self.vocabulary))
        try:
            template = ChatTemplate(source, eos, self._bos)
        except ValueError:
            raise ArtifactError(f"{whose} is not valid Jinja") from None
        try:
            template.render(["system", "user"])
        except ValueError:
            raise ArtifactError(f"{whose} cannot hold a user's message") from None
        return template

    def _piece(self, token: int, special: bool) -> bytes:
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        size = self._api.llama_token_to_piece(self.vocabulary, token, buffer, _PIECE_BYTES, 0, special)
        return buffer.raw[: max(size, 0)]

    def _special_text(self, token: int) -> str:
        return self._piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""
