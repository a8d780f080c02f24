"""What the store decides."""

from hypothesis import given
from hypothesis import strategies as st

from predictors.serving.store.order import version_key
from predictors.serving.store.plan import Loaded, Standing, choose_default, choose_evictions, pause_after

VERSIONS = st.integers(0, 12).map(str)
STANDINGS = st.dictionaries(VERSIONS, st.sampled_from(Standing), min_size=1, max_size=6)
LOADED = st.dictionaries(
    st.integers(0, 50), st.builds(Loaded, st.integers(0, 100), st.floats(0, 100), st.booleans()), max_size=8
)


@given(STANDINGS, VERSIONS, st.one_of(st.just(""), VERSIONS))
def test_a_version_that_is_ready_hands_over_to_one_that_is_ready(
    versions: dict[str, Standing], current: str, pinned: str
) -> None:
    default, wanted = choose_default(versions, current, pinned)
    assert {default, wanted} <= set(versions)
    if versions.get(current) is Standing.READY:
        assert versions[default] is Standing.READY
        assert default in (current, wanted)
    if default != wanted:
        assert versions[wanted] is not Standing.READY
        assert versions[default] is Standing.READY or versions[wanted] is Standing.BROKEN


@given(STANDINGS, VERSIONS, VERSIONS)
def test_the_pinned_version_is_wanted_otherwise_the_highest_that_is_not_broken(
    versions: dict[str, Standing], current: str, pinned: str
) -> None:
    usable = [version for version, standing in versions.items() if standing is not Standing.BROKEN]
    highest = max(usable or versions, key=version_key)
    assert choose_default(versions, current).wanted == highest
    assert choose_default(versions, current, pinned).wanted == (pinned if pinned in versions else highest)


@given(STANDINGS, VERSIONS, VERSIONS)
def test_what_was_chosen_is_chosen_again(versions: dict[str, Standing], current: str, pinned: str) -> None:
    default, wanted = choose_default(versions, current, pinned)
    assert choose_default(versions, default, pinned) == (default, wanted)
    if versions[wanted] is not Standing.BROKEN:  # once it is loaded, it answers
        assert choose_default(versions | {wanted: Standing.READY}, default, pinned).default == wanted


def test_an_old_version_that_somebody_asks_for_does_not_become_the_default() -> None:
    versions = {"1": Standing.READY, "2": Standing.LOADABLE}
    assert choose_default(versions, "2") == ("2", "2")


def test_without_the_version_that_answered_the_highest_one_that_is_ready_does() -> None:
    versions = {"1": Standing.READY, "2": Standing.LOADABLE, "3": Standing.BROKEN}
    assert choose_default(versions, "3") == ("1", "2")
    assert choose_default(versions, "gone") == ("1", "2")


@given(LOADED, st.integers(0, 200), st.integers(0, 400))
def test_no_more_is_evicted_than_makes_room_and_nothing_that_stays(
    loaded: dict[int, Loaded], needed: int, limit: int
) -> None:
    evicted = choose_evictions(loaded, needed, limit)
    free = [number for number, each in loaded.items() if not each.stays]
    total = sum(each.bytes for each in loaded.values()) + needed
    if evicted is None:
        assert total - sum(loaded[number].bytes for number in free) > limit
        return
    assert set(evicted) <= set(free)
    assert len(set(evicted)) == len(evicted)
    assert total - sum(loaded[number].bytes for number in evicted) <= limit
    if evicted:
        *others, last = evicted
        assert total - sum(loaded[number].bytes for number in others) > limit
        spared = [loaded[number].last_use for number in free if number not in evicted]
        assert all(loaded[last].last_use <= use for use in spared)


def test_pauses_grow_up_to_five_minutes() -> None:
    pauses = [pause_after(failures) for failures in range(1, 5000)]
    assert pauses[:4] == [2, 4, 8, 16]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 300
