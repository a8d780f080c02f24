"""Exit statuses of `predictors rollout …`; 0 is done, 1 an error, and 2 wrong usage."""

ERROR = 1
ROLLED_BACK = 3
TIMED_OUT = 4
NEEDS_A_PERSON = 5
INTERRUPTED = 130
