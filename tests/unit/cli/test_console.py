import pytest
import typer

from predictors.cli.console import plain_errors


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            ModuleNotFoundError("No module named 'sklearn'", name="sklearn"),
            "error: scikit-learn is not installed: install kserve-predictors[train]\n",
        ),
        (KeyError("[bold]no markup"), "error: '[bold]no markup'\n"),
    ],
)
def test_errors_that_a_user_can_fix(capsys: pytest.CaptureFixture[str], error: Exception, says: str) -> None:
    with pytest.raises(typer.Exit) as raised, plain_errors(KeyError):
        raise error
    assert raised.value.exit_code == 1
    assert capsys.readouterr() == ("", says)


@pytest.mark.parametrize("error", [ModuleNotFoundError("no numpy", name="numpy"), ValueError("bug")])
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)), plain_errors(KeyError):
        raise error
