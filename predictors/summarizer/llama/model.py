"""A GGUF model's file, vocabulary and chat template, through llama-cpp-python's low-level functions.

All of this may be used from several threads at once; what may not is in `llama_decoder`.
"""

import ctypes
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import llama_cpp
from jinja2 import TemplateError
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from predictors.serving.errors import ArtifactError
from predictors.summarizer.llama.gguf_header import check_magic, explain
from predictors.summarizer.llama.log import take_load_error

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
        name: what to call the file in errors, since the path may be a descriptor's.

    Raises:
        ArtifactError: not a GGUF file, not loadable, no text generator, or without a usable chat template.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        check_magic(path, name)
        take_load_error()
        self.pointer: Any = llama_cpp.llama_model_load_from_file(
            str(path).encode(), llama_cpp.llama_model_default_params()
        )
        if not self.pointer:
            raise ArtifactError(explain(name, take_load_error().replace(str(path), name)))
        try:
            if llama_cpp.llama_model_has_encoder(self.pointer) or llama_cpp.llama_model_is_diffusion(self.pointer):
                raise ArtifactError(f"{name} is not a decoder-only language model; no other kind can be served")
            self.vocabulary: Any = llama_cpp.llama_model_get_vocab(self.pointer)
            self.trained_context = int(llama_cpp.llama_model_n_ctx_train(self.pointer))
            self._pieces: dict[int, bytes] = {}
            self._bos = self._special_text(llama_cpp.llama_vocab_bos(self.vocabulary))
            self._formatter = self._chat_formatter()
            self._check_template()
        except BaseException:
            self.close()
            raise

    def chat(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of a chat, up to where the assistant begins.

        Args:
            messages: at least one.

        Raises:
            ValueError: the model's template takes no chat of this form.
        """
        frame = self.frame([message.role for message in messages])
        tokens = list(frame[0])
        for message, after in zip(messages, frame[1:], strict=True):
            tokens += self.tokenize(message.content)
            tokens += after
        return tokens

    def frame(self, roles: Sequence[str]) -> list[list[int]]:
        """Tokens of a chat's template around the messages' contents: before the first, between, and after the last.

        The template is rendered around markers, and contents are tokenized apart from it as plain text, so that a
        document that quotes control tokens cannot end its own message.

        Raises:
            ValueError: the model's template takes no chat of this form.
        """
        texts = self._render(roles)
        begins = bool(llama_cpp.llama_vocab_get_add_bos(self.vocabulary)) and not texts[0].startswith(self._bos)
        first = self.tokenize(texts[0], special=True, begin=begins)
        return [first, *(self.tokenize(text, special=True) for text in texts[1:])]

    def tokenize(self, text: str, special: bool = False, begin: bool = False) -> list[int]:
        """Turn text into tokens.

        Args:
            text: any.
            special: whether text like ``<|im_end|>`` becomes a control token.
            begin: whether to put the model's token of the beginning before it.
        """
        raw = text.encode()
        if not raw and not begin:
            return []
        size = len(raw) + 8  # no token is shorter than a byte, but a few may be added
        tokens = (llama_cpp.llama_token * size)()
        count = llama_cpp.llama_tokenize(self.vocabulary, raw, len(raw), tokens, size, begin, special)
        if count < 0:
            raise RuntimeError(f"llama_tokenize asks for {-count} tokens for {len(raw)} bytes")
        return list(tokens[:count])

    def completion(self, text: str) -> list[int]:
        """Tokens of a bare prompt that may hold control tokens."""
        return self.tokenize(text, special=True, begin=bool(llama_cpp.llama_vocab_get_add_bos(self.vocabulary)))

    def piece(self, token: int) -> bytes:
        """A token's text; control tokens have none."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._pieces[token] = self._piece(token, special=False)
        return piece

    def is_end(self, token: int) -> bool:
        """Whether a token ends an answer."""
        return bool(llama_cpp.llama_vocab_is_eog(self.vocabulary, token))

    def close(self) -> None:
        """Give the memory back."""
        if self.pointer:
            llama_cpp.llama_model_free(self.pointer)
        self.pointer = None

    def _chat_formatter(self) -> Jinja2ChatFormatter:
        template = llama_cpp.llama_model_chat_template(self.pointer, None)
        if not template:
            raise ArtifactError(f"{self.name} has no chat template; an instruction-tuned model is needed")
        eos = self._special_text(llama_cpp.llama_vocab_eos(self.vocabulary))
        try:
            return Jinja2ChatFormatter(template.decode(), eos_token=eos, bos_token=self._bos)
        except (TemplateError, UnicodeDecodeError):
            raise ArtifactError(f"{self.name} has a chat template that is not valid Jinja") from None

    def _check_template(self) -> None:
        try:
            self._render(["system", "user"])
        except ValueError:
            raise ArtifactError(f"{self.name} has a chat template that cannot hold a user's message") from None

    def _render(self, roles: Sequence[str]) -> list[str]:
        """Render the template around empty contents; gives the texts between them."""
        markers = [uuid.uuid4().hex for _ in roles]
        messages = [{"role": role, "content": marker} for role, marker in zip(roles, markers, strict=True)]
        texts = self._split(messages, markers)
        if texts is None and len(roles) > 1 and roles[0] == "system":  # some templates know no system role
            messages[:2] = [{**messages[1], "content": f"{markers[0]}\n\n{markers[1]}"}]
            texts = self._split(messages, markers)
        if texts is None:
            raise ValueError("the model's chat template does not take messages in this order of roles")
        return texts

    def _split(self, messages: list[dict[str, str]], markers: Sequence[str]) -> list[str] | None:
        try:
            rest = str(self._formatter(messages=messages).prompt)
        except (TemplateError, ValueError, TypeError):
            return None
        texts = []
        for marker in markers:
            before, found, rest = rest.partition(marker)
            if not found:
                return None
            texts.append(before)
        return [*texts, rest]

    def _piece(self, token: int, special: bool) -> bytes:
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        size = llama_cpp.llama_token_to_piece(self.vocabulary, token, buffer, _PIECE_BYTES, 0, special)
        return buffer.raw[: max(size, 0)]

    def _special_text(self, token: int) -> str:
        return self._piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""
