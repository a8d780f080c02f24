"""`predictors token`: what it prints is a token that the line which it writes lets in."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from predictors.cli.app import app
from predictors.serving.access.token_file import digest_of, parse_tokens


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["token", *arguments])
    return result.exit_code, result.stdout.strip(), result.stderr.strip()


def test_lines_are_added_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "digests"
    path.write_text("# who may call")  # without an end of line
    shop = run("shop", "--models", "iris", "--append_to", str(path))
    ops = run("ops", "--append_to", str(path))
    assert (shop[0], ops[0], shop[2], ops[2]) == (0, 0, "", "")
    tokens = parse_tokens(path.read_bytes())
    found = [tokens.find(digest_of(token)) for token in (shop[1], ops[1])]
    assert [(caller.key, caller.may_use("intent")) for caller in found if caller] == [
        ("token:shop", False),
        ("token:ops", True),
    ]
    assert shop[1] not in path.read_text()


def test_without_a_file_the_line_is_shown_beside_the_token() -> None:
    code, token, says = run("shop", "--models", "iris")
    assert code == 0
    assert parse_tokens(says.splitlines()[1].encode()).find(digest_of(token)) is not None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("shop", "--models", "iris, intent"), "the line has 4 words"),
        (("-", "--models", "iris"), "the line: a name has at most 64 letters"),
        (("shop", "--models", "a/b"), "the line: models are names"),
        (("shop", "--append_to", "/nowhere/digests"), "/nowhere/digests cannot be written"),
    ],
)
def test_what_cannot_be(arguments: tuple[str, ...], says: str) -> None:
    code, token, error = run(*arguments)
    assert (code, token) == (1, "")
    assert says in error
