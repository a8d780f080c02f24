"""compose.yaml: what Compose itself does not check."""

import re
from typing import Any

import pytest
import yaml

from predictors import __version__
from predictors.cli import flags
from tests.live import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "mem_limit", "pids_limit"} <= set(service)
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert all(volume.endswith(":ro") for volume in service.get("volumes", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_waited_for_says_how_it_is(name: str) -> None:
    for awaited, how in SERVICES[name].get("depends_on", {}).items():
        assert how["condition"] == "service_started" or "healthcheck" in SERVICES[awaited]


@pytest.mark.parametrize("name", SERVICES)
def test_files_that_are_mounted_exist(name: str) -> None:
    for volume in SERVICES[name].get("volumes", ()):
        assert (ROOT / volume.split(":")[0]).exists()


def test_the_server_takes_its_flags_and_ends_before_it_is_killed() -> None:
    given, others = flags.split(list(SERVICES["server"]["command"]), flags.SERVE_SETTINGS)
    assert not others
    settings = flags.parse(["iris", "intent", "summarizer"], given).server
    assert settings.cache_url.startswith("redis://valkey:")
    assert settings.drain_seconds + settings.grace_seconds < 10  # Compose's own limit


def test_the_image_is_of_this_version() -> None:
    [version] = re.findall(r"/all:\$\{TAG:-([\d.]+)\}", SERVICES["server"]["image"])
    assert version == __version__


def test_prometheus_and_grafana_ask_who_is_there() -> None:
    scraped = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    rules = [f"/etc/prometheus/{file}" for file in scraped["rule_files"]]
    assert rules == [volume.split(":")[1] for volume in SERVICES["prometheus"]["volumes"][1:]]
    [target] = scraped["scrape_configs"][0]["static_configs"][0]["targets"]
    [source] = yaml.safe_load((ROOT / "deploy/compose/grafana/datasources/prometheus.yml").read_text())["datasources"]
    for address in (target, source["url"].removeprefix("http://")):
        name, _, port = address.partition(":")
        assert any(mapping.endswith(f":{port}") for mapping in SERVICES[name]["ports"])
