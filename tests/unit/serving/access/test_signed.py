"""JWTs: those of the issuer, and those that somebody made up."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from predictors.serving.access.caller import Caller
from predictors.serving.access.door import Door
from predictors.serving.access.jwks import FileKeys, UrlKeys, parse_keys
from predictors.serving.access.settings import AccessSettings
from predictors.serving.access.signed import SignedTokens
from predictors.serving.access.token_file import digest_of
from predictors.serving.errors import StartupError, Unauthenticated, Unavailable
from tests.unit.serving.access.issuer import AUDIENCE, ISSUER, Issuer, KeyServer, jwks, key_server, segment
from tests.unit.serving.access.mounted import mount

RSA, EC, ED, OTHER = Issuer(), Issuer("ES256"), Issuer("EdDSA"), Issuer()
PS = Issuer("PS256")
INVALID = "the token is not valid"


class Checker:
    """Checks tokens with keys in a file.

    Args:
        path: of the file; it is made unless it is there.
        clock: seconds since 1970.
        settings: that differ from those of the issuer.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time, **settings: Any) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(jwks(RSA.jwk(), EC.jwk("ec"), ED.jwk("ed"), PS.jwk("ps")))
        self.source = FileKeys(path)
        given = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "jwt_keys": str(path), **settings}
        self.signed = SignedTokens(AccessSettings(**given), self.source, clock)

    def find(self, token: str) -> Caller:
        return asyncio.run(self.signed.find(token, digest_of(token)))

    def refusal(self, token: str) -> str:
        with pytest.raises(Unauthenticated) as caught:
            self.find(token)
        assert caught.value.code == "invalid_token"
        return str(caught.value)


@pytest.fixture
def checker(tmp_path: Path) -> Checker:
    return Checker(tmp_path / "jwks.json")


@pytest.mark.parametrize(("issuer", "kid"), [(RSA, "one"), (EC, "ec"), (ED, "ed")])
def test_the_issuers_tokens_are_taken(checker: Checker, issuer: Issuer, kid: str) -> None:
    found = checker.find(issuer.token(kid))
    assert found.key == "jwt:shop"
    assert found.may_use("anything")
    assert not found.grant.repository


def test_a_claim_says_what_a_token_allows(tmp_path: Path) -> None:
    checker = Checker(tmp_path / "jwks.json", jwt_models_claim="scope")
    found = checker.find(RSA.token(scope="openid iris +repository"))
    assert (found.may_use("iris"), found.may_use("intent"), found.grant.repository) == (True, False, True)
    assert not checker.find(RSA.token()).may_use("iris")  # without the claim, nothing


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"exp": time.time() - 40}, "the token has expired; get a new one"),
        ({"nbf": time.time() + 4000}, "the token is not valid yet"),
        ({"iat": time.time() + 4000}, "the token is not valid yet"),
        ({"aud": "other"}, "the token is for another audience"),
        ({"aud": ["other", "another"]}, "the token is for another audience"),
        ({"iss": ISSUER + "/"}, "the token is from another issuer"),
        ({"exp": None}, "the token lacks a claim; needed are exp, iss, aud, sub"),
        ({"sub": None}, "the token lacks a claim; needed are exp, iss, aud, sub"),
        ({"aud": None}, "the token lacks a claim; needed are exp, iss, aud, sub"),
        ({"exp": "never"}, INVALID),
        ({"exp": 1e400}, INVALID),
        ({"exp": 10**400}, INVALID),
        ({"exp": "1" * 400}, INVALID),
        ({"exp": str(int(time.time()) - 40)}, "the token has expired; get a new one"),
        ({"sub": 7}, INVALID),
        ({"sub": ""}, "the token's subject is not a printable text of at most 256 characters"),
        ({"sub": "s" * 257}, "the token's subject is not a printable text of at most 256 characters"),
        ({"sub": "shop\nbatch"}, "the token's subject is not a printable text of at most 256 characters"),
        ({"sub": "\ud800"}, "the token's subject is not a printable text of at most 256 characters"),
    ],
)
def test_claims_that_are_not_right(checker: Checker, claims: dict[str, Any], says: str) -> None:
    assert checker.refusal(RSA.token(**claims)) == says


def test_an_expiry_may_be_digits_in_a_text(checker: Checker) -> None:
    assert checker.find(RSA.token(exp=str(int(time.time()) + 60))).key == "jwt:shop"


