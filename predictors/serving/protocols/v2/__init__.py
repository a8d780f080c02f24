"""The V2 (Open Inference) protocol over REST."""
