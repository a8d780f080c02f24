"""`predictors rollout`: a new version gets its traffic step by step, on evidence."""