def test_clocks_may_differ_a_little(checker: Checker) -> None:
    assert checker.find(RSA.token(exp=time.time() - 20)).key == "jwt:shop"
    assert checker.find(RSA.token(nbf=time.time() + 20)).key == "jwt:shop"


def signed_by_hand(header: dict[str, Any], key: bytes, method: str = "sha256") -> str:
    now = time.time()
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "admin", "exp": now + 3600}
    signing = f"{segment(header)}.{segment(claims)}"
    return f"{signing}.{segment(hmac.new(key, signing.encode(), method).digest())}"


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "", None, "HS256", "RS384", "ES256", 7, ["RS256"]])
def test_algorithms_that_are_not_allowed_or_not_the_keys(checker: Checker, algorithm: Any) -> None:
    """Alg confusion: nothing signed, a public key taken for a secret, a key taken for one of another kind."""
    header = {"alg": algorithm, "typ": "JWT", "kid": "one"}
    token = signed_by_hand(header, RSA.pem())
    assert checker.refusal(token) == INVALID
    assert checker.refusal(token.rpartition(".")[0] + ".") == INVALID


def test_an_algorithm_that_is_asked_for_needs_a_key_of_its_kind(tmp_path: Path) -> None:
    checker = Checker(tmp_path / "jwks.json", jwt_algorithms="PS256,RS256")
    assert checker.find(PS.token("ps")).key == "jwt:shop"
    assert checker.refusal(EC.token("ec")) == INVALID
    checker.path.write_bytes(jwks(PS.jwk("ps", alg="RS256")))  # a key that is for RS256 only
    checker.source._file.reload_if_changed()
    assert checker.refusal(PS.token("ps")) == INVALID


def test_what_a_token_says_of_its_own_key_is_ignored(checker: Checker) -> None:
    own = {"jwk": OTHER.jwk("own"), "jku": "http://169.254.169.254/keys", "x5u": "http://127.0.0.1:1/x"}
    assert checker.refusal(OTHER.token("one", headers=own)) == INVALID
    assert checker.refusal(OTHER.token("own", headers=own)) == INVALID
    assert checker.refusal(RSA.token("one", headers={"crit": ["exp"], "exp": 1})) == INVALID


@pytest.mark.parametrize("kid", [None, "", "two", "../one", "one\x00", "k" * 3000])
def test_keys_that_are_not_there(checker: Checker, kid: str | None) -> None:
    assert checker.refusal(RSA.token(kid)) == INVALID


def test_a_single_key_needs_no_name(checker: Checker) -> None:
    checker.path.write_bytes(jwks(RSA.jwk()))
    checker.source._file.reload_if_changed()
    assert checker.find(RSA.token(None)).key == "jwt:shop"


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b.c", "eyJ.eyJ.x", f"{segment([])}.{segment({})}.x", f"{segment(b'[' * 4000)}.x.y", "ü.ü.ü"],
)
def test_what_is_no_token(checker: Checker, token: str) -> None:
    assert checker.refusal(token) == INVALID


def test_a_huge_token_is_not_even_read(checker: Checker, monkeypatch: pytest.MonkeyPatch) -> None:
    token = RSA.token(padding="p" * 8192)
    monkeypatch.setattr("jwt.get_unverified_header", None)
    assert checker.refusal(token) == INVALID


def test_a_changed_token_is_refused(checker: Checker) -> None:
    head, body, signature = RSA.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    assert checker.refusal(f"{head}.{segment({**claims, 'sub': 'admin'})}.{signature}") == INVALID


def test_what_was_checked_is_remembered_until_it_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [time.time()]
    checker = Checker(tmp_path / "jwks.json", lambda: clock[0])
    token = RSA.token(exp=time.time() + 60)
    assert checker.find(token).key == "jwt:shop"
    with monkeypatch.context() as patched:
        patched.setattr("jwt.decode", None)
        assert checker.find(token).key == "jwt:shop"
        clock[0] += 89
        assert checker.find(token).key == "jwt:shop"
        clock[0] += 2
        with pytest.raises(TypeError):
            checker.find(token)


def test_what_a_key_signed_goes_with_it(checker: Checker) -> None:
    token = RSA.token()
    assert checker.find(token).key == "jwt:shop"
    checker.path.write_bytes(jwks(OTHER.jwk("two")))
    checker.source._file.reload_if_changed()
    assert checker.refusal(token) == INVALID
    assert checker.find(OTHER.token("two")).key == "jwt:shop"


