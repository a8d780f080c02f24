import io
import logging

import joblib
import pytest
import sklearn
from sklearn.ensemble import RandomForestClassifier

from predictors.serving.artifacts.joblib_file import load_joblib
from predictors.serving.errors import ArtifactError


def dumped(model: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def test_a_file_of_another_version_is_read_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    raw = dumped(RandomForestClassifier(20).fit([[0.0], [1.0]], [0, 1]))
    current = sklearn.__version__.encode()
    other = raw.replace(current, b"0" * len(current))
    assert other != raw
    with caplog.at_level(logging.WARNING):
        assert load_joblib(other).predict([[0.0]]).tolist() == [0]
    [record] = caplog.records
    assert record.getMessage() == (
        f"the joblib file was made with scikit-learn {'0' * len(current)}, and is read with {sklearn.__version__}: "
        "answers may differ"
    )


def test_code_that_is_not_installed_is_named() -> None:
    with pytest.raises(ArtifactError, match="needs code that is not here: No module named 'not_installed_here'"):
        load_joblib(b"cnot_installed_here\nModel\n.")


@pytest.mark.parametrize("raw", [b"", b"not a model", b"\x80\x04nonsense"])
def test_what_is_no_model_is_refused(raw: bytes) -> None:
    with pytest.raises(ArtifactError, match="the joblib file cannot be read"):
        load_joblib(raw)
