"""The summarizer's fallback."""
