"""Which answers are failures, by their code: an HTTP status or the name of a gRPC code.

Three kinds of answers are told apart. Good ones; the client's errors, which say nothing of the variant and are not
counted at all; and everything else, which is failures:

- HTTP 5xx, and gRPC's INTERNAL, UNAVAILABLE, DEADLINE_EXCEEDED and so on.
- 429 and RESOURCE_EXHAUSTED: a variant that sheds load does not answer requests that the other one would have answered.
  (gRPC has the same code for messages that are too large. Both variants get their share of those, so it is a part of
  both rates, and no difference between them.) What rate limits refuse has these codes too, and is not read at all.
- 499 and CANCELLED: a client or the gateway gave up waiting. Clients that leave for reasons of their own leave both
  variants alike, and a canary that hangs is seen by nothing else until the server's own timeout.
- Codes that do not exist, such as that of a request that ended before it had one.
"""

_CLIENTS = frozenset(
    (
        "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "UNAUTHENTICATED",
        "FAILED_PRECONDITION", "OUT_OF_RANGE",
    )
)  # fmt: skip
_FAILED_4XX = frozenset(("429", "499"))


def is_success(code: str) -> bool:
    """Whether a request was answered as it should be."""
    return code == "OK" or (len(code) == 3 and code[0] in "123" and code.isdigit())


def is_client_error(code: str) -> bool:
    """Whether a request could not be answered, by any variant."""
    if code in _CLIENTS:
        return True
    return len(code) == 3 and code[0] == "4" and code.isdigit() and code not in _FAILED_4XX
