"""The page for people: it loads nothing from elsewhere, and all that it asks for is there."""

import re

import httpx
import pytest

PATHS = ("/docs", "/docs/docs.js", "/docs/docs.css")


@pytest.mark.parametrize("path", PATHS)
def test_nothing_comes_from_elsewhere(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert answer.headers["etag"]
    assert not re.search(r"""https?:|["'(=]\s*//\w""", answer.text), "a URL of another server"
    policy = dict(rule.strip().split(" ", 1) for rule in answer.headers["content-security-policy"].split(";"))
    assert policy.pop("default-src") == "'none'"
    assert set(policy.values()) == {"'self'", "'none'", "'script'"}
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_the_page_loads_is_there(http: httpx.Client) -> None:
    page = http.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in page.text
    assert "style=" not in page.text
    loaded = re.findall(r"""(?:src|href)="([^"#]+)\"""", page.text)
    types = {name: http.get(f"/{name}").headers["content-type"].split(";")[0] for name in loaded}
    scripts_and_styles = {"docs/docs.css": "text/css", "docs/docs.js": "text/javascript"}
    assert types == {"docs/icon.svg": "image/svg+xml", "openapi.json": "application/json", **scripts_and_styles}


def test_the_script_uses_only_elements_that_the_page_has(http: httpx.Client) -> None:
    page, script = http.get("/docs").text, http.get("/docs/docs.js").text
    wanted = set(re.findall(r'getElementById\("(\w+)"\)', script))
    assert wanted
    assert wanted == set(re.findall(r'id="(\w+)"', page))
    assert "innerHTML" not in script


def test_requests_that_the_page_starts_with_are_answered(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    examples = {
        path: body["example"]
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for body in operation.get("requestBody", {}).get("content", {}).values()
        if "example" in body and "{" not in path
    }
    assert set(examples) == {"/v2/models/iris/infer", "/v2/models/intent/infer"}
    for path, example in examples.items():
        assert http.post(path, json=example).status_code == 200


def test_other_files_are_not_there(http: httpx.Client) -> None:
    assert http.get("/docs/index.html").status_code == 404
    assert http.get("/docs/../routes.py").status_code == 404
