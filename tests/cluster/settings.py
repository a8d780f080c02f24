"""Where the cluster is, from the environment."""

import os
import shutil
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from predictors import __version__

SWITCH = "PREDICTORS_CLUSTER"


@dataclass(frozen=True)
class Address:
    """A TCP address."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        host, _, port = text.rpartition(":")
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Settings:
    """The environment, read once; the package's docstring describes each variable."""

    gateway: Address
    gateway_tls: Address
    gateway_ca: str  # PEM
    domain: str
    registry: str
    tag: str
    adapter_namespace: str
    adapter_name: str
    kserve_version: str
    knative_gateway: Address | None = None  # None: Kourier's Service
    here: str = ""  # IPv4 address; empty: towards a node
    load: str = ""  # command


def missing(environment: Mapping[str, str]) -> str:
    """Why the tests cannot run here, or nothing."""
    if environment.get(SWITCH) != "1":
        return f"the cluster's tests run with {SWITCH}=1 only (make test-cluster)"
    if not environment.get("KUBECONFIG"):
        return "KUBECONFIG names no cluster"
    absent = [program for program in ("helm", "kubectl") if shutil.which(program) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def read_settings() -> Settings:
    get = os.environ.get
    gateway_tls = Address.parse(get("PREDICTORS_GATEWAY_TLS", "127.0.0.1:10443"))
    namespace, _, name = get("PREDICTORS_ADAPTER", "monitoring/prometheus-adapter").partition("/")
    knative = get("PREDICTORS_KNATIVE_GATEWAY", "")
    return Settings(
        gateway=Address.parse(get("PREDICTORS_GATEWAY", "127.0.0.1:10080")),
        gateway_tls=gateway_tls,
        gateway_ca=_certificate(get("PREDICTORS_GATEWAY_CA", ""), gateway_tls),
        domain=get("PREDICTORS_DOMAIN", "example.com"),
        registry=get("PREDICTORS_REGISTRY", "docker.io/kserve-predictors"),
        tag=get("PREDICTORS_TAG", __version__),
        adapter_namespace=namespace,
        adapter_name=name,
        kserve_version=get("PREDICTORS_KSERVE_VERSION", "0.20"),
        knative_gateway=Address.parse(knative) if knative else None,
        here=get("PREDICTORS_HERE", ""),
        load=get("PREDICTORS_LOAD", ""),
    )


def _certificate(path: str, address: Address) -> str:
    if path:
        return Path(path).read_text("ascii")
    return ssl.get_server_certificate((address.host, address.port), timeout=30)
