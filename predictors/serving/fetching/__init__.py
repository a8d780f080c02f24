"""Documents that the server gets from the public internet, for callers who name their addresses."""