@pytest.mark.parametrize(
    ("entry", "usable"),
    [
        (RSA.jwk(), True),
        (RSA.jwk(use="enc"), False),
        (RSA.jwk(alg="RS512"), True),
        (RSA.jwk(alg="HS256"), False),
        (RSA.jwk(alg="RSA-OAEP"), False),
        (RSA.jwk(alg=["RS256"]), False),
        (EC.jwk(crv=["P-256"]), False),
        (RSA.jwk(n="AQAB"), False),
        (RSA.jwk(n=7), False),
        (Issuer(bits=1024).jwk(), False),
        (EC.jwk(crv="P-384"), False),
        (EC.jwk(crv=None), False),
        ({"kty": "oct", "k": "c2VjcmV0", "kid": "one"}, False),
        ({"kty": "RSA", "kid": "one"}, False),
        ("one", False),
    ],
)
def test_keys_that_can_be_used(entry: Any, usable: bool) -> None:
    raw = json.dumps({"keys": [entry, ED.jwk("ed")]}).encode()
    assert set(parse_keys(raw)) == ({"one", "ed"} if usable else {"ed"})


def test_a_config_map_of_keys_is_replaced_while_the_server_runs(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    mount(path, "..1", jwks(RSA.jwk()))
    checker = Checker(path)
    assert checker.find(RSA.token()).key == "jwt:shop"
    checker.refusal(OTHER.token("two"))
    mount(path, "..2", jwks(OTHER.jwk("two")))
    assert checker.find(OTHER.token("two")).key == "jwt:shop"
    checker.refusal(RSA.token())
    mount(path, "..3", b"{}")
    assert checker.find(OTHER.token("two")).key == "jwt:shop"


def test_a_private_key_in_a_jwks_is_no_key() -> None:
    import jwt

    private = {**jwt.get_algorithm_by_name("ES256").to_jwk(EC.private, as_dict=True), "kid": "ec"}
    assert "d" in private
    with pytest.raises(ValueError, match="it has no public key for signatures"):
        parse_keys(jwks(private))


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"null", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [1]}'])
def test_what_is_no_jwks(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"^it"):
        parse_keys(raw)


def by_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: Callable[[KeyServer, "Url"], Awaitable[None]]
) -> None:
    with key_server(tmp_path) as keys:
        monkeypatch.setenv("SSL_CERT_FILE", str(keys.authority))
        asyncio.run(asyncio.wait_for(_with_url(keys, scenario), 60))


async def _with_url(keys: KeyServer, scenario: Callable[[KeyServer, "Url"], Awaitable[None]]) -> None:
    await scenario(keys, Url(keys.url))


class Url:
    """Checks tokens with keys from an URL, in virtual time."""

    def __init__(self, url: str) -> None:
        self.now = 100.0
        self.errors: list[str] = []
        self.source = UrlKeys(url, self.errors.append, lambda: self.now)
        settings = AccessSettings(jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_keys=url)
        self._signed = SignedTokens(settings, self.source)

    async def is_valid(self, token: str) -> bool:
        try:
            return (await self._signed.find(token, digest_of(token))).key == "jwt:shop"
        except Unauthenticated:
            return False


def test_new_keys_are_asked_for_and_old_ones_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(keys: KeyServer, url: Url) -> None:
        keys.answer = 200, jwks(RSA.jwk())
        assert await url.is_valid(RSA.token())
        assert await url.is_valid(RSA.token(iat=None))
        assert keys.asked == 1
        keys.answer = 200, jwks(RSA.jwk(), OTHER.jwk("two"))
        assert not await url.is_valid(OTHER.token("two"))  # asked a moment ago
        url.now += 10
        assert await url.is_valid(OTHER.token("two"))
        keys.answer = 200, jwks(OTHER.jwk("two"))
        url.now += 10
        await url.source.ask_again()
        assert not await url.is_valid(RSA.token())
        assert keys.asked == 3

    by_url(tmp_path, monkeypatch, scenario)


def test_a_flood_of_unknown_keys_asks_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(keys: KeyServer, url: Url) -> None:
        keys.answer = 200, jwks(RSA.jwk())
        assert await url.is_valid(RSA.token())
        url.now += 10
        made_up = [OTHER.token(f"kid-{number}") for number in range(20)]
        assert not any(await asyncio.gather(*map(url.is_valid, made_up)))
        for token in made_up:
            assert not await url.is_valid(token)
        assert keys.asked == 2

    by_url(tmp_path, monkeypatch, scenario)


