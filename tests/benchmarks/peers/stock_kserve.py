"""KServe's own model server around scikit-learn, as its documentation shows a custom predictor.

Arguments: the port, the folder of the artifacts, and the models; iris and intent if none is named.
"""

import sys

port, artifacts, *names = sys.argv[1:]
sys.argv[1:] = ["--http_port", port, "--enable_grpc", "false"]

import joblib  # noqa: E402
import kserve  # noqa: E402


class SklearnModel(kserve.Model):  # type: ignore[misc]
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.load()

    def load(self) -> bool:
        self.model = joblib.load(f"{artifacts}/{self.name}/model.joblib")
        self.ready = True
        return self.ready

    async def predict(self, payload, headers=None, response_headers=None):  # type: ignore[no-untyped-def]
        return {
            "predictions": self.model.predict(payload["instances"]).tolist(),
        }


kserve.ModelServer().start([SklearnModel(name) for name in names or ("iris", "intent")])
