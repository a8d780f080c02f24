"""FastAPI and scikit-learn's ``predict``, as such services are usually written."""

import sys

import joblib
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

models = {name: joblib.load(f"{sys.argv[2]}/{name}/model.joblib") for name in ("iris", "intent")}
app = FastAPI()


class Request(BaseModel):
    instances: list[list[float]] | list[str]


@app.post("/v1/models/{name}:predict")
def predict(name: str, request: Request) -> dict[str, list[object]]:
    model = models[name]
    return {
        "predictions": model.predict(request.instances).tolist(),
    }


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False)