@pytest.mark.parametrize(
    ("answer", "headers", "says"),
    [
        ((500, b"no"), {}, "status 500"),
        ((302, b""), {"location": "http://169.254.169.254/keys"}, "status 302"),
        ((200, b"<html>"), {}, "it is not a JWKS, an object with a list of keys"),
        ((200, b" " * 300_000), {}, "an answer of more than 262144 bytes"),
        ((200, jwks({"kty": "oct", "k": "c2VjcmV0"})), {}, "it has no public key for signatures"),
    ],
)
def test_an_url_that_gives_no_keys(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answer: tuple[int, bytes],
    headers: dict[str, str],
    says: str,
) -> None:
    async def scenario(keys: KeyServer, url: Url) -> None:
        keys.answer, keys.headers = answer, headers
        for _ in range(2):
            with pytest.raises(Unavailable, match="tokens cannot be checked now"):
                await url.is_valid(RSA.token())
            url.now += 10
        assert url.errors == ["keys", "keys"]
        keys.answer, keys.headers = (200, jwks(RSA.jwk())), {}
        assert await url.is_valid(RSA.token())
        keys.answer = answer
        url.now += 10
        assert not await url.is_valid(OTHER.token("two"))
        assert await url.is_valid(RSA.token())  # the last known keys stay

    with caplog.at_level(logging.INFO, logger="predictors"):
        by_url(tmp_path, monkeypatch, scenario)
    first, back, again = (record.getMessage() for record in caplog.records if record.name.startswith("predictors"))
    assert f"gives no keys ({says}" in first
    assert first.endswith("; no JWT can be checked until it answers")
    assert back.endswith("answers again")
    assert again.endswith("; the last 1 keys stay")


def test_an_url_that_hangs_holds_up_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(keys: KeyServer, url: Url) -> None:
        keys.answer = 200, jwks(RSA.jwk())
        assert await url.is_valid(RSA.token())
        keys.open.clear()
        url.now += 10
        unknown = asyncio.create_task(url.is_valid(OTHER.token("two")))
        while keys.asked < 2:
            await asyncio.sleep(0.01)
        assert await url.is_valid(RSA.token(jti="another"))
        assert not unknown.done()
        assert not await unknown
        assert url.errors == ["keys"]

    monkeypatch.setattr("predictors.serving.access.jwks._TIMEOUT_SECONDS", 1.0)
    by_url(tmp_path, monkeypatch, scenario)
    assert "(TimeoutError); the last 1 keys stay" in caplog.text or "(ReadTimeout)" in caplog.text


def test_a_certificate_that_nobody_trusts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with key_server(tmp_path) as keys:
        keys.answer = 200, jwks(RSA.jwk())
        url = Url(keys.url)
        with pytest.raises(Unavailable):
            asyncio.run(url.is_valid(RSA.token()))
    assert "gives no keys (ConnectError); no JWT can be checked" in caplog.text
    assert keys.asked == 0


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"jwt_issuer": ISSUER},
            "JWTs need --jwt_issuer, --jwt_audience and --jwt_keys; missing is --jwt_audience and",
        ),
        ({"jwt_keys": "k"}, "missing is --jwt_issuer and --jwt_audience$"),
        (
            {"jwt_issuer": ISSUER, "jwt_audience": "a", "jwt_keys": "http://issuer.example/keys"},
            "^--jwt_keys must be a file or an address that begins with https://$",
        ),
        (
            {"jwt_issuer": ISSUER, "jwt_audience": "a", "jwt_keys": "/nowhere"},
            "^--jwt_keys nowhere cannot be used: No such file or directory$",
        ),
    ],
)
def test_settings_that_are_half_given(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(StartupError, match=says):
        Door(AccessSettings(**settings), print)


@pytest.mark.parametrize("algorithm", ["none", "HS256", ""])
def test_algorithms_that_nobody_may_allow(algorithm: str) -> None:
    with pytest.raises(ValueError, match="jwt_algorithms"):
        AccessSettings(jwt_algorithms=algorithm)


def test_digests_differ() -> None:
    assert digest_of("a") == hashlib.sha256(b"a").digest()
