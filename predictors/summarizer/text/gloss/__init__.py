"""Glosses: lines in plain English, written beforehand, each true of every clause that gets it.

A rule gives its gloss to a clause that has all of its patterns and none of its bars. Rules are tried in order, so that
"You may opt out of arbitration" is not told as "Disputes go to arbitration". A clause that no rule knows gets the line
of its topic.
"""
