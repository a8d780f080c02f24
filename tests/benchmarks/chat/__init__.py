"""What the summarizer's benchmark is made of: servers, prompts, a client, probes and the report."""
