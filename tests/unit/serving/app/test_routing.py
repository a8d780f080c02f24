"""Which handler answers; what was found is remembered, but not without bound."""

import pytest

from predictors.serving.app.routing import Route, Router
from predictors.serving.errors import MethodNotAllowed, NotFound
from predictors.serving.protocols.http import Request, Response


async def _handler(request: Request) -> Response:
    return Response(200)


MODEL, PREDICT, READY = Route(_handler, "v1"), Route(_handler, "v1"), Route(_handler, quiet=True)
BOUND, LONGEST = 1024, 256


@pytest.fixture
def router() -> Router:
    router = Router()
    router.add("GET", "/v1/models/{model}", MODEL)
    router.add("POST", "/v1/models/{model}:predict", PREDICT)
    router.add("GET", "/v2/health/ready", READY)
    return router


def remembered(router: Router) -> int:
    return len(router._known)


@pytest.mark.parametrize(
    ("method", "path", "route", "params"),
    [
        ("GET", "/v1/models/iris", MODEL, {"model": "iris"}),
        ("HEAD", "/v1/models/iris", MODEL, {"model": "iris"}),
        ("POST", "/v1/models/iris:predict", PREDICT, {"model": "iris"}),
        ("GET", "/v2/health/ready", READY, {}),
    ],
)
def test_what_is_remembered_is_what_was_found(
    router: Router, method: str, path: str, route: Route, params: dict[str, str]
) -> None:
    for _ in range(3):
        found, given = router.match(method, path)
        assert found is route
        assert given == params
    assert remembered(router) == 1


def test_methods_and_paths_are_remembered_apart(router: Router) -> None:
    for _ in range(2):
        assert router.match("GET", "/v1/models/a")[1] == {"model": "a"}
        assert router.match("GET", "/v1/models/b")[1] == {"model": "b"}
        assert router.match("POST", "/v1/models/a:predict")[0] is PREDICT
        for method, path, allowed in (
            ("POST", "/v1/models/a", ("GET", "HEAD")),
            ("GET", "/v1/models/a:predict", ("POST",)),
        ):
            with pytest.raises(MethodNotAllowed) as caught:
                router.match(method, path)
            assert caught.value.allowed == allowed


def test_paths_that_strangers_make_up_do_not_pile_up(router: Router) -> None:
    largest = 0
    for i in range(5 * BOUND):
        assert router.match("GET", f"/v1/models/{i}") == (MODEL, {"model": str(i)})
        largest = max(largest, remembered(router))
        if i % 100 == 0:
            assert router.match("POST", "/v1/models/iris:predict") == (PREDICT, {"model": "iris"})
    assert largest == BOUND


@pytest.mark.parametrize(("length", "expected"), [(LONGEST, 1), (LONGEST + 1, 0), (64 * 1024, 0)])
def test_long_paths_are_answered_but_not_remembered(router: Router, length: int, expected: int) -> None:
    name = "x" * (length - len("/v1/models/"))
    for _ in range(2):
        assert router.match("GET", f"/v1/models/{name}") == (MODEL, {"model": name})
    assert remembered(router) == expected


@pytest.mark.parametrize(
    "path", ["/", "", "*", "/v1", "/v1/models/", "/v1/models/iris/x", "/v1/models/iris:explain", "//"]
)
def test_what_is_nowhere_is_not_remembered(router: Router, path: str) -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            router.match("GET", path)
    assert remembered(router) == 0


def test_what_is_not_allowed_is_not_remembered(router: Router) -> None:
    for i in range(10):
        with pytest.raises(MethodNotAllowed):
            router.match(f"X{i}", "/v1/models/iris")
    assert remembered(router) == 0
