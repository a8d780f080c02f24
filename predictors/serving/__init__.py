"""What every predictor shares, one concern a module. Imports no predictor."""
