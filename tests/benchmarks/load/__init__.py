"""The parts of ``make bench``: iris and intent beside other servers, under load from real tools."""
