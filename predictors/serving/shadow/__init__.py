"""Shadow traffic: copies of some requests go to a canary, and the two answers are compared and counted.

A file names the canaries. While it names none, the server does nothing for it but look at the file: no connection, no
HTTP client in memory, and one attribute test per request.

The way of a copy: `sampler` (on the way of a request, so it only draws and queues) → `copies` (a bounded queue) →
`canary` (asks by V2 over REST, in the form that `wire` writes and reads) → the predictor's own `agrees` → `metrics`.
Whatever would make a user wait drops the copy instead.
"""
