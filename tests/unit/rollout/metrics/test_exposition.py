"""Reading Prometheus' text format, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from predictors.rollout.metrics import exposition
from predictors.rollout.metrics.exposition import Point, Reader


def exposed() -> str:
    registry = CollectorRegistry()
    counter = Counter("model_requests", "Requests.", ("model_name", "code"), registry=registry)
    counter.labels('a "b"\n\\', "200").inc(3)
    Histogram("seconds", "How long.", registry=registry, buckets=(1,)).observe(0.5)
    return generate_latest(registry).decode()


def points(text: str) -> list[Point]:
    """What is read of a text, at once and once its series are known."""
    reader = Reader()
    first = reader.points(text)
    assert reader.points(text) == first
    return first


def values(text: str) -> dict[str, float]:
    return {
        point.name + "".join(value for _, value in sorted(point.labels.items())): point.value for point in points(text)
    }


def test_what_prometheus_client_writes() -> None:
    found = values(exposed())
    assert found['model_requests_total200a "b"\n\\'] == 3
    assert (found["seconds_bucket1.0"], found["seconds_bucket+Inf"], found["seconds_sum"]) == (1, 1, 0.5)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1", "1e300", "9007199254740993000"])
def test_a_value_that_no_counter_can_have_is_left_out(value: str) -> None:
    assert values(f"a 1\nb {value}\nc 2\n") == {"a": 1, "c": 2}


def test_spaces_around_a_line() -> None:
    assert values("  a 1  \n \n\n# HELP b \n\tb 2\r\n") == {"a": 1, "b": 2}


def test_of_a_series_that_is_there_twice_the_last_counts() -> None:
    assert [(point.labels, point.value) for point in points('a{x="1",y="2"} 1\na{y="2",x="1"} 5\n')] == [
        ({"y": "2", "x": "1"}, 5)
    ]


@pytest.mark.parametrize("text", ["<html>\n", 'a{b="c" 1\n', "a{ 1\n", "a one\n", "a\n", '{"error": "no"}\n'])
def test_another_format_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not in Prometheus' text format"):
        points(text)


def test_a_time_after_the_value_is_not_the_value() -> None:
    assert values('a{b="} 7"} 5 1700000000000\nc 4 1700000000000\n') == {"a} 7": 5, "c": 4}


def test_a_reader_takes_the_new_values_of_series_that_it_knows() -> None:
    reader = Reader()
    found = [[point.value for point in reader.points(f'a{{b="c"}} {n}\nd {n}\n')] for n in (1, 2)]
    assert found == [[1, 1], [2, 2]]


def test_rubbish_in_place_of_a_value_of_a_known_series() -> None:
    reader = Reader()
    reader.points("a 1\n")
    for value in ("one", ""):
        with pytest.raises(ValueError, match="not in Prometheus' text format"):
            reader.points(f"a {value}\n")


def test_a_server_that_exports_ever_new_series_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "_MOST_SERIES", 3)
    reader = Reader()
    for n in range(9):
        assert [point.value for point in reader.points(f"a{n} {n}\n")] == [n]
    assert len(reader._known) == 3


def test_what_is_cut_off_is_refused_or_its_whole_lines_are_right() -> None:
    text = exposed()
    whole = values(text)
    for end in range(len(text)):
        try:
            found = values(text[:end])
        except ValueError:
            continue
        assert text[end - 1] == "\n"
        assert found.items() <= whole.items()


@given(st.text() | st.text(alphabet='ab{}=,"\\ \n#1.e+-TYPE', max_size=40).map(lambda text: text + "\n"))
def test_rubbish_never_breaks_it(text: str) -> None:
    try:
        found = points(text)
    except ValueError:
        return
    assert all(0 <= point.value < float("inf") for point in found)
