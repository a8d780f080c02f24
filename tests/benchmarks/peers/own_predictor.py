"""A predictor as a user would write it: scikit-learn's own forest behind this project's server.

Nearly all of its cost is fixed: milliseconds a call, microseconds a row. This is where micro-batching pays.
"""

import sys
from pathlib import Path

import joblib

from predictors.iris.model import FLOWER_CLASSES, IrisPredictor
from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.model.types import FeatureBatch, Job, Outputs
from predictors.serving.server import Server
from predictors.serving.settings import ServerSettings, Source


class ForestPredictor(IrisPredictor):
    """Random forest, computed by scikit-learn."""

    def load_artifact(self, artifact: Artifact) -> None:
        self.model = joblib.load(self.source.directory / "model.joblib")

    def infer(self, batch: FeatureBatch, job: Job) -> Outputs:
        probabilities = self.model.predict_proba(batch.features)
        best = probabilities.argmax(axis=1)
        return {"predict": best, "label": [FLOWER_CLASSES[i] for i in best.tolist()], "predict_proba": probabilities}


if __name__ == "__main__":
    port, artifacts, micro_batching = sys.argv[1:]
    settings = ServerSettings(
        host="127.0.0.1",
        http_port=int(port),
        enable_grpc=False,
        max_queue=1024,
        micro_batching="auto" if micro_batching == "auto" else "off",
    )
    Server([ForestPredictor("iris", Source(Path(artifacts) / "iris"))], settings, log_json=True).run()
