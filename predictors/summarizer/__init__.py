"""Summarizer: plain-English summaries of documents, and OpenAI's API, by any instruction-tuned GGUF model."""
