"""The page at /ui: over HTTP, and in a real browser."""
