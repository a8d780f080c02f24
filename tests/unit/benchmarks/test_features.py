"""How answers are counted, however the network cuts them."""

import socket
import threading
import time

import pytest

from tests.benchmarks.features import OFF, OK, Turn, ask, grid
from tests.benchmarks.load.errors import BenchError


def told(*chunks: bytes) -> None:
    ours, theirs = socket.socketpair()

    def answer() -> None:
        theirs.recv(65536)
        for chunk in chunks:
            theirs.sendall(chunk)
            time.sleep(0.02)
        theirs.close()

    with ours:
        thread = threading.Thread(target=answer)
        thread.start()
        try:
            ask(ours, 2)
        finally:
            thread.join()


@pytest.mark.parametrize("cut", range(1, len(OK + b"OK" + OK)))
def test_answers_are_counted_once(cut: int) -> None:
    both = (OK + b"OK") * 2
    told(both[:cut], both[cut:])
    with pytest.raises(BenchError):
        told(both[:cut])


def test_refusals_end_it() -> None:
    with pytest.raises(BenchError, match="429"):
        told(OK, b"HTTP/1.1 429 Too Many Requests\r\n")


def test_ratios_are_those_of_each_round() -> None:
    found = {OFF: [Turn(100, 10), Turn(200, 20), Turn(400, 40)], "on": [Turn(110, 10), Turn(220, 20), Turn(420, 80)]}
    assert grid(found).rows == [(OFF, "200", "1.000", "20", "1.000"), ("on", "220", "1.100", "20", "1.000")]
