"""What a language model writes, how fast, and how full its engine is."""

from scripts.dashboards.panels import RATE, Dashboard, Panel, Query, Row, Variable, quantiles

_MODELS = 'namespace=~"$namespace", model_name=~"$model"'
_PODS = 'namespace=~"$namespace"'
_LEGEND = "{{model_name}}"


def _rate(metric: str, by: str = "model_name", selector: str = _MODELS) -> str:
    return f"sum by ({by}) (rate({metric}{{{selector}}}[{RATE}]))"


def _rates(metric: str, label: str) -> Query:
    """One line for each value of a label, and each model."""
    return Query(_rate(metric, f"model_name, {label}"), f"{_LEGEND} {{{{{label}}}}}")


def _tokens(kind: str) -> str:
    return _rate("summarizer_tokens_total", selector=f'{_MODELS}, kind="{kind}"')


_SPEED = Row(
    "Speed",
    [
        Panel(
            "Time to first token",
            "s",
            quantiles("summarizer_time_to_first_token_seconds", _MODELS, "model_name"),
            "From asking the engine to the first token: waiting for a slot, and prefill.",
        ),
        Panel(
            "Tokens per second of an answer",
            "short",
            quantiles("summarizer_tokens_per_second", _MODELS, "model_name"),
            "What one reader sees; it falls as more answers share the model.",
        ),
        Panel(
            "Tokens per second in all",
            "short",
            [_rates("summarizer_tokens_total", "kind")],
            "Read (prompt), of these found in the KV cache (cached), and written (completion).",
        ),
    ],
)
_ENGINE = Row(
    "Engine",
    [
        Panel(
            "Slots and prompts",
            "short",
            [
                Query(f"sum by (model_name) (summarizer_slots_busy{{{_MODELS}}})", f"busy {_LEGEND}"),
                Query(f"sum by (model_name) (summarizer_prompts_waiting{{{_MODELS}}})", f"waiting {_LEGEND}"),
            ],
            "Answers in progress, and prompts that wait for a slot.",
        ),
        Panel(
            "Where the engine's time goes",
            "percentunit",
            [_rates("summarizer_step_seconds_total", "part")],
            "Share of the time in the model (decode), in choosing tokens (sample), in the scheduler (python).",
            stacked=True,
        ),
        Panel(
            "Steps per second",
            "short",
            [Query(_rate("summarizer_steps_total"), _LEGEND)],
            "Batches through the model; each gives every busy slot one token.",
        ),
    ],
)
_GPU = "namespace, pod, instance, gpu"
_GPU_LEGEND = "{{pod}} {{instance}} GPU {{gpu}}"
_GPUS = Row(
    "GPUs",
    [
        Panel(
            "Time in which a GPU computes",
            "percentunit",
            [Query(f"max by ({_GPU}) (gpu_utilization_ratio{{{_PODS}}})", _GPU_LEGEND)],
            "Of servers with --gpu_layers, by whomever the GPU is used.",
            width=12,
        ),
        Panel(
            "Memory of GPUs in use",
            "percentunit",
            [
                Query(
                    f"max by ({_GPU}) (gpu_memory_used_bytes{{{_PODS}}} / gpu_memory_total_bytes{{{_PODS}}})",
                    _GPU_LEGEND,
                )
            ],
            width=12,
        ),
    ],
)
_CACHE = Row(
    "Cache",
    [
        Panel(
            "Prompt tokens found in the KV cache",
            "percentunit",
            [
                Query(
                    f"{_tokens('cached')} / ({_tokens('prompt')} > 0)",
                    _LEGEND,
                )
            ],
        ),
        Panel(
            "Prefixes kept",
            "short",
            [Query(f"sum by (model_name) (summarizer_prefixes_kept{{{_MODELS}}})", _LEGEND)],
            "Idle sequences that hold a prefix for later prompts.",
        ),
        Panel(
            "Cache of answers",
            "short",
            [Query(_rate("result_cache_total", "event", _PODS), "{{event}}")],
            "Events per second; remote_error is a Redis that does not answer.",
        ),
    ],
)
_SUMMARIES = Row(
    "Summaries",
    [
        Panel(
            "Summaries",
            "reqps",
            [_rates("summarizer_summaries_total", "outcome")],
            "Complete, too long (length), without a point (empty), or cut by the deadline.",
            stacked=True,
        ),
        Panel("Points of a summary", "short", quantiles("summarizer_summary_points", _MODELS, "model_name")[:2]),
        Panel(
            "Points",
            "short",
            [_rates("summarizer_points_total", "kind")],
            "Per second: the document's words (quoted), with something left out (shortened), the model's (written).",
            stacked=True,
        ),
    ],
)
_FALLBACK = Row(
    "Fallback",
    [
        Panel(
            "Requests for the fallback, by why",
            "reqps",
            [_rates("summarizer_fallback_total", "reason")],
            "What the model itself did not answer. Of servers with --fallback_url.",
            stacked=True,
            width=12,
        ),
        Panel(
            "What became of requests for the fallback",
            "reqps",
            [_rates("summarizer_fallback_total", "outcome")],
            "The endpoint failed, was late, or is left alone (open); the budget is spent; too many at once (busy); not "
            "handed over (unfit, declined).",
            stacked=True,
            width=12,
        ),
    ],
)
SUMMARIZER = Dashboard(
    "predictors-summarizer",
    "Predictors: summarizer",
    "Time to first token, tokens per second, slots, caches, what summaries are like, and what the fallback does.",
    [
        Variable("namespace", "summarizer_summaries_total", "namespace"),
        Variable("model", 'summarizer_summaries_total{namespace=~"$namespace"}', "model_name"),
    ],
    [_SPEED, _ENGINE, _GPUS, _CACHE, _SUMMARIES, _FALLBACK],
)
