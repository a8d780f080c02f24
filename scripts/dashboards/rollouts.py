"""Rollouts: where they are, how canaries answer, and whether the controller works."""

from scripts.dashboards.panels import RATE, Dashboard, Panel, Query, Row

# The labels `namespace` and `name` are the rollout's. Where Prometheus gives targets a namespace too, it renames that.
_ROLLOUT = "namespace, exported_namespace, name"
_NAMED = "{{exported_namespace}} {{name}}"


def _copies(outcome: str) -> str:
    """Copies that came to this, per second."""
    return f'sum by (model_name, canary_version) (rate(shadow_comparisons_total{{outcome=~"{outcome}"}}[{RATE}]))'


_WHERE = Row(
    "Rollouts",
    [
        Panel(
            "Canary's share",
            "percent",
            [Query(f"max by ({_ROLLOUT}) (rollout_canary_weight)", _NAMED)],
            "Of the requests, as the routes have it.",
        ),
        Panel(
            "Rollouts by phase",
            "short",
            [Query("max by (phase) (rollouts) > 0", "{{phase}}")],
            "Blocked ones wait for a person, and so do those that are Paused.",
        ),
        Panel(
            "Ended",
            "short",
            [Query("sum by (result) (increase(rollouts_ended_total[1h]))", "{{result}}")],
            "In the hour before each point.",
        ),
    ],
)
_SHADOW = Row(
    "Shadow traffic",
    [
        Panel(
            "Copies that agree",
            "percentunit",
            [
                Query(
                    f"{_copies('agree')} / ({_copies('agree|differ')} > 0)",
                    "{{model_name}} {{canary_version}}",
                )
            ],
            "Of the copies that were compared.",
        ),
        Panel(
            "Copies",
            "reqps",
            [
                Query(
                    f"sum by (model_name, outcome) (rate(shadow_comparisons_total[{RATE}]))",
                    "{{model_name}} {{outcome}}",
                )
            ],
            stacked=True,
        ),
        Panel(
            "Labels that differ",
            "short",
            [
                Query(
                    f"sum by (model_name, stable_label, canary_label) (rate(shadow_confusion_total[{RATE}])) > 0",
                    "{{model_name}} {{stable_label}} → {{canary_label}}",
                )
            ],
            "Rows per second by both labels, those that agree too.",
        ),
    ],
)
_CONTROLLER = Row(
    "Controller",
    [
        Panel(
            "Turns that failed",
            "short",
            [Query(f"sum by (reason) (rate(rollout_turn_failures_total[{RATE}]))", "{{reason}}")],
            "Per second: refused by the API server, unavailable, or internal.",
        ),
        Panel(
            "Duration of a turn",
            "s",
            [
                Query(
                    f"sum(rate(rollout_turn_seconds_sum[{RATE}])) / "
                    f"(sum(rate(rollout_turn_seconds_count[{RATE}])) > 0)",
                    "mean",
                )
            ],
        ),
        Panel("Leaders", "short", [Query("sum(rollout_controller_leader)", "leaders")], "One, or nobody drives."),
    ],
)
ROLLOUTS = Dashboard(
    "predictors-rollouts",
    "Predictors: rollouts",
    "Where rollouts are, how they ended, how often canaries agree, and whether the controller works.",
    [],
    [_WHERE, _SHADOW, _CONTROLLER],
)
