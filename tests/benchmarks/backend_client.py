"""What `predictors.client` costs its process: CPU time for a call of iris, beside plain httpx and gRPC.

A server runs in a process of its own. Ways take turns, so that all of them meet the same machine: ``make bench-client``.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import grpc
import httpx
from rich.console import Console

from predictors.client import AsyncClient, Client, Policy
from predictors.client.wire.v2_messages import load_messages
from tests.benchmarks.output import Grid, show_grids
from tests.live import JSON, LiveServer, serve

ROWS = [[5.1, 3.5, 1.4, 0.2]]
TENSOR = {"name": "x", "datatype": "FP64", "shape": [1, 4], "data": ROWS[0]}
PATH = "/v2/models/iris/infer"
METHOD = "/inference.GRPCInferenceService/ModelInfer"
IMPORTS = ("httpcore", "httpx", "predictors.client", "predictors.client.transports.grpc_async", "kserve")


class Way(NamedTuple):
    """A way to call.

    Args:
        name: in the table.
        cpu_seconds: CPU time of so many calls.
    """

    name: str
    cpu_seconds: Callable[[int], float]


def spent(work: Callable[[], object]) -> float:
    """CPU time of this process for some work, in all its threads, seconds."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def plain_httpx(server: LiveServer) -> Way:
    client = httpx.Client(base_url=server.url)

    def work(calls: int) -> None:
        for _ in range(calls):
            client.post(PATH, content=json.dumps({"inputs": [TENSOR]}), headers=JSON).json()

    return Way("httpx.Client", lambda calls: spent(lambda: work(calls)))


def plain_grpc(server: LiveServer) -> Way:
    messages = load_messages()
    infer = grpc.insecure_channel(server.grpc_address).unary_unary(
        METHOD, messages.ModelInferRequest.SerializeToString, messages.ModelInferResponse.FromString
    )

    def work(calls: int) -> None:
        for _ in range(calls):
            request = messages.ModelInferRequest(model_name="iris")
            tensor = request.inputs.add(name="x", datatype="FP64", shape=[1, 4])
            tensor.contents.fp64_contents.extend(ROWS[0])
            infer(request)

    return Way("a gRPC stub", lambda calls: spent(lambda: work(calls)))


def ours(name: str, url: str, policy: Policy) -> Way:
    client = Client(url, policy=policy)

    def work(calls: int) -> None:
        for _ in range(calls):
            client.iris(ROWS)

    return Way(name, lambda calls: spent(lambda: work(calls)))


def in_a_loop(name: str, connect: Callable[[], Awaitable[Callable[[], Awaitable[object]]]]) -> Way:
    """A way of asyncio, whose loop and connections stay from one turn to the next."""
    loop = asyncio.new_event_loop()
    ask = loop.run_until_complete(connect())

    async def work(calls: int) -> None:
        for _ in range(calls):
            await ask()

    return Way(name, lambda calls: spent(lambda: loop.run_until_complete(work(calls))))


def plain_httpx_async(server: LiveServer) -> Way:
    async def connect() -> Callable[[], Awaitable[object]]:
        client = httpx.AsyncClient(base_url=server.url)

        async def ask() -> object:
            answer = await client.post(PATH, content=json.dumps({"inputs": [TENSOR]}), headers=JSON)
            return answer.json()

        return ask

    return in_a_loop("httpx.AsyncClient", connect)


def ours_async(name: str, url: str, policy: Policy) -> Way:
    async def connect() -> Callable[[], Awaitable[object]]:
        client = AsyncClient(url, policy=policy)
        return lambda: client.iris(ROWS)

    return in_a_loop(name, connect)


def ways(server: LiveServer) -> list[Way]:
    """All of them, the plain ones before those that do the same."""
    plain, hedged = Policy(), Policy(hedge_after=1.0)
    channel = f"grpc://{server.grpc_address}"
    return [
        plain_httpx(server),
        ours("Client", server.url, plain),
        ours("Client that may hedge", server.url, hedged),
        plain_httpx_async(server),
        ours_async("AsyncClient", server.url, plain),
        ours_async("AsyncClient that may hedge", server.url, hedged),
        plain_grpc(server),
        ours("Client, gRPC", channel, plain),
        ours_async("AsyncClient, gRPC", channel, plain),
    ]


def calls_table(rounds: int, calls: int) -> Grid:
    with serve("iris") as server:
        server.wait_ready()
        all_ways = ways(server)
        times: dict[str, list[float]] = {way.name: [] for way in all_ways}
        for turn in range(rounds + 1):
            for way in all_ways:
                seconds = way.cpu_seconds(calls)
                if turn:  # the first makes connections, and warms up
                    times[way.name].append(seconds / calls * 1e6)
    rows = []
    for name, each in times.items():
        baseline = "a gRPC stub" if "gRPC" in name else "httpx.AsyncClient" if "Async" in name else "httpx.Client"
        ratio = statistics.median(a / b for a, b in zip(each, times[baseline], strict=True))
        rows.append((name, f"{statistics.median(each):.0f}", f"{ratio:.2f}", baseline))
    return Grid(f"CPU time of a call, medians of {rounds} rounds of {calls}", ("way", "µs", "times", "of"), rows)


def imports_table(rounds: int) -> Grid:
    """What it takes to import each, in a process of its own."""
    rows = []
    for module in IMPORTS:
        code = f"import sys, time; sys.argv = ['x']; t = time.process_time(); import {module}; print(time.process_time() - t)"
        times = [
            float(subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, check=True).stdout)
            for _ in range(rounds)
        ]
        rows.append((module, f"{statistics.median(times) * 1e3:.0f}"))
    return Grid(f"CPU time of an import, medians of {rounds}", ("module", "ms"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of measurements (default: 9)")
    parser.add_argument("--calls", type=int, default=500, help="calls in each (default: 500)")
    options = parser.parse_args()
    show_grids([calls_table(options.rounds, options.calls), imports_table(min(options.rounds, 5))], Console())


if __name__ == "__main__":
    main()
