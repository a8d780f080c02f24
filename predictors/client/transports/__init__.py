"""What sends an attempt: HTTP through httpcore, which is httpx's engine, and gRPC; each for threads and for asyncio."""
