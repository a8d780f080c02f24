"""The V2 (Open Inference) protocol over gRPC, with health and reflection."""
