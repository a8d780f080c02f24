"""What is recorded of a request: the access log and the metrics."""
