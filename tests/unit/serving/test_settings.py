from pathlib import Path

import pytest
import typer
from pydantic import ValidationError

from predictors.cli import flags
from predictors.cli.flags import SERVE_SETTINGS
from predictors.serving.access.settings import AccessSettings
from predictors.serving.settings import ServerSettings, Settings
from predictors.summarizer.engine.cpu import usable_cpus


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--trust_artifact"], ["--trust_artifact=true"]),
        (["--trust_artifact", "iris"], ["--trust_artifact=true", "iris"]),
        (["--trust-artifact", "false"], ["--trust_artifact", "false"]),
        (["--enable_grpc=False"], ["--enable_grpc=False"]),
        (["--http-port", "1", "iris"], ["--http_port", "1", "iris"]),
        (["--http_port=1"], ["--http_port=1"]),
        (["--unknown-flag"], ["--unknown-flag"]),
    ],
)
def test_flags_as_people_write_them(given: list[str], expected: list[str]) -> None:
    assert flags.normalize(given, SERVE_SETTINGS) == expected


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDICTORS_HTTP_PORT", "9")
    assert flags.build(ServerSettings, {}).http_port == 9
    assert flags.build(ServerSettings, {"http_port": "7"}).http_port == 7


@pytest.mark.parametrize(
    ("given", "variables", "port"),
    [
        ({}, {}, 8080),
        ({}, {"PORT": "9"}, 9),
        ({}, {"PORT": "9", "PREDICTORS_HTTP_PORT": "8"}, 8),
        ({}, {"PORT": "9", "PREDICTORS_HTTP_PORT": ""}, 9),
        ({}, {"PORT": ""}, 8080),
        ({"http_port": "7"}, {"PORT": "9", "PREDICTORS_HTTP_PORT": "8"}, 7),
        ({"http_port": "7"}, {"PORT": "tcp://10.0.0.1:80"}, 7),
        ({}, {"PORT": "tcp://10.0.0.1:80", "PREDICTORS_HTTP_PORT": "8"}, 8),
        ({}, {"HTTP_PORT": "9"}, 8080),
    ],
)
def test_port_comes_after_the_flag_and_its_own_variable(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], variables: dict[str, str], port: int
) -> None:
    for name in ("PORT", "PREDICTORS_HTTP_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = flags.build(ServerSettings, given)
    assert (settings.http_port, settings.grpc_port) == (port, 8081)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"PORT": "tcp://10.0.0.1:80"}, r"^PORT: .*'tcp://10.0.0.1:80'"),
        (
            {"PREDICTORS_HTTP_PORT": "tcp://10.0.0.1:80"},
            "because of the Service predictors-http; set enableServiceLinks",
        ),
        ({"PORT": "70000"}, r"^PORT: "),
        ({"PORT": "9", "PREDICTORS_HTTP_PORT": "x"}, r"^PREDICTORS_HTTP_PORT: .*'x'"),
    ],
)
def test_a_wrong_port_names_its_variable(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str) -> None:
    monkeypatch.delenv("PREDICTORS_HTTP_PORT", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(typer.BadParameter, match=says):
        flags.build(ServerSettings, {})


def test_a_wrong_value_names_its_flag_or_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(typer.BadParameter, match=r"--http_port: .*'abc'"):
        flags.build(ServerSettings, {"http_port": "abc"})
    monkeypatch.setenv("PREDICTORS_GRPC_PORT", "70000")
    with pytest.raises(typer.BadParameter, match="PREDICTORS_GRPC_PORT"):
        flags.build(ServerSettings, {})


# Addresses of servers that know who asks by a password in the address, and by nothing else.
_WITH_PASSWORD = ("cache_url", "limits_url")
_ADDRESSES = [
    (cls, name, variable)
    for cls in SERVE_SETTINGS
    for name in cls.model_fields
    if (name.endswith(("_url", "_endpoint")) or name == "jwt_keys") and name not in _WITH_PASSWORD
    for variable in flags._variables(cls, name)
]


def test_all_addresses_are_known() -> None:
    """A setting with another name that holds an address belongs in the list above."""
    assert {name for _, name, _ in _ADDRESSES} == {"jwt_keys", "otlp_endpoint", "request_log_url", "fallback_url"}
    told = [
        name for cls in SERVE_SETTINGS for name, field in cls.model_fields.items() if "://" in str(field.description)
    ]
    assert {*told} - {*_WITH_PASSWORD} == {name for _, name, _ in _ADDRESSES}


@pytest.mark.parametrize(("cls", "name", "variable"), _ADDRESSES)
@pytest.mark.parametrize(
    "address",
    [
        "https://me:hunter2@host/x",
        "https://:hunter2@host",
        "https://hunter2@host",
        "HTTPS://me:hunter2@host",
        " https://me:hunter2@host",
        "https://me:hun\nter2@host",
        "https://me:hunter2/9@host",  # of which nothing but the @ says that it is a password
        "https://me:hunter2@[host",
        "https:/me:hunter2@host",
        "me:hunter2@host/x",
    ],
)
def test_a_password_in_an_address_is_refused_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, cls: type[Settings], name: str, variable: str, address: str
) -> None:
    with pytest.raises(typer.BadParameter) as by_flag:
        flags.build(cls, {name: address})
    assert str(by_flag.value) == f"--{name}: it must not hold a user or a password, so no @ (in a path, write %40)"
    monkeypatch.setenv(variable, address)
    with pytest.raises(typer.BadParameter) as by_variable:
        flags.build(cls, {})
    assert (
        str(by_variable.value) == f"{variable}: it must not hold a user or a password, so no @ (in a path, write %40)"
    )
    with pytest.raises(ValidationError) as of_a_library:
        cls()
    assert "hunter2" not in str(of_a_library.value)


@pytest.mark.parametrize("name", sorted({*_WITH_PASSWORD, *(name for _, name, _ in _ADDRESSES)}))
def test_an_address_is_not_shown_with_the_settings(name: str) -> None:
    (cls,) = (cls for cls in SERVE_SETTINGS if name in cls.model_fields)
    shown = repr(flags.build(cls, {name: "https://host/secret"}))
    assert "secret" not in shown


def test_a_file_of_keys_may_have_any_name() -> None:
    assert flags.build(AccessSettings, {"jwt_keys": "/keys@1/jwks.json"}).jwt_keys == "/keys@1/jwks.json"


def test_every_setting_is_described_and_named_once() -> None:
    names = [name for cls in SERVE_SETTINGS for name in cls.model_fields]
    assert len(set(names)) == len(names)
    assert all(field.description for cls in SERVE_SETTINGS for field in cls.model_fields.values())


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 64),
        ({"cpu.max": "max 100000"}, 64),
        ({"cpu.max": "200000 100000"}, 2),
        ({"cpu.max": "150000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "nonsense"}, 64),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 64),
        ({"cpu.max": "99900000 100000"}, 64),
    ],
)
def test_usable_cpus_is_the_cgroups_quota(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], expected: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content + "\n")
    assert usable_cpus(tmp_path) == expected
