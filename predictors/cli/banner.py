"""What a user sees once the server has started: its addresses, and a request to try for each model."""

import shlex

from rich.console import Console

from predictors.serving.dispatch.registry import Registry
from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.dispatch.state import State
from predictors.serving.settings import ServerSettings

_EXAMPLES = {
    "iris": '{"instances": [[5.1, 3.5, 1.4, 0.2]]}',
    "intent": '{"instances": ["where is my parcel"]}',
    "summarizer": '{"instances": ["You agree to pay 9 euros a month. We may change the price at any time. '
    'You can cancel with 30 days of notice."]}',
}


def show(settings: ServerSettings, registry: Registry, http_port: int, grpc_port: int | None) -> None:
    """Print the URLs and a curl line for each model that is ready, and the reason for each that is not."""
    console = Console(highlight=False, soft_wrap=True)
    host = settings.host
    reachable = "localhost" if host in ("0.0.0.0", "127.0.0.1", "::") else host  # noqa: S104
    reachable = f"[{reachable}]" if ":" in reachable else reachable
    scheme = "http" if settings.ssl_certfile is None else "https"
    base = f"{scheme}://localhost" if settings.uds else f"{scheme}://{reachable}:{http_port}"
    curl = f"curl --unix-socket {shlex.quote(settings.uds)}" if settings.uds else "curl"
    console.print()
    console.print(f"HTTP (V1, V2)  {settings.uds or base}")
    if grpc_port is not None:
        console.print(f"gRPC (V2)      {reachable}:{grpc_port}")
    console.print(f"Metrics        {base}/metrics")
    console.print(f"API            {base}/docs, as a document {base}/openapi.json")
    for model in registry.models.values():
        console.print()
        if not registry.model_unready(model):
            later = "" if model.state is State.READY else ", loaded on its first use"
            console.print(f"[green]●[/green] {model.name} version {model.version}{later}")
            console.print(f"  {curl} {_request(base, model)}", markup=False)
        else:
            console.print(f"[red]●[/red] {model.name} is not ready: ", end="")
            console.print(model.reason, markup=False)
    console.print("\nCtrl-C stops the server.")


def _request(base: str, model: ServedModel) -> str:
    """What to send it; a model of one's own is asked what it takes."""
    if model.predictor.kind not in _EXAMPLES:
        return f"{base}/v2/models/{model.name}"
    body = shlex.quote(_EXAMPLES[model.predictor.kind])
    return f"{base}/v1/models/{model.name}:predict -H 'content-type: application/json' -d {body}"
