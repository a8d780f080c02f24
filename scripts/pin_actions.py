"""Pin the actions of workflows: in `uses: OWNER/NAME@SHA # VERSION`, set SHA to the commit that VERSION is.

To take another version, change it behind the `#`, and run `make pin-actions`. `git ls-remote` looks the tags up.
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

USES = re.compile(r"(uses: (?P<repository>[\w.-]+/[\w.-]+)[\w./-]*@)(?P<commit>\S+) # (?P<version>\S+)")


def main() -> None:
    """Rewrite each workflow named on the command line, and say what was changed."""
    for workflow in map(Path, sys.argv[1:]):
        text = workflow.read_text()
        pinned = USES.sub(lambda use: f"{use[1]}{commit(use['repository'], use['version'])} # {use['version']}", text)
        for before, after in zip(text.splitlines(), pinned.splitlines(), strict=True):
            if before != after:
                print(f"{workflow}: {after.strip(' -')}")
        workflow.write_text(pinned)


@cache
def commit(repository: str, version: str) -> str:
    """The commit of a tag of a repository on GitHub.

    Raises:
        SystemExit: it cannot be looked up.
    """
    tag = f"refs/tags/{version}"
    command = ["git", "ls-remote", f"https://github.com/{repository}", tag, f"{tag}^{{}}"]
    result = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    found = dict(reversed(line.split("\t")) for line in result.stdout.splitlines())
    # A tag with a message is an object of its own, and names the commit as ^{}.
    sha = found.get(f"{tag}^{{}}") or found.get(tag)
    if not sha:
        sys.exit(f"{repository} has no tag {version}, or cannot be reached: {result.stderr.strip()}")
    return sha


main()
