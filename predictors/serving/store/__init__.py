"""A folder of models in several versions, which come and go while the server runs."""
