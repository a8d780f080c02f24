"""Grafana's dashboards, made from code: `make dashboards` writes them where the chart and compose load them."""
