"""Calls and answers as bytes: V1 and V2 over REST, V2 over gRPC, server-sent events. No I/O."""
