"""The API server: objects as plain dictionaries, by kind and name."""
