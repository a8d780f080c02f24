"""What is missing or risky in a namespace that serves models, and in its cluster.

`look` reads the cluster and changes nothing; `checks` are pure functions of what was read; `examine` runs them all.
"""
