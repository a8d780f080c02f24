"""From an admitted request to the model: where a batch is computed, and with which others."""
