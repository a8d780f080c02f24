"""The messages of V2 over gRPC, from the kserve package, without importing that.

``import kserve`` takes seconds and brings a server; the module with the messages needs protobuf alone. A process that
imports KServe too gets the same classes, since protobuf has one for each message.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from predictors.client.errors import ConfigurationError

_MODULE = "kserve.protocol.grpc.grpc_predict_v2_pb2"


def load_messages() -> ModuleType:
    """The module with the messages.

    Raises:
        ConfigurationError: the package is not installed.
    """
    if _MODULE in sys.modules:
        return sys.modules[_MODULE]
    package = importlib.util.find_spec("kserve")
    for folder in (package.submodule_search_locations or ()) if package else ():
        path = Path(folder, *_MODULE.split(".")[1:]).with_suffix(".py")
        spec = importlib.util.spec_from_file_location(_MODULE, path)
        if spec is not None and spec.loader is not None and path.exists():
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise ConfigurationError("gRPC needs the package kserve, which is not installed; install it, or use an http:// URL")
