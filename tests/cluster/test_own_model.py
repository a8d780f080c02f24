"""A model of a user's own, served by the kind `sklearn`: packed, downloaded, asked through the gateway."""

from pathlib import Path

import joblib
import pytest
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.cluster.archives import digest, pack, serve
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Note, Releases
from tests.cluster.gateway import Gateway
from tests.cluster.namespaces import Namespaces
from tests.cluster.settings import Settings

pytestmark = pytest.mark.cluster
WINES = ("barolo", "grignolino", "barbera")
MODELS = {
    "scaled": make_pipeline(StandardScaler(), LogisticRegression(max_iter=5_000)),
    "boosted": HistGradientBoostingClassifier(max_iter=10, random_state=0),
}


def test_models_of_a_users_own(
    cluster: Cluster,
    gateway: Gateway,
    namespaces: Namespaces,
    releases: Releases,
    settings: Settings,
    tmp_path: Path,
    note: Note,
) -> None:
    data = load_wine()
    labels = [WINES[target] for target in data.target]
    for name, model in MODELS.items():
        joblib.dump(model.fit(data.data, labels), tmp_path / f"{name}.joblib")
        pack("sklearn", tmp_path / f"{name}.joblib", "1", tmp_path / name)
    url = serve(cluster, namespaces.create("own-files"), settings, {name: tmp_path / name for name in MODELS})
    values = {
        name: {"kind": "sklearn", "storageUri": f"{url}/{name}.tar.gz", "digest": digest(tmp_path / name)}
        for name in MODELS
    }
    with releases("own", {"models": values}) as release:
        for name, seconds in release.wait_ready([*MODELS]).items():
            note(f"{name}: Ready after a download: {seconds:.1f} s")
        rows = data.data[::20]
        for name, model in MODELS.items():
            with gateway.rest(name, release.namespace) as client:
                answer = client.post(f"/v1/models/{name}:predict", json={"instances": rows.tolist()})
            assert answer.status_code == 200, answer.text
            assert answer.json()["predictions"] == model.predict(rows).tolist()
