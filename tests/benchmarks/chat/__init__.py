"""The parts of the summarizer's benchmark: servers, prompts, a client, probes and the report."""
