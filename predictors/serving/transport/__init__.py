"""The HTTP listener: Uvicorn with the limits that it lacks, TLS, and the Unix socket."""
