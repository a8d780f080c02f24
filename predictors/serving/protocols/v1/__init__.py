"""KServe's V1 protocol."""
