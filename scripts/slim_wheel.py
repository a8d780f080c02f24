"""Take out of a llama-cpp-python wheel what serving does not use: `slim_wheel.py WHEEL`.

- The same libraries a second time, beside the package (``lib/``), and headers and CMake files.
- Each library under three names, where a wheel cannot hold links: kept is the name that Python loads (``.so``), or that
  other libraries ask for (``.so.0``), or both.
- ggml's code for processors with AMX. Many hypervisors report AMX and then forbid it, which kills the process at its
  first prompt; ggml's choice at start does not notice.
"""

import re
import sys
import zipfile
from pathlib import Path

UNUSED = re.compile(
    r"^(lib|include|bin)/"
    r"|^llama_cpp/include/"
    r"|^llama_cpp/lib/(cmake|pkgconfig)/"
    r"|^llama_cpp/lib/.*\.so\.\d+\.\d"
    r"|^llama_cpp/lib/libggml-cpu-sapphirerapids"
    r"|^llama_cpp/lib/libggml-cpu-.*\.so\.\d"
    r"|^llama_cpp/lib/(libllama-common|libllama\.so\.|libggml-base\.so$)"
)


def main() -> None:
    """Rewrite the wheel without the unused files, and its RECORD to match."""
    wheel = Path(sys.argv[1])
    slim = wheel.with_suffix(".slim")
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(slim, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            if UNUSED.match(entry.filename):
                continue
            data = source.read(entry)
            if entry.filename.endswith(".dist-info/RECORD"):
                lines = data.decode().splitlines(keepends=True)
                data = "".join(line for line in lines if not UNUSED.match(line.partition(",")[0])).encode()
            target.writestr(entry, data, zipfile.ZIP_DEFLATED)
    slim.replace(wheel)


main()
