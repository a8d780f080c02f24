"""The checks, one module for each theme; `table` lists them all."""
