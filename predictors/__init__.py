"""Iris, intent and GGUF summarizer predictors for KServe."""

__version__ = "0.1.0"
