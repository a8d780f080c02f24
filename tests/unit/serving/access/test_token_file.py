"""The file of digests: what it allows, what is wrong with it, and how it is replaced while the server runs."""

import hashlib
import logging
import os
from pathlib import Path

import pytest

from predictors.serving.access.caller import ANYONE, Caller, claimed_grant
from predictors.serving.access.token_file import Tokens, digest_of, line_of, new_token, parse_tokens
from predictors.serving.access.watched_file import WatchedFile
from predictors.serving.errors import Forbidden, StartupError
from tests.unit.serving.access.mounted import mount

DIGEST = "sha256:" + hashlib.sha256(b"secret").hexdigest()


def caller_of(text: str, token: str = "secret") -> Caller | None:
    return parse_tokens(text.encode()).find(digest_of(token))


def test_a_token_is_found_by_its_digest_alone() -> None:
    made = new_token()
    assert len(made) == 43
    assert caller_of(line_of(made, "shop", "iris"), made) is not None
    assert caller_of(line_of(made, "shop", "iris"), made[:-1]) is None
    assert made not in line_of(made, "shop", "iris")
    # What `printf %s secret | sha256sum` prints is the same.
    assert caller_of(f"{DIGEST} shop *") == Caller("token:shop", ANYONE.grant._replace(repository=False))


def test_digests_that_begin_alike_are_not_the_same() -> None:
    alike = DIGEST[:-1] + ("0" if DIGEST[-1] != "0" else "1")
    assert caller_of(f"{alike} shop *") is None


@pytest.mark.parametrize(
    ("models", "allowed", "repository"),
    [
        ("iris", {"iris"}, False),
        ("iris,intent", {"iris", "intent"}, False),
        ("*", {"iris", "intent"}, False),
        ("*,+repository", {"iris", "intent"}, True),
        ("+repository", set(), True),
        ("", set(), False),
    ],
)
def test_what_a_line_allows(models: str, allowed: set[str], repository: bool) -> None:
    found = caller_of(f"# who may call\n\n{DIGEST} shop {models} # the shop\n")
    assert found is not None
    assert {model for model in ("iris", "intent") if found.may_use(model)} == allowed
    for model in {"iris", "intent"} - allowed:
        with pytest.raises(Forbidden, match=f'the token does not allow the model "{model}"'):
            found.require_model(model)
    assert found.grant.repository is repository
    if not repository:
        with pytest.raises(Forbidden, match=r"\+repository"):
            found.require_repository()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("secret shop iris", "line 1 does not begin with sha256: and 64 hexadecimal digits in lower case"),
        (DIGEST.upper().replace("SHA", "sha") + " shop", "line 1 does not begin with"),
        (DIGEST[:-1] + " shop", "line 1 does not begin with"),
        (f"# one\n{DIGEST}", "line 2 has 1 words"),
        (f"{DIGEST} shop iris, intent", "line 1 has 4 words"),
        (f"{DIGEST} -shop iris", "line 1: a name has at most 64 letters"),
        (f"{DIGEST} {'s' * 65} iris", "line 1: a name has at most 64 letters"),
        (f"{DIGEST} shop iris,,intent", "line 1: models are names"),
        (f"{DIGEST} shop ir/is", "line 1: models are names"),
        (f"{DIGEST} a iris\n{DIGEST} b intent", "a token stands in it twice"),
        ("\xff", "line 1 does not begin"),
    ],
)
def test_what_is_wrong_is_said_without_the_content(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse_tokens(text.encode())
    assert DIGEST not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(ValueError, match="it is not UTF-8 text"):
        parse_tokens(b"\xff\xfe")


@pytest.mark.parametrize(
    ("claim", "allowed"),
    [
        ("openid iris", {"iris"}),
        (["iris", 7, None], {"iris"}),
        ("*", {"iris", "intent"}),
        (None, set()),
        (True, set()),
        ({"iris": True}, set()),
    ],
)
def test_what_a_claim_allows(claim: object, allowed: set[str]) -> None:
    caller = Caller("jwt:x", claimed_grant(claim))
    assert {model for model in ("iris", "intent") if caller.may_use(model)} == allowed


def names(file: WatchedFile[Tokens]) -> set[str]:
    found = {token: file.value.find(digest_of(token)) for token in ("a", "b")}
    return {token for token, caller in found.items() if caller is not None}


def test_a_file_is_replaced_while_the_server_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    a, b = line_of("a", "shop", "*"), line_of("b", "shop", "*")
    path = tmp_path / "tokens"
    mount(path, "..1", a.encode())
    file = WatchedFile("token_digests_file", path, parse_tokens)
    assert names(file) == {"a"}
    with caplog.at_level(logging.INFO):
        file.reload_if_changed()
        assert not caplog.messages
        mount(path, "..2", f"{a}\n{b}".encode())
        file.reload_if_changed()
        assert names(file) == {"a", "b"}
        mount(path, "..3", b.encode())
        file.reload_if_changed()
        assert names(file) == {"b"}
        mount(path, "..4", b"b shop")
        for _ in range(2):
            file.reload_if_changed()
        (tmp_path / "..data").unlink()
        for _ in range(2):
            file.reload_if_changed()
        assert names(file) == {"b"}
    kept = "the new --token_digests_file cannot be used, the old one stays: "
    assert [message.replace(kept, "") for message in caplog.messages] == [
        "--token_digests_file was read again",
        "--token_digests_file was read again",
        "line 1 does not begin with sha256: and 64 hexadecimal digits in lower case",
        "No such file or directory",
    ]


def test_a_change_is_seen_by_more_than_the_time_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(line_of("a", "shop", "*"))
    file = WatchedFile("token_digests_file", path, parse_tokens)
    before = path.stat()
    path.write_text(line_of("b", "shop", "*"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as `cp --preserve` and `rsync --inplace` do
    file.reload_if_changed()
    assert names(file) == {"b"}


def test_a_file_that_cannot_be_used_ends_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"#" * (4 * 2**20 + 1))
    for name, says in {
        "none": "No such file or directory",
        "pipe": "it is not a regular file",
        "large": "it is larger than 4194304 bytes",
    }.items():
        with pytest.raises(StartupError, match=f"^--token_digests_file {name} cannot be used: {says}$"):
            WatchedFile("token_digests_file", tmp_path / name, parse_tokens)
