"""What dashboards are made of, and the JSON that Grafana reads (its schema 39, Grafana 10 and newer)."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

_COLUMNS = 24
_HEIGHT = 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# `$__rate_interval` is Grafana's: four scrape intervals, or the width of a point if that is more.
RATE = "$__rate_interval"


class Query(NamedTuple):
    """A line, or several, of a panel.

    Args:
        expr: PromQL.
        legend: what the lines are called; labels stand in double braces.
    """

    expr: str
    legend: str


class Panel(NamedTuple):
    """A panel of time series.

    Args:
        title: a few words.
        unit: as Grafana names it: reqps, percentunit, s, bytes, short.
        queries: its lines.
        text: what to look for, one or two sentences.
        width: of 24 columns.
        stacked: whether lines add up to a whole.
    """

    title: str
    unit: str
    queries: Sequence[Query]
    text: str = ""
    width: int = 8
    stacked: bool = False


class Row(NamedTuple):
    """Panels under a heading."""

    title: str
    panels: Sequence[Panel]


class Variable(NamedTuple):
    """A choice above the dashboard.

    Args:
        name: by which queries use it.
        metric: the selector whose label is offered.
        label: that is offered; all of its values, unless some are chosen.
    """

    name: str
    metric: str
    label: str


class Dashboard(NamedTuple):
    """A dashboard.

    Args:
        uid: by which addresses name it.
        title: a few words.
        text: what it shows.
        variables: choices.
        rows: its panels.
    """

    uid: str
    title: str
    text: str
    variables: Sequence[Variable]
    rows: Sequence[Row]

    def queries(self) -> Iterable[tuple[Panel, Query]]:
        """All queries, with their panels."""
        return ((panel, query) for row in self.rows for panel in row.panels for query in panel.queries)


def quantiles(metric: str, selector: str, by: str) -> list[Query]:
    """The median, the 95th and the 99th percentile of a histogram.

    Args:
        metric: without ``_bucket``.
        selector: which series count.
        by: labels that tell lines apart.
    """
    legend = " ".join("{{%s}}" % label for label in by.split(", "))  # noqa: UP031  # braces
    rates = f"sum by ({by}, le) (rate({metric}_bucket{{{selector}}}[{RATE}]))"
    return [
        Query(f"histogram_quantile({quantile / 100}, {rates})", f"p{quantile} {legend}") for quantile in (50, 95, 99)
    ]


def dashboard_json(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.text,
        "tags": ["predictors"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_datasource(), *map(_variable, dashboard.variables)]},
        "panels": _placed(dashboard.rows),
    }


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "source"}


def _variable(variable: Variable) -> dict[str, Any]:
    query = f"label_values({variable.metric}, {variable.label})"
    return {
        "name": variable.name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": variable.name},
        "definition": query,
        "refresh": 2,  # whenever the time range changes
        "multi": True,
        "includeAll": True,
        "allValue": ".*",  # series without the label too: outside Kubernetes there is no namespace
        "current": {"text": "All", "value": "$__all"},
    }


def _placed(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The panels from left to right and top to bottom, each row under its heading."""
    found: list[dict[str, Any]] = []
    top = 0
    for row in rows:
        heading = {"type": "row", "title": row.title, "collapsed": False, "panels": []}
        found.append({**heading, "id": len(found) + 1, "gridPos": {"x": 0, "y": top, "w": _COLUMNS, "h": 1}})
        top, left = top + 1, 0
        for panel in row.panels:
            if left + panel.width > _COLUMNS:
                top, left = top + _HEIGHT, 0
            place = {"x": left, "y": top, "w": panel.width, "h": _HEIGHT}
            found.append({"id": len(found) + 1, "gridPos": place, **_panel(panel)})
            left += panel.width
        top += _HEIGHT
    return found


def _panel(panel: Panel) -> dict[str, Any]:
    stacking = {"mode": "normal", "group": "A"} if panel.stacked else {"mode": "none"}
    custom = {"fillOpacity": 20 if panel.stacked else 0, "showPoints": "never", "stacking": stacking}
    targets = [
        {"refId": chr(ord("A") + place), "datasource": _SOURCE, "expr": query.expr, "legendFormat": query.legend}
        for place, query in enumerate(panel.queries)
    ]
    return {
        "type": "timeseries",
        "title": panel.title,
        "description": panel.text,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": custom}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": targets,
    }
