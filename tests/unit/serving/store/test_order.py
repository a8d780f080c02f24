"""The order of versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.serving.store.order import version_key

VERSIONS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)


@pytest.mark.parametrize(
    "ascending",
    [
        ("1", "2", "10"),
        ("v1", "v2", "v10"),
        ("1.9", "1.10", "1.10.1", "2.0-rc1", "2.0-rc2", "2.0-rc10", "2.0"),
        ("2025-12-31", "2026-01-02", "2026-01-10"),
        ("0.9", "0.10", "1"),
        ("20261126T0930", "20261126T1015"),
    ],
)
def test_people_would_count_alike(ascending: tuple[str, ...]) -> None:
    assert sorted(set(ascending), key=version_key) == list(ascending)


@given(st.sets(VERSIONS, max_size=8))
def test_any_two_versions_have_an_order(versions: set[str]) -> None:
    assert len({version_key(version) for version in versions}) == len(versions)
    assert sorted(versions, key=version_key) == sorted(sorted(versions), key=version_key)
