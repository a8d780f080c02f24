"""Whose address counts, behind proxies."""

import pytest

from predictors.serving.access.addresses import Addresses
from predictors.serving.errors import StartupError


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ((), "203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # a header that anybody can send
        (("10.0.0.0/8",), "203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        (("10.0.0.0/8",), "10.0.0.1", [], "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        (("10.0.0.0/8",), "10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),  # the client made the first one up
        (("10.0.0.0/8",), "10.0.0.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        (("10.0.0.0/8",), "10.0.0.1", ["198.51.100.1,10.9.9.9"], "198.51.100.1"),  # two proxies
        (("10.0.0.0/8",), "10.0.0.1", ["10.9.9.9"], "10.9.9.9"),
        (("10.0.0.0/8",), "10.0.0.1", ["unknown"], "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", ["a" * 10_000], "10.0.0.1"),
        (("10.0.0.0/8",), "::ffff:10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        (("10.0.0.1",), "10.0.0.1:50123", ["[2001:db8:1:2:3::4]:443"], "2001:db8:1:2::/64"),
        ((), "2001:db8:1:2:ffff::9", [], "2001:db8:1:2::/64"),  # a site has more addresses than can be counted
        ((), "[2001:db8:1:2:ffff::9]:50123", [], "2001:db8:1:2::/64"),
        ((), "unix", ["198.51.100.1"], "unix"),
        (("unix",), "unix", ["198.51.100.1"], "198.51.100.1"),
        (("unix",), "10.0.0.1", ["198.51.100.1"], "10.0.0.1"),
    ],
)
def test_the_address_that_counts(trusted: tuple[str, ...], peer: str, forwarded: list[str], client: str) -> None:
    assert Addresses(trusted).client(peer, forwarded) == client


def test_what_is_no_network_ends_the_start() -> None:
    with pytest.raises(
        StartupError, match=r"^--trusted_proxies gateway: give networks, such as 10\.0\.0\.0/8, or unix$"
    ):
        Addresses(("gateway",))
