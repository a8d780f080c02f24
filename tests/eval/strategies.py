"""Ways to get a summary of a document: the summarizer's modes, the naive way, and the document's first sentences."""

import re
import time
from itertools import chain
from typing import Any

import httpx

from tests.eval import Point, Summary
from tests.eval.context import sentences

MODEL = "summarizer"
STRATEGIES = ("truncation", "fast", "full", "auto")
SYSTEM = "You are a helpful assistant."
TASK = "Summarize the following document in bullet points for a consumer.\n\n"
ANSWER_TOKENS = 512
# Longer lines of a chat's answer count as their sentences, so that each is judged by itself.
MOST_WORDS = 60
# Tokens are not spread evenly: a proportional cut may leave slightly too many.
_MARGIN = 0.98
# "the prompt has 9000 tokens and max_tokens is 512; together at least 1 and at most 8192 are allowed".
_PROMPT, _CONTEXT = re.compile(r"prompt has (\d+) tokens"), re.compile(r"at most (\d+)")
_MARKER = re.compile(r"^(?:[-*•–]|\d+[.)])\s+")


class Failed(Exception):
    """The server did not summarize a document; the text says why."""


async def predict(http: httpx.AsyncClient, text: str, mode: str) -> Summary:
    """Summarize a document in one of the summarizer's modes.

    Raises:
        Failed: the server did not.
    """
    body = {"instances": [text], "parameters": {"mode": mode}}
    response, seconds = await _post(http, f"/v1/models/{MODEL}:predict", body)
    answer = content_of(response)
    usage = answer["usage"][0]
    points = tuple(map(point, answer["bullets"][0]))
    return Summary(points, seconds, usage["prompt_tokens"], usage["completion_tokens"], usage["mode"])


def point(bullet: dict[str, Any]) -> Point:
    """A point of an answer."""
    cited = tuple((citation["start"], citation["end"]) for citation in bullet["citations"])
    return Point(bullet["text"], cited, bullet.get("topic", ""), bullet.get("gloss", ""))


async def truncation(http: httpx.AsyncClient, text: str) -> Summary:
    """Summarize the start of a document, as much of it as fits the context, with one chat completion.

    Requests that the server rejects as too long are not timed.

    Raises:
        Failed: the server did not.
    """
    while text:
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": TASK + text}]
        body = {"model": MODEL, "messages": messages, "temperature": 0, "max_tokens": ANSWER_TOKENS}
        response, seconds = await _post(http, "/openai/v1/chat/completions", body)
        if response.status_code != httpx.codes.BAD_REQUEST:
            answer = content_of(response)
            points = tuple(map(Point, bullet_lines(answer["choices"][0]["message"]["content"])))
            return Summary(points, seconds, answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"])
        text = shorter(text, response.text)
    raise Failed("no start of the document fits the context")


def shorter(text: str, message: str) -> str:
    """Cut a document to what fits the context, going by the server's error message.

    Raises:
        Failed: the message is about something else.
    """
    prompt, context = _PROMPT.search(message), _CONTEXT.search(message)
    if not prompt or not context:
        raise Failed(f"status 400: {message}")
    has, may_have = (int(found[1]) for found in (prompt, context))
    return text[: int(len(text) * min(1, max(0, may_have - ANSWER_TOKENS) / has) * _MARGIN)]


def bullet_lines(text: str) -> list[str]:
    """The lines of an answer without their markers, headings, and lines that only introduce others.

    A long line counts as its sentences: writing paragraphs is no disadvantage.
    """
    lines = [_MARKER.sub("", line.strip()).replace("**", "").strip() for line in text.splitlines()]
    whole = [line for line in lines if _says_something(line)]
    parts = ([line] if len(line.split()) <= MOST_WORDS else sentences(line) for line in whole)
    return [*chain(*parts)]


def _says_something(line: str) -> bool:
    return line != "" and not line.startswith("#") and not line.endswith(":")


def lead(text: str, words: int) -> list[str]:
    """The first sentences of a document, as many as have at most ``words`` words together."""
    chosen: list[str] = []
    for sentence in sentences(text):
        if (words := words - len(sentence.split())) < 0:
            break
        chosen.append(sentence)
    return chosen


async def _post(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> tuple[httpx.Response, float]:
    started = time.monotonic()
    response = await http.post(path, json=body)
    return response, time.monotonic() - started


def content_of(response: httpx.Response) -> Any:
    """The JSON content of an answer.

    Raises:
        Failed: the status is an error.
    """
    if response.is_error:
        raise Failed(f"status {response.status_code}: {response.text}")
    return response.json()
