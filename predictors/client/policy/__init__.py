"""When a call is sent, sent again, sent twice or not sent at all: decisions without I/O.

Clock readings, random numbers and outcomes are passed in; drivers of their own do what is decided.
"""
