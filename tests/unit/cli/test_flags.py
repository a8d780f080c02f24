"""Flags of `predictors serve`, told from its other arguments."""

import pytest
import typer
from rich.console import Console

from predictors.cli import flags
from predictors.cli.flags import SERVE_SETTINGS


@pytest.mark.parametrize(
    ("arguments", "given", "others"),
    [
        ([], {}, []),
        (["iris", "--http_port", "1", "intent"], {"http_port": "1"}, ["iris", "intent"]),
        (["--http-port=1", "--host", "::1"], {"http_port": "1", "host": "::1"}, []),
        (["--trust_artifact", "iris"], {"trust_artifact": "true"}, ["iris"]),
        (["--enable-grpc", "false", "iris"], {"enable_grpc": "false"}, ["iris"]),
        (["--model_name="], {"model_name": ""}, []),
        (["--cors_origins", "--host"], {"cors_origins": "--host"}, []),
        (["--http_port", "1", "--http_port", "2"], {"http_port": "2"}, []),
        (["--help", "-x"], {}, ["--help", "-x"]),
    ],
)
def test_flags_are_told_from_models(arguments: list[str], given: dict[str, str], others: list[str]) -> None:
    assert flags.split(arguments, SERVE_SETTINGS) == (given, others)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--http_prt", "1"], r"there is no flag --http_prt; did you mean --http_port\?"),
        (["--http_por=1"], r"there is no flag --http_por; did you mean --http_port\?"),
        (["--xyzzy"], r"there is no flag --xyzzy$"),
        (["iris", "--http_port"], "--http_port needs a value"),
    ],
)
def test_flags_that_cannot_be_understood(arguments: list[str], says: str) -> None:
    with pytest.raises(typer.BadParameter, match=says):
        flags.split(arguments, SERVE_SETTINGS)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"request_log_redact": "salary"}, "--request_log_redact needs --request_log_url or --request_log_file"),
        ({"request_log_file": "", "request_log_documents": "true"}, "--request_log_file needs"),
        ({"request_log_file": "x", "request_log_namespace": "shop\r\nx: y"}, "--request_log_namespace: "),
        ({"request_log_file": "x", "request_log_namespace": "shop\n"}, "--request_log_namespace: "),
        ({"request_log_file": "x", "request_log_sample_ratio": "1.5"}, "--request_log_sample_ratio: "),
    ],
)
def test_flags_of_the_request_log_that_do_not_go_together(given: dict[str, str], says: str) -> None:
    with pytest.raises(typer.BadParameter, match=says):
        flags.parse(["iris"], given)


def test_names_to_redact_are_split_at_commas() -> None:
    options = flags.parse(["iris"], {"request_log_file": "x", "request_log_redact": " age, text ,"})
    assert options.request_log.request_log_redact == ("age", "text")


@pytest.mark.parametrize("width", [80, 200])
def test_help_names_flags_variables_and_defaults_whole(width: int) -> None:
    console = Console(width=width)
    with console.capture() as capture:
        for cls in SERVE_SETTINGS:
            console.print(flags.panel(cls))
    words = capture.get().split()
    for name in (name for cls in SERVE_SETTINGS for name in cls.model_fields):
        assert f"--{name}" in words
        assert f"PREDICTORS_{name.upper()}" in words
    text = " ".join(capture.get().replace("│", " ").split())
    assert "Port for gRPC (V2). PREDICTORS_GRPC_PORT [default: 8081]" in text
    assert "PREDICTORS_ENABLE_GRPC [default: true]" in text
    assert "if not given, the variable PORT counts. PREDICTORS_HTTP_PORT [default: 8080]" in text
    assert "PREDICTORS_MODEL_NAME [default" not in text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"model_store": "store", "model_dir": "iris"}, "--model_dir and --model_store exclude each other"),
        ({"model_store": "store", "artifact_digest": "sha256:"}, "--artifact_digest and --model_store exclude"),
        ({"model_store": "store", "gguf": "x.gguf"}, "--gguf and --model_store exclude each other"),
        ({"model_loading": "eager"}, "--model_loading is for --model_store, which is not given"),
        ({"max_loaded_bytes": "1"}, "--max_loaded_bytes is for --model_store, which is not given"),
        ({"model_store": "store", "model_loading": "late"}, "--model_loading: Input should be 'lazy' or 'eager'"),
        ({"model_store": "store", "max_loaded_bytes": "0"}, "--max_loaded_bytes: "),
    ],
)
def test_flags_of_a_store_that_make_no_sense(given: dict[str, str], says: str) -> None:
    with pytest.raises(typer.BadParameter, match=says):
        flags.parse(["iris"], given)


def test_a_variable_that_names_one_artifact_does_not_go_with_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDICTORS_ARTIFACTS_DIR", "artifacts")  # it does no harm
    flags.parse(["iris"], {"model_store": "store"})
    monkeypatch.setenv("PREDICTORS_MODEL_DIR", "iris")
    with pytest.raises(typer.BadParameter, match="PREDICTORS_MODEL_DIR and --model_store exclude each other"):
        flags.parse(["iris"], {"model_store": "store"})


def test_a_store_may_hold_any_kind() -> None:
    options = flags.parse(["iris"], {"model_store": "store", "unknown_threshold": "0.5", "slots": "2"})
    assert options.summarizer is not None
    assert options.intent is not None
    assert flags.parse(["iris"], {}).store.model_store is None
