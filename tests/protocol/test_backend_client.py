"""`predictors.client` against real servers: REST and gRPC, for threads and asyncio."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pytest

from predictors.client import (
    AsyncClient,
    BreakerPolicy,
    Client,
    ClientError,
    Connections,
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    NotFound,
    Overloaded,
    Part,
    Point,
    Policy,
    Progress,
    Summary,
    Tensor,
    Tls,
    Unauthorized,
    Unsupported,
)
from predictors.serving.access.token_file import line_of
from tests.functions import free_port
from tests.live import LiveServer, serve
from tests.unit.serving.transport.certificates import Authority

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]
DOCUMENT = "You agree to pay 9 euros a month. We may change the price at any time."
PATIENT = Policy(timeout=300)
NEVER = BreakerPolicy(failure_rate=2)

Ask: TypeAlias = Callable[..., Any]


def ask_sync(url: str, method: str, *arguments: Any, **options: Any) -> Any:
    call = {name: options.pop(name) for name in ("model", "timeout", "request_id") if name in options}
    with Client(url, policy=PATIENT, **options) as client:
        return getattr(client, method)(*arguments, **call)


def ask_async(url: str, method: str, *arguments: Any, **options: Any) -> Any:
    call = {name: options.pop(name) for name in ("model", "timeout", "request_id") if name in options}

    async def main() -> Any:
        async with AsyncClient(url, policy=PATIENT, **options) as client:
            return await getattr(client, method)(*arguments, **call)

    return asyncio.run(main())


@pytest.fixture(params=[ask_sync, ask_async], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    asker: Ask = request.param
    return asker


def url_of(live: LiveServer, kind: str) -> str:
    secure = "s" if kind.endswith("s") else ""
    port = live.grpc_port if kind.startswith("grpc") else live.http_port
    return f"{kind.rstrip('s')}{secure}://127.0.0.1:{port}"


@pytest.fixture(params=["http", "grpc"])
def url(request: pytest.FixtureRequest, server: LiveServer) -> str:
    return url_of(server, request.param)


def test_iris(server: LiveServer, ask: Ask, url: str) -> None:
    answer = ask(url, "iris", ROWS, request_id=f"iris-{ask.__name__}-{url[:4]}")
    assert [(row.label, row.class_id) for row in answer.rows] == [("setosa", 0), ("virginica", 2)]
    assert answer.rows[0].probabilities == pytest.approx((1, 0, 0), abs=0.05)
    assert answer.rows[0].confidence > 0.9
    assert answer.model_version == "1"
    assert server.access_line(answer.request_id)["model"] == "iris"
    assert ask(url, "iris", np.array(ROWS)).rows == answer.rows


def test_intent(ask: Ask, url: str) -> None:
    answer = ask(url, "intent", ["where is my parcel", "asdf"])
    assert [text.intent for text in answer.texts] == ["question", "unknown"]
    assert sum(answer.texts[0].probabilities) == pytest.approx(1)
    assert ask(url, "intent", "where is my parcel").texts == answer.texts[:1]


def test_any_model(ask: Ask, url: str) -> None:
    answer = ask(url, "infer", "iris", {"x": Tensor("FP32", (1, 4), tuple(ROWS[0]))})
    assert answer["label"] == Tensor("BYTES", (1,), ("setosa",))
    assert answer["predict"].data == (0,)
    metadata = ask(url, "metadata", "iris")
    assert (metadata.name, metadata.versions, metadata.inputs[0].shape) == ("iris", ("1",), (-1, 4))
    assert ask(url, "ready")
    assert ask(url, "ready", "iris")


def test_v1(ask: Ask, server: LiveServer) -> None:
    row = dict(zip(("sepal_length", "sepal_width", "petal_length", "petal_width"), ROWS[0], strict=True))
    answer = ask(server.url, "predict", "iris", [row])
    assert answer.body["labels"] == ["setosa"]
    with pytest.raises(Unsupported, match="use a client with an http"):
        ask(url_of(server, "grpc"), "predict", "iris", [row])


@pytest.mark.parametrize(
    ("method", "arguments", "kind", "says", "field"),
    [
        ("iris", ([[1, 2, 3]],), InvalidInput, "[N, 4] is expected", "features"),
        ("intent", ([" "],), InvalidInput, "is blank", "text"),
        ("infer", ("iris", {"x": ROWS}, {"seed": 1}), InvalidInput, 'unknown parameter "seed"', "seed"),
        ("infer", ("nope", {"x": [1.0]}), NotFound, 'model "nope" does not exist', ""),
        ("metadata", ("nope",), NotFound, 'model "nope" does not exist', ""),
        ("iris", ([[1, 2, 3, 4]] * 10_001,), InvalidInput, "at most", ""),
    ],
)
def test_refusals(
    ask: Ask, url: str, method: str, arguments: Any, kind: type[ClientError], says: str, field: str
) -> None:
    with pytest.raises(kind) as caught:
        ask(url, method, *arguments)
    error = caught.value
    assert says in error.message
    assert error.attempts == 1
    assert error.request_id in str(error)
    assert not isinstance(error, InvalidInput) or not field or error.field == field


def test_a_deadline_that_cannot_be_kept(ask: Ask, url: str) -> None:
    with pytest.raises(DeadlineExceeded):
        ask(url, "intent", ["where is my parcel " * 20] * 1000, timeout=0.001)


class Guarded(NamedTuple):
    """Iris behind TLS, client certificates, tokens and a limit."""

    live: LiveServer
    tls: Tls
    early: tuple[Client, ...]
    """Clients that had called before the server was there."""


@pytest.fixture(scope="module")
def guarded(artifacts: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    authority = Authority()
    (folder / "ca.pem").write_bytes(authority.certificate)
    (folder / "tokens").write_text("\n".join(line_of(name, name, "iris") for name in ("first", "second", "greedy")))
    for name in ("server", "client"):
        (folder / name).mkdir()
    certificate, key = authority.issue("server").write(folder / "server")
    tls = Tls(folder / "ca.pem", *authority.issue("client", client=True).write(folder / "client"))
    http_port, grpc_port = free_port(), free_port()
    options = {
        "--http_port": http_port,
        "--grpc_port": grpc_port,
        "--ssl_certfile": certificate,
        "--ssl_keyfile": key,
        "--ssl_ca_certfile": folder / "ca.pem",
        "--token_digests_file": folder / "tokens",
        "--client_requests_per_minute": 30,
    }
    waiting = Policy(timeout=300, attempts=10_000, backoff_cap=0.2, retry_burst=10_000, breaker=NEVER)
    addresses = (f"https://127.0.0.1:{http_port}", f"grpcs://127.0.0.1:{grpc_port}")
    early = tuple(Client(address, "first", policy=waiting, tls=tls) for address in addresses)
    for client in early:
        with pytest.raises(ClientError):
            client.iris(ROWS, timeout=0.1)
    with serve("iris", *(str(part) for option in options.items() for part in option)) as live:
        yield Guarded(live, tls, early)
    for client in early:
        client.close()


class TestTheDoor:
    @pytest.fixture(params=["https", "grpcs"])
    def url(self, request: pytest.FixtureRequest, guarded: Guarded) -> str:
        return url_of(guarded.live, request.param)

    @pytest.fixture
    def tls(self, guarded: Guarded) -> Tls:
        return guarded.tls

    def test_clients_may_come_before_their_server(self, guarded: Guarded) -> None:
        for client in guarded.early:  # which are refused at first, then told that the model is not ready
            assert client.iris(ROWS).rows

    def test_a_certificate_and_a_token_open_it(self, ask: Ask, url: str, tls: Tls) -> None:
        assert ask(url, "iris", ROWS, tls=tls, token="first").rows[0].label == "setosa"

    def test_without_them_it_stays_closed(self, ask: Ask, url: str, tls: Tls) -> None:
        with pytest.raises(Unauthorized, match="check the client's token"):
            ask(url, "iris", ROWS, tls=tls)
        with pytest.raises(Unauthorized) as caught:
            ask(url, "iris", ROWS, tls=tls, token="not-a-secret")
        assert "not-a-secret" not in str(caught.value)
        with pytest.raises(Forbidden):
            ask(url, "intent", ["a"], tls=tls, token="first")

    @pytest.mark.parametrize("secrets", [Tls(), "authority alone"])
    def test_certificates_are_checked_on_both_sides(self, url: str, tls: Tls, secrets: Tls | str) -> None:
        given = secrets if isinstance(secrets, Tls) else Tls(tls.ca_file)
        with (
            Client(url, "first", policy=Policy(timeout=20, attempts=1), tls=given) as client,
            pytest.raises(ClientError) as caught,
        ):
            client.iris(ROWS)
        assert caught.value.retryable  # no connection, or one that was ended

    def test_the_name_to_ask_for_may_be_another(self, ask: Ask, url: str, tls: Tls) -> None:
        local = url.replace("127.0.0.1", "localhost")
        named = Connections(host="127.0.0.1")
        assert ask(local, "iris", ROWS, tls=tls, token="first", connections=named).rows

    def test_a_token_is_read_again(self, url: str, tls: Tls, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_text("wrong")
        with Client(url, path, policy=PATIENT, tls=tls) as client:
            with pytest.raises(Unauthorized):
                client.iris(ROWS)
            path.write_text("second\n")
            assert client.iris(ROWS).rows

    def test_too_many_calls_are_told_when_to_come_back(self, url: str, tls: Tls) -> None:
        def ask_on(client: Client) -> None:
            for _ in range(100):
                client.iris(ROWS)

        once = Policy(timeout=300, attempts=1)
        with Client(url, "greedy", policy=once, tls=tls) as client, pytest.raises(Overloaded) as caught:
            ask_on(client)
        assert caught.value.retry_after is not None
        assert 1 <= caught.value.retry_after <= 60


@pytest.mark.llama
class TestSummaries:
    @pytest.mark.parametrize("kind", ["http", "grpc"])
    def test_whole(self, summarizer: LiveServer, ask: Ask, kind: str) -> None:
        summary = ask(url_of(summarizer, kind), "summarize", DOCUMENT, {"mode": "full", "max_tokens": 200})
        self.check(summary)
        assert summary.body == {}

    def check(self, summary: Summary) -> None:
        assert [point.topic for point in summary.points] == ["cost", "changes"]
        (citation,) = summary.points[0].citations
        assert DOCUMENT[citation.start : citation.end] == summary.points[0].text == "You agree to pay 9 euros a month."
        assert (summary.usage.mode, summary.usage.read, summary.usage.language) == ("full", 1.0, "en")
        assert summary.complete
        assert "We may change the price" in summary.text
        assert (summary.model_version, summary.document) == ("1", "")

    def test_as_it_comes(self, summarizer: LiveServer) -> None:
        seen: list[Part] = []
        with (
            Client(summarizer.url, policy=PATIENT) as client,
            client.stream_summary(DOCUMENT, {"mode": "full"}, request_id="streamed") as parts,
        ):
            seen += parts
        self.check_parts(seen)
        assert summarizer.access_line("streamed")["status"] == "200"

    def test_as_it_comes_to_asyncio(self, summarizer: LiveServer) -> None:
        async def main() -> list[Part]:
            async with (
                AsyncClient(summarizer.url, policy=PATIENT) as client,
                client.stream_summary(DOCUMENT, {"mode": "full"}) as parts,
            ):
                return [part async for part in parts]

        self.check_parts(asyncio.run(main()))

    def check_parts(self, parts: list[Part]) -> None:
        *others, summary = parts
        assert isinstance(summary, Summary)
        self.check(summary)
        assert {type(part) for part in others} == {Progress, Point}
        assert {part.text for part in others if isinstance(part, Point)} == {point.text for point in summary.points}

    @pytest.mark.parametrize("kind", ["http", "grpc"])
    def test_a_parameter_that_is_wrong(self, summarizer: LiveServer, ask: Ask, kind: str) -> None:
        with pytest.raises(InvalidInput, match="max_tokens") as caught:
            ask(url_of(summarizer, kind), "summarize", DOCUMENT, {"max_tokens": 0})
        assert caught.value.field == "max_tokens"

    def test_a_stream_that_is_refused(self, summarizer: LiveServer) -> None:
        for url, document, kind, says in (
            (summarizer.url, " ", InvalidInput, "is blank"),
            (url_of(summarizer, "grpc"), DOCUMENT, Unsupported, "over gRPC"),
        ):
            with Client(url, policy=PATIENT) as client, pytest.raises(kind, match=says):
                client.stream_summary(document).__enter__()
