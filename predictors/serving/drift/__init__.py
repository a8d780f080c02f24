"""Drift: whether what a model is asked, and what it answers, still spreads as in the rows that its manifest refers to.

`bins` and `reference` make a reference of rows. `tally` counts rows as a reference does, `distance` says how far two
counts are apart, and from how many rows on that means anything. In a server, `watch` counts a sample of the traffic in
the sliding `window`, and `metrics` compares it with the reference at each scrape. From files of logged requests,
`logged` and `report` do the same, and `page` draws it.
"""
