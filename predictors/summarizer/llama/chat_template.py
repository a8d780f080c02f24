"""A model's chat template, rendered around messages' contents."""

import uuid
from collections.abc import Sequence

from jinja2 import TemplateError
from llama_cpp.llama_chat_format import Jinja2ChatFormatter


class ChatTemplate:
    """A Jinja template that turns messages into a prompt.

    Args:
        source: the template.
        eos: text of the end-of-sequence token.
        bos: text of the beginning-of-sequence token.

    Raises:
        ValueError: it is not valid Jinja.
    """

    def __init__(self, source: bytes, eos: str, bos: str) -> None:
        try:
            self._formatter = Jinja2ChatFormatter(source.decode(), eos_token=eos, bos_token=bos)
        except (TemplateError, UnicodeDecodeError) as error:
            raise ValueError("the chat template is not valid Jinja") from error

    def render(self, roles: Sequence[str]) -> list[str]:
        """Render a chat with empty contents.

        Args:
            roles: of the messages.

        Returns:
            The text before the first content, the texts between contents, and the text after the last.

        Raises:
            ValueError: the template does not accept these roles in this order.
        """
        markers = [uuid.uuid4().hex for _ in roles]
        messages = [{"role": role, "content": marker} for role, marker in zip(roles, markers, strict=True)]
        texts = self._split(messages, markers)
        if texts is None and len(roles) > 1 and roles[0] == "system":  # some templates have no system role
            messages[:2] = [{**messages[1], "content": f"{markers[0]}\n\n{markers[1]}"}]
            texts = self._split(messages, markers)
        if texts is None:
            raise ValueError("the model's chat template does not take messages in this order of roles")
        return texts

    def _split(self, messages: list[dict[str, str]], markers: Sequence[str]) -> list[str] | None:
        """Render messages and split the text at the markers; None if the template fails or drops one."""
        try:
            rest = str(self._formatter(messages=messages).prompt)
        except (TemplateError, ValueError, TypeError, AttributeError, ArithmeticError, LookupError, RecursionError):
            return None
        texts = []
        for marker in markers:
            before, found, rest = rest.partition(marker)
            if not found:
                return None
            texts.append(before)
        return [*texts, rest]
