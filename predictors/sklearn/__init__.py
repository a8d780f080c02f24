"""Any fitted scikit-learn estimator over numbers, columns or texts: pipelines, boosting, linear models and the rest."""
