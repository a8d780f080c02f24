"""The wire protocols: each parses a request, asks the data plane, and writes the answer."""
