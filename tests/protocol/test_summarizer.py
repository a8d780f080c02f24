"""Summaries by the real default model: what an answer holds, whatever the document and the protocol."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import psutil
import pytest

from predictors.extraction.content_types import DOCX
from predictors.serving.model.kserve_api import pb
from predictors.summarizer.text.cleaning import clean
from predictors.summarizer.text.topics import TOPICS
from tests.live import ROOT, LiveServer, pb_grpc, serve, wait_for
from tests.unit.extraction.files import docx, paragraph
from tests.unit.summarizer.text.guarantee import is_compression

pytestmark = pytest.mark.llama

DOCUMENT = (
    "You agree to pay 9 euros a month for towels (such as plain blue towels). We may change the price at any time. "
    "We share your address with our partners. You can cancel with 30 days of notice. Disputes are settled by arbitration."
)
V1 = "/v1/models/summarizer:predict"
TOWELS = "You agree to pay 9 euros a month for towels"
USAGE = {
    "prompt_tokens", "cached_tokens", "completion_tokens", "finish_reason", "mode", "read", "more", "language", "warning",
}  # fmt: skip


@pytest.fixture(scope="module")
def http(summarizer: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=summarizer.url, timeout=300) as client:
        yield client


@pytest.fixture(scope="module")
def narrow(artifacts: object) -> Iterator[LiveServer]:
    """A server whose context is a small part of a document."""
    limits = ("--context_tokens", "512", "--slots", "4", "--request_timeout_seconds", "600")
    with serve("summarizer", *limits) as live:
        yield live.wait_ready()


def document(name: str) -> str:
    return (ROOT / "tests/eval/set" / name / "document.txt").read_text("utf-8")


def summarize(http: httpx.Client, *documents: Any, **parameters: Any) -> httpx.Response:
    return http.post(V1, json={"instances": list(documents), "parameters": parameters})


def check_bullets(text: str, bullets: list[dict[str, Any]]) -> None:
    """Each is made of words of the text that was sent, with nothing left out that decides."""
    for bullet in bullets:
        assert set(bullet) == {"topic", "gloss", "text", "citations", "support", "quoted"}
        assert bullet["topic"] in TOPICS
        assert bullet["gloss"] != ""
        assert not any(map(str.isdigit, bullet["gloss"]))
        assert bullet["text"].strip() == bullet["text"] != ""
        assert "\n" not in bullet["text"]
        assert bullet["support"] == 1
        sources = [text[citation["start"] : citation["end"]] for citation in bullet["citations"]]
        assert sources
        for source in sources:
            assert source.strip() == source != ""
        assert is_compression(bullet["text"], [clean(source).text for source in sources])
        assert not bullet["quoted"] or letters(bullet["text"])[-9:] == letters(clean(sources[-1]).text)[-9:]


def letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def check_summary(summary: str, bullets: list[dict[str, Any]]) -> None:
    """It has the bullets in order, under their topics and glosses."""
    lines = summary.splitlines()
    assert [line for line in lines if line.startswith("- ")] == [f"- {bullet['text']}" for bullet in bullets]
    titles = [TOPICS[topic].title.upper() for topic in dict.fromkeys(bullet["topic"] for bullet in bullets)]
    assert [line for line in lines if line.isupper() and not line.startswith("- ")] == titles
    assert all(bullet["gloss"] in lines for bullet in bullets)


def test_v1(http: httpx.Client) -> None:
    other = "The customer pays 5 euros for towels (such as plain blue towels)."
    answer = summarize(http, DOCUMENT, {"text": other}, mode="full")
    body = answer.json()
    assert set(body) == {"predictions", "bullets", "texts", "usage", "model_version"}
    assert body["model_version"] == answer.headers["x-model-version"] == "1"
    texts: tuple[str, str] = (DOCUMENT, other)
    for text, prediction, bullets, usage in zip(
        texts, body["predictions"], body["bullets"], body["usage"], strict=True
    ):
        assert bullets
        check_summary(prediction, bullets)
        check_bullets(text, bullets)
        assert set(usage) == USAGE
        assert (usage["mode"], usage["finish_reason"], usage["read"], usage["more"]) == ("full", "stop", 1, "")
        assert 0 <= usage["cached_tokens"] < usage["prompt_tokens"]
        assert usage["completion_tokens"] > 0
    assert len(body["bullets"][0]) == 5
    assert len(body["bullets"][1]) == 1


def test_v2(http: httpx.Client) -> None:
    texts = [DOCUMENT, "You pay 7 euros."]
    tensor = {"name": "text", "datatype": "BYTES", "shape": [2], "data": texts}
    parameters = {"mode": "fast", "max_tokens": 40}
    body = http.post("/v2/models/summarizer/infer", json={"inputs": [tensor], "parameters": parameters}).json()
    found = {entry["name"]: entry for entry in body["outputs"]}
    assert [(name, entry["datatype"], entry["shape"]) for name, entry in found.items()] == [
        ("summary", "BYTES", [2]), ("bullets", "BYTES", [2]), ("mode", "BYTES", [2]), ("prompt_tokens", "INT64", [2]),
        ("cached_tokens", "INT64", [2]), ("completion_tokens", "INT64", [2]), ("finish_reason", "BYTES", [2]),
        ("read", "FP64", [2]), ("more", "BYTES", [2]), ("language", "BYTES", [2]),
        ("warning", "BYTES", [2]), ("text", "BYTES", [2]),
    ]  # fmt: skip
    assert found["mode"]["data"] == ["fast", "fast"]
    for text, summary, bullets in zip(texts, found["summary"]["data"], found["bullets"]["data"], strict=True):
        check_bullets(text, json.loads(bullets))
        check_summary(summary, json.loads(bullets))
    assert body["parameters"] == parameters
    assert "points" not in found


def test_grpc_takes_fractions_as_strings(summarizer: LiveServer) -> None:
    tensor = pb.ModelInferRequest.InferInputTensor(
        name="text", datatype="BYTES", shape=[1], contents=pb.InferTensorContents(bytes_contents=[DOCUMENT.encode()])
    )
    parameters = {
        "max_tokens": pb.InferParameter(int64_param=20),
        "mode": pb.InferParameter(string_param="fast"),
        "temperature": pb.InferParameter(string_param="0.5"),
        "seed": pb.InferParameter(int64_param=7),
    }
    with grpc.insecure_channel(summarizer.grpc_address) as channel:
        stub = pb_grpc.GRPCInferenceServiceStub(channel)
        response = stub.ModelInfer(
            pb.ModelInferRequest(model_name="summarizer", inputs=[tensor], parameters=parameters)
        )
    found = {output.name: output.contents for output in response.outputs}
    assert list(found["mode"].bytes_contents) == [b"fast"]
    bullets = json.loads(found["bullets"].bytes_contents[0])
    check_bullets(DOCUMENT, bullets)
    check_summary(found["summary"].bytes_contents[0].decode(), bullets)
    assert list(found["read"].fp64_contents) == [1]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_citations_count_characters(http: httpx.Client, newline: str) -> None:
    sentences = (
        "You pay 9 euros 💶 a month for the gym 🏋🏽‍♀️.",
        "We share your address 🏠 with our partners.",
        "𝒴ou can cancel with 30 days of notice 📅.",
        "Disputes are settled by arbitration, e\u0301crit ⚖️.",
    )
    text = f"🎫🎫 TERMS{newline}{newline}" + f"{newline}{newline}🎫 ".join(sentences)
    body = summarize(http, text, mode="full").json()
    check_bullets(text, body["bullets"][0])
    cited = [text[c["start"] : c["end"]] for bullet in body["bullets"][0] for c in bullet["citations"]]
    assert {source.removeprefix("🎫 ") for source in cited} == set(sentences)


def test_nothing_to_say(http: httpx.Client) -> None:
    body = summarize(http, "--- *** ---").json()
    assert (body["predictions"], body["bullets"]) == ([""], [[]])
    assert body["usage"][0]["completion_tokens"] == 0
    assert summarize(http, " \n ").status_code == 400


def test_modes(http: httpx.Client) -> None:
    text = document("mobile-phone-plan")
    fast, full = (summarize(http, text, mode=mode).json() for mode in ("fast", "full"))
    for mode, body in (("fast", fast), ("full", full)):
        assert (body["usage"][0]["mode"], body["usage"][0]["finish_reason"]) == (mode, "stop")
        check_bullets(text, body["bullets"][0])
    assert len(fast["predictions"][0]) < len(full["predictions"][0]) < len(text)
    short = summarize(http, text, mode="full", max_tokens=80).json()
    assert short["usage"][0]["finish_reason"] == "length"  # there was more to say
    assert "max_tokens" in short["usage"][0]["more"]


def test_auto_is_full_if_there_is_time(http: httpx.Client) -> None:
    short = http.post(V1, json={"instances": ["You pay 9 euros."]}, headers={"x-request-timeout-ms": "300000"}).json()
    assert short["usage"][0]["mode"] == "full"


def test_words_of_the_document_alone(http: httpx.Client) -> None:
    """Whatever the model writes about the only sentence that can be shorter."""
    body = summarize(http, DOCUMENT, mode="full").json()
    assert {bullet["text"].removesuffix(".") for bullet in body["bullets"][0] if "euros" in bullet["text"]} <= {
        TOWELS,
        f"{TOWELS} (such as plain blue towels)",
    }
    assert [bullet["quoted"] for bullet in body["bullets"][0] if "euros" not in bullet["text"]] == [True] * 4


def count_tokens(http: httpx.Client, text: str) -> int:
    body = {"model": "summarizer", "prompt": text, "max_tokens": 1, "temperature": 0}
    return int(http.post("/openai/v1/completions", json=body).json()["usage"]["prompt_tokens"])


@pytest.mark.parametrize("max_tokens", [1, 7, 30])
@pytest.mark.parametrize("mode", ["fast", "full"])
def test_a_summary_has_at_most_max_tokens(http: httpx.Client, mode: str, max_tokens: int) -> None:
    text = f"Indemnification: you shall indemnify us. {DOCUMENT}"
    body = summarize(http, text, mode=mode, max_tokens=max_tokens).json()
    bullets = body["bullets"][0]
    assert bullets or body["usage"][0]["finish_reason"] == "length"
    check_bullets(text, bullets)
    assert sum(count_tokens(http, bullet["text"]) for bullet in bullets) <= max_tokens


def test_what_was_cut_short_leaves_nothing_out(http: httpx.Client) -> None:
    whole, cut = (summarize(http, DOCUMENT, mode="full", **kind).json() for kind in ({}, {"stop": [" "]}))
    assert cut["usage"][0]["completion_tokens"] < whole["usage"][0]["completion_tokens"]
    assert len(cut["bullets"][0]) == 5


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"max_tokens": 0}, '"max_tokens" is wrong'),
        ({"max_tokens": 100_001}, '"max_tokens" is wrong'),
        ({"max_tokens": "many"}, '"max_tokens" is wrong'),
        ({"max_tokens": True}, "not a boolean"),
        ({"mode": "slow"}, '"mode" is wrong'),
        ({"mode": None}, '"mode" is wrong'),
        ({"temperature": -1}, '"temperature" is wrong'),
        ({"temperature": 5}, '"temperature" is wrong'),
        ({"temperature": "nan"}, '"temperature" is wrong'),
        ({"min_p": 1.5}, '"min_p" is wrong'),
        ({"repeat_penalty": 0}, '"repeat_penalty" is wrong'),
        ({"seed": -1}, '"seed" is wrong'),
        ({"seed": 2**32 - 1}, '"seed" is wrong'),
        ({"stop": [""]}, '"stop" is wrong'),
        ({"stop": ["a"] * 9}, '"stop" is wrong'),
        ({"stop": [5]}, '"stop.0" is wrong'),
        ({"json_schema": {}}, 'unknown parameter "json_schema"'),
        ({"colour": "red"}, 'unknown parameter "colour"; allowed are temperature, top_p'),
        ({"stream": "yes"}, '"stream" is a string; true or false is expected'),
        ({"stream": 1}, '"stream" is a number; true or false is expected'),
    ],
)
def test_bad_parameters(http: httpx.Client, parameters: dict[str, Any], says: str) -> None:
    answer = summarize(http, DOCUMENT, **parameters)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_control_tokens_in_a_document_stay_text(http: httpx.Client) -> None:
    def tokens(text: str) -> int:
        document = f"You pay 9 {text} euros for towels (such as plain blue towels)."
        return int(summarize(http, document, mode="full").json()["usage"][0]["prompt_tokens"])

    assert tokens("a <|im_end|> b") > tokens("a b") + 2  # one control token would be one more


def memory_in_use(server: LiveServer) -> int:
    return int(psutil.Process(server.process.pid).memory_info().rss)


def test_documents_longer_than_the_context(narrow: LiveServer) -> None:
    longest, longer = document("cloud-storage-terms"), document("meal-kit-subscription")
    assert len(longest.split()) > 10 * 512
    with httpx.Client(base_url=narrow.url, timeout=600) as http:
        summarize(http, DOCUMENT)
        before = memory_in_use(narrow)
        for text, mode in ((longest, "fast"), (longer, "full")):
            body = summarize(http, text, mode=mode, max_tokens=300).json()
            assert body["usage"][0]["mode"] == mode
            assert len(body["bullets"][0]) > 3
            check_bullets(text, body["bullets"][0])
        assert memory_in_use(narrow) < before + 60e6


def test_one_clause_longer_than_the_context(narrow: LiveServer) -> None:
    text = "You pay 9 euros for " + "whatever you order and " * 400 + "you cannot cancel."
    with httpx.Client(base_url=narrow.url, timeout=600) as http:
        body = summarize(http, f"{text} You pay 7 euros for towels.", mode="fast", max_tokens=300).json()
        assert [bullet["text"] for bullet in body["bullets"][0]] == ["You pay 7 euros for towels."]
        body = summarize(http, text, mode="fast").json()
        assert [bullet["text"] for bullet in body["bullets"][0]] == [text]


def test_tokens_are_counted(http: httpx.Client) -> None:
    def counted(kind: str) -> float:
        lines = http.get("/metrics").text.splitlines()
        (line,) = (line for line in lines if line.startswith("summarizer_tokens_total{") and f'kind="{kind}"' in line)
        return float(line.rpartition(" ")[2])

    kinds = ("prompt", "cached", "completion")
    before = [counted(kind) for kind in kinds]
    usage = summarize(http, f"{TOWELS} (such as plain blue towels).", temperature=1.0).json()["usage"][0]
    assert [counted(kind) for kind in kinds] == [
        count + usage[f"{kind}_tokens"] for kind, count in zip(kinds, before, strict=True)
    ]


def test_memory_is_what_was_planned(summarizer: LiveServer, http: httpx.Client) -> None:
    plan = wait_for(
        lambda: next((str(line["message"]) for line in summarizer.lines if "KV cache" in line.get("message", "")), ""),
        "the plan",
    )
    planned = int(plan.split(" MiB of ")[0].rpartition(" = ")[2]) * 2**20
    summarize(http, DOCUMENT)
    process = psutil.Process(summarizer.process.pid)
    # Without the pages of the model's file, which the kernel may drop.
    assert process.memory_full_info().uss - mapped_file_bytes(process) < planned


def mapped_file_bytes(process: psutil.Process) -> int:
    return sum(each.rss for each in process.memory_maps() if each.path.endswith(".gguf"))


PAGE = (
    "<nav><a href=/>Home</a></nav><h1>Fees</h1><p>You agree to pay 9 euros a month for towels.</p>"
    "<table><tr><th>Plan<th>Fee<tr><td>Basic<td>5 euros<tr><td>Gold<td>9 euros</table>"
)
PAGE_TEXT = (
    "# Fees\n\nYou agree to pay 9 euros a month for towels.\n\nPlan: Basic; Fee: 5 euros.\n\nPlan: Gold; Fee: 9 euros."
)


def test_a_web_page_is_read_as_text_that_the_answer_can_return(http: httpx.Client) -> None:
    answer = summarize(http, PAGE, content_type="text/html; charset=utf-8", return_text=True).raise_for_status().json()
    assert answer["texts"] == [PAGE_TEXT]
    assert answer["bullets"][0]
    check_bullets(PAGE_TEXT, answer["bullets"][0])


def test_a_word_document_over_v2(http: httpx.Client) -> None:
    sent = base64.b64encode(docx(paragraph("You agree to pay 9 euros a month for towels."))).decode()
    body = {
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [sent]}],
        "parameters": {"content_type": DOCX, "return_text": True},
        "outputs": [{"name": "text"}],
    }
    answer = http.post("/v2/models/summarizer/infer", json=body).raise_for_status().json()
    assert answer["outputs"][0]["data"] == ["You agree to pay 9 euros a month for towels."]


def test_the_text_is_not_returned_unless_asked_for(http: httpx.Client) -> None:
    assert summarize(http, DOCUMENT).raise_for_status().json()["texts"] == [""]


@pytest.mark.parametrize(
    ("sent", "content_type", "says"),
    [
        ("x", "image/png", "known are text/plain, text/html"),
        ("not base64!", "application/pdf", "base64"),
        ("anVuaw==", "application/pdf", "damaged"),
        ("<p></p>", "text/html", "no text"),
    ],
)
def test_a_document_that_cannot_be_read_is_a_bad_request(
    http: httpx.Client, sent: str, content_type: str, says: str
) -> None:
    response = summarize(http, sent, content_type=content_type)
    assert response.status_code == 400
    assert says in response.json()["error"]


def test_offsets_are_those_of_the_text_that_was_sent(http: httpx.Client) -> None:
    sent = "> You ag\u00adree to pay 9\u00a0eu\u200bros a month for to-\r\n> wels.\r\n"
    bullets = summarize(http, sent).raise_for_status().json()["bullets"][0]
    assert [bullet["text"] for bullet in bullets] == ["You agree to pay 9 euros a month for towels."]
    citation = bullets[0]["citations"][0]
    assert sent[citation["start"] : citation["end"]] == sent[2:].strip()
