"""The `predictors` command: a module for each subcommand, which imports heavy packages only when it runs."""
