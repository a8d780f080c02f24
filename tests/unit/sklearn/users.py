"""Models as users bring them: fitted scikit-learn estimators of many kinds, and rows to ask them."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC

TEXTS = [
    "The parcel came a week late and the box was torn.",
    "Lovely shop, the staff could not be kinder!",
    "How do I change the address of an order?",
    "don't ever buy here — they've kept my 20€",
    "It's a good product; I'd buy it again.",
    "Where can I find the invoice for May?",
    "Terrible. Broken on arrival, no answer for weeks.",
    "Thanks so much, it fits perfectly.",
    "Is the café open on Sunday?",
]
TOPICS = ["bad", "good", "question"] * 3
MIXED = pd.DataFrame(
    {
        "age": [23.0, 41.5, 35.0, 62.0, 29.0, 54.0, 47.0, 31.0],
        "plan": ["basic", "pro", "basic", "team", "pro", "team", "basic", "pro"],
        "seats": [1.0, 3.0, 1.0, 12.0, 2.0, 30.0, 1.0, 4.0],
    }
)
LEFT = [1, 0, 1, 0, 0, 0, 1, 0]


class User(NamedTuple):
    """A fitted model and what to ask it.

    Args:
        model: the estimator.
        rows: as scikit-learn takes them.
        instances: the same, as V1 takes them.
    """

    model: Any
    rows: Any
    instances: list[Any]


def _tabular(model: Any, rows: Any) -> User:
    return User(model, rows, np.asarray(rows).tolist())


def _wine(model: Any, names: Any = None) -> User:
    x, y = load_wine(return_X_y=True)
    return _tabular(model.fit(x, y if names is None else np.array(names)[y]), x[::9])


def _cancer(model: Any) -> User:
    x, y = load_breast_cancer(return_X_y=True)
    return _tabular(model.fit(x, y == 1), x[::40])


def _diabetes(model: Any) -> User:
    x, y = load_diabetes(return_X_y=True)
    return _tabular(model.fit(x, y), x[::40])


def _text(model: Any, labels: list[Any] = TOPICS) -> User:
    return User(model.fit(TEXTS, labels), TEXTS, TEXTS)


def _columns() -> User:
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "seats"]),
            ("plan", OneHotEncoder(handle_unknown="ignore"), ["plan"]),
        ]
    )
    model = Pipeline([("prepare", prepare), ("model", LogisticRegression())]).fit(MIXED, LEFT)
    return User(model, MIXED, MIXED.to_dict("records"))


def _outliers() -> User:
    x, _ = load_wine(return_X_y=True)
    return _tabular(IsolationForest(n_estimators=20, random_state=0).fit(x), x[::9] * 1.3)


def _two_targets() -> User:
    x, y = load_diabetes(return_X_y=True)
    return _tabular(LinearRegression().fit(x, np.stack([y, -2 * y], axis=1)), x[::40])


def _likely() -> User:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # deprecated since 1.9, and still what users have
        return _wine(make_pipeline(StandardScaler(), SVC(probability=True, random_state=0)))


WINES = ("barolo", "grignolino", "barbera")
USERS: Mapping[str, Callable[[], User]] = {
    "wine forest": lambda: _wine(RandomForestClassifier(20, random_state=0)),
    "string labels": lambda: _wine(RandomForestClassifier(20, random_state=0), WINES),
    "scaler pipeline": lambda: _wine(make_pipeline(StandardScaler(), LogisticRegression())),
    "gradient boosting": lambda: _wine(GradientBoostingClassifier(n_estimators=10, random_state=0)),
    "histogram gradient boosting": lambda: _wine(HistGradientBoostingClassifier(max_iter=10, random_state=0)),
    "logistic regression": lambda: _wine(LogisticRegression(max_iter=5000)),
    "SVC with probabilities": _likely,
    "calibrated SVC": lambda: _wine(make_pipeline(StandardScaler(), CalibratedClassifierCV(SVC(), ensemble=False))),
    "SVC": lambda: _wine(make_pipeline(StandardScaler(), SVC())),
    "nearest neighbours": lambda: _wine(KNeighborsClassifier()),
    "linear regressor": lambda: _diabetes(LinearRegression()),
    "forest regressor": lambda: _diabetes(RandomForestRegressor(10, random_state=0)),
    "boosting regressor": lambda: _diabetes(GradientBoostingRegressor(n_estimators=10, random_state=0)),
    "TF-IDF and logistic regression": lambda: _text(make_pipeline(TfidfVectorizer(), LogisticRegression())),
    "naive Bayes of texts": lambda: _text(make_pipeline(CountVectorizer(), MultinomialNB())),
    "linear SVC of texts": lambda: _text(make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LinearSVC())),
    "binary sentiment": lambda: _text(
        make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression()), [0, 1, 0, 0, 1, 0, 0, 1, 1]
    ),
    "columns of a data frame": _columns,
    "neural network": lambda: _wine(
        make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=2000, random_state=0))
    ),
    "isolation forest": _outliers,
    "two targets": _two_targets,
    "boolean labels": lambda: _cancer(make_pipeline(StandardScaler(), LogisticRegression())),
}
