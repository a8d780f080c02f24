"""The few names of the kserve package that serving needs, without the cost of `import kserve`.

``kserve/__init__.py`` imports the Kubernetes API client, the model server (whose argument parser reads ``sys.argv``
at import and exits on flags that it mistakes for its own) and FastAPI's application. Serving needs one base class and
the gRPC messages. So the package is put into ``sys.modules`` without running its ``__init__``, which runs unchanged as
soon as a name that it defines is looked up on the package.

Some of its modules import pandas, name it in annotations, and use it in conversions that serving never calls. It is
slow to import, and weighs 80 MB in an image. So those modules get a stand-in that imports pandas when it is first
used; without pandas, only that use fails.

``python -X importtime -m predictors.serving.model.kserve_api`` shows what is still imported.
"""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any


class _DeferredPackage(ModuleType):
    """A package whose ``__init__`` runs when another module looks up a name on it."""

    in_parts = True
    """True during the imports below, where a missing name is a submodule that is not imported yet."""

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        if self.in_parts or name.startswith("__") or spec is None or spec.loader is None:
            raise AttributeError(f"module 'kserve' has no attribute {name!r}")
        self.__class__ = ModuleType  # type: ignore[assignment]  # once only: __init__ itself must see a plain module
        spec.loader.exec_module(self)
        return getattr(self, name)


class _DeferredPandas(ModuleType):
    """Pandas for KServe's modules: any name during the imports below, the real one afterwards."""

    in_annotations = True
    """True during the imports below, which evaluate annotations."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module 'pandas' has no attribute {name!r}")
        return object if self.in_annotations else getattr(importlib.import_module("pandas"), name)


def _defer_package_init() -> None:
    if "kserve" in sys.modules:
        return
    spec = importlib.util.find_spec("kserve")
    if spec is None:
        raise ModuleNotFoundError("No module named 'kserve'", name="kserve")
    package = _DeferredPackage("kserve")
    package.__spec__ = spec
    package.__loader__ = spec.loader
    package.__file__ = spec.origin
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules["kserve"] = package


_defer_package_init()
_pandas = None if "pandas" in sys.modules else _DeferredPandas("pandas")
if _pandas is not None:
    sys.modules["pandas"] = _pandas
try:
    from kserve.errors import InvalidInput as KServeInvalidInput
    from kserve.model import Model
    from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
    from kserve.protocol.infer_type import InferOutput, InferRequest, InferResponse
finally:
    _DeferredPackage.in_parts = False
    if _pandas is not None:
        _DeferredPandas.in_annotations = False
        del sys.modules["pandas"]  # for everyone else, the real one

__all__ = ["InferOutput", "InferRequest", "InferResponse", "KServeInvalidInput", "Model", "pb"]
