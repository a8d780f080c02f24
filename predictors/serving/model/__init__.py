"""What a model is: the contract between a predictor and the server."""
