"""Drift: whether what a model is asked, and what it answers, still spreads as in the rows that its manifest refers to.

`columns` says what is counted of a batch and its answer. `reference` makes a reference of them, in the bins that `bins`
chooses; `rows` does so for rows that somebody gives. `tally` counts as a reference does, and `compare` says by the
formulas in `distance` how far two counts are apart, and from how many rows on that means anything.

In a server, `watch` counts a sample of the traffic in a sliding `window`, and `metrics` compares it at each scrape.
From files of logged requests (`log_files`, `log_events`, `log_columns`), `report` does the same, and `page` draws it.
"""
