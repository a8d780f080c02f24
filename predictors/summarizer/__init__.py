"""Summarizer: plain-English summaries of documents by any instruction-tuned GGUF model."""
