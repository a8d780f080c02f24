"""Summaries and answers → the columns that the predictor outputs."""

import time
from collections.abc import Iterable, Sequence

import numpy as np
import orjson

from predictors.serving.model.types import Outputs
from predictors.summarizer.engine.types import Generation
from predictors.summarizer.parameters import SummaryParameters
from predictors.summarizer.summary import Summary


def summary_outputs(texts: Sequence[str], parameters: SummaryParameters, summaries: Iterable[Summary]) -> Outputs:
    """The columns of summaries, a row for each document.

    Args:
        texts: the documents' texts.
        parameters: of the request.
        summaries: come one after another; the time that each takes is measured.
    """
    done, seconds = [], []
    begun = time.monotonic()
    for summary in summaries:
        done.append(summary)
        seconds.append(time.monotonic() - begun)
        begun = time.monotonic()
    points = [summary.points for summary in done]
    return {
        "summary": [summary.text for summary in done],
        "points": points,
        "bullets": [orjson.dumps(each).decode() for each in points],
        "mode": [summary.mode for summary in done],
        "read": np.array([summary.read for summary in done]),
        "more": [summary.more for summary in done],
        "language": [summary.language for summary in done],
        "warning": [summary.warning for summary in done],
        "text": [*texts] if parameters.return_text else [""] * len(texts),
        **_usage(done, seconds),
    }


def answer_outputs(generation: Generation, seconds: float) -> Outputs:
    """The columns of an answer to a prompt, which took some seconds."""
    return {"text": [generation.text], **_usage([generation], [seconds])}


def _usage(results: Sequence[Summary] | Sequence[Generation], seconds: list[float]) -> Outputs:
    return {
        "prompt_tokens": np.array([result.prompt_tokens for result in results]),
        "cached_tokens": np.array([result.cached_tokens for result in results]),
        "completion_tokens": np.array([result.completion_tokens for result in results]),
        "finish_reason": [result.finish_reason for result in results],
        "seconds_to_first_token": np.array([result.seconds_to_first_token for result in results]),
        "seconds": np.array(seconds),
    }
