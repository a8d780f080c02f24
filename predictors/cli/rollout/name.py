"""The argument that names an InferenceRollout."""

from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(help="Name of the InferenceRollout.", show_default=False)]
