"""Summarizer: plain-English summaries of documents, and OpenAI's API, by any instruction-tuned GGUF model."""

import os

# OpenMP's threads, which compute for llama.cpp, spin for milliseconds while they wait for each other. Where anything
# else wants the CPUs too, each then burns the time that the other needs: with two busy neighbours on two cores, a step
# took ten times as long. Asleep they lose microseconds per wait, thousands of times a step. So they spin shortly, then
# sleep. The library reads this when it is loaded, which no module here does before this line.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
