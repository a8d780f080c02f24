"""The log of requests and answers: CloudEvents for a sink over HTTP, for files, or for both. Off by default.

The way of a request: `watcher` (on the way of the answer, so it only draws and queues) → `backlog` (bounded; one for
each sink) → `exporter` (threads, which use a part of one core at most) → `content` (V2's JSON, without what must not be
logged) → `event` (a CloudEvent) → `http_sink` or `file_sink`. Whatever would make a user wait drops the event instead.
"""
