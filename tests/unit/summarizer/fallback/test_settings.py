"""Settings of the fallback that cannot be meant."""

import pytest
import typer

from predictors.cli.flags import parse
from predictors.summarizer.fallback.settings import FallbackSettings

URL = "https://api.example.com/v1"


@pytest.mark.parametrize(
    "url",
    [
        *(URL, "https://[2001:db8::1]:8443/v1", "http://localhost:8000/v1", "http://127.0.0.1/v1"),
        *("http://llm.models.svc/v1", "http://llm.models.svc.cluster.local:80/openai/v1", "http://[::1]:1"),
    ],
)
def test_urls(url: str) -> None:
    assert FallbackSettings(fallback_url=f"{url}/").fallback_url == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://api.example.com/v1", "http:// is for this machine and for Services of the cluster"),
        ("http://api.svc.example.com", "http:// is for this machine"),
        ("http://10.0.0.1/v1", "http:// is for this machine"),
        ("http://localhost.example.com", "http:// is for this machine"),
        ("https://api.example.com?key=secret", "without a query"),
        ("https://api.example.com/v1?key=secret", "a query"),
        ("https://api.example.com/v1#secret", "a fragment"),
        ("ftp://api.example.com", "begins with https://"),
        (f"{URL}/chat/completions/", "leave out /chat/completions"),
        ("api.example.com", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://[::1", "not a URL"),
        ("https://api.example.com:port", "not a URL"),
    ],
)
def test_urls_that_are_refused(url: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(typer.BadParameter, match=f"--fallback_url: .*{says}") as caught:
        parse(["summarizer"], {"fallback_url": url, "fallback_model": "big"})
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("PREDICTORS_FALLBACK_URL", url)
    with pytest.raises(typer.BadParameter, match=f"PREDICTORS_FALLBACK_URL: .*{says}") as caught:
        parse(["summarizer"], {})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("given", [{"fallback_url": URL}, {"fallback_model": "big"}])
def test_one_without_the_other(given: dict[str, str]) -> None:
    with pytest.raises(typer.BadParameter, match=r"--fallback_url and --fallback_model, .* need each other"):
        parse(["summarizer"], given)


def test_only_the_summarizer_has_one() -> None:
    with pytest.raises(typer.BadParameter, match="--fallback_url is for summarizer, which is not served"):
        parse(["iris"], {"fallback_url": URL})


def test_it_is_off() -> None:
    options = parse(["summarizer"], {})
    assert options.fallback is not None
    assert options.fallback.fallback_url == ""
    assert parse(["iris"], {}).fallback is None
