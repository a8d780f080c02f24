"""The evaluation set is sound, the judge goes by its rules, and the run asks, averages and reports as it says."""

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests import eval as evaluation_set
from tests.eval import Claim, Example, Result, Score, Summary, averages, judge, run

CHARS_PER_TOKEN = 4.4
EXAMPLES = evaluation_set.load(evaluation_set.names())
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)

LEASE = """LEASE OF A GARDEN SHED

1.1 The rent is €49.50 a month, payable on the third day. 1.2 A late payment costs a fee of 15% of the rent.

17. The tenant may cancel with thirty days' notice. The deposit of €1,000 is returned within a fortnight of the keys.
The landlord keeps records of every visit for two years. A dog is not allowed anywhere in the garden."""
ABSENT = (Claim("arbitration", "Disputes go to arbitration.", ("arbitrat", "dispute|claim")),)


def found(bullet: str, *earlier: str) -> str:
    return judge.unsupported(bullet, LEASE, ABSENT, earlier)


# The set


def test_the_set_is_large_and_varied() -> None:
    assert len(EXAMPLES) >= 12
    assert len({example.kind for example in EXAMPLES}) == len(EXAMPLES)
    tokens = [len(example.text) / CHARS_PER_TOKEN for example in EXAMPLES]
    assert min(tokens) == pytest.approx(500, rel=0.15)
    assert max(tokens) == pytest.approx(20_000, rel=0.15)


@each_example
def test_a_document_has_facts_and_absent_facts(example: Example) -> None:
    assert 8 <= len(example.facts) <= 15
    assert len(example.absent) >= 3
    claims = (*example.facts, *example.absent)
    assert len({claim.id for claim in claims}) == len(claims)
    assert all(claim.patterns for claim in claims)


@each_example
def test_a_fact_is_quoted_from_its_document_and_recognized(example: Example) -> None:
    for fact in example.facts:
        assert fact.quote in example.text
        assert fact.is_in(fact.quote), fact.id
        assert fact.is_in(fact.statement), fact.id


@each_example
def test_an_absent_fact_is_recognized_and_nowhere_in_its_document(example: Example) -> None:
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", example.text)]
    for claim in example.absent:
        assert claim.is_in(claim.statement), claim.id
        assert not [paragraph for paragraph in paragraphs if claim.is_in(paragraph)], claim.id


# The judge


@each_example
def test_the_documents_own_words_say_every_fact_and_nothing_unsupported(example: Example) -> None:
    quotes = list(dict.fromkeys(fact.quote for fact in example.facts))
    score = judge.score(quotes, example)
    assert score.recall == 1
    assert score.missed == score.claimed == []
    assert not any(score.reasons), score.reasons
    assert score.cut == 0


def test_how_far_the_judge_can_be_trusted() -> None:
    """What its docstring says of paraphrases, of other documents and of near misses."""
    own = [judge.unsupported(fact.statement, each.text, each.absent) for each in EXAMPLES for fact in each.facts]
    other = [
        judge.unsupported(fact.statement, each.text, each.absent)
        for each in EXAMPLES
        for another in EXAMPLES
        if another is not each
        for fact in another.facts
    ]
    near = [judge.unsupported(claim.statement, each.text, ()) for each in EXAMPLES for claim in each.absent]
    assert not any(own)
    assert other.count("") / len(other) == pytest.approx(1 / 11, abs=0.01)
    assert (near.count(""), len(near)) == (39, 56)
    assert all(judge.unsupported(claim.statement, each.text, each.absent) for each in EXAMPLES for claim in each.absent)


def test_a_fact_counts_once_and_only_if_one_bullet_says_all_of_it() -> None:
    facts = (Claim("rent", "The rent is €49.50.", ("rent", r"49\.50")), Claim("dog", "No dogs.", ("dog",)))
    assert judge.recall(["The RENT is 49.50.", "A rent of €49.50."], facts) == 0.5
    assert judge.recall(["There is a rent.", "It is 49.50."], facts) == 0
    assert judge.recall([], facts) == 0
    assert judge.stated(facts, ["No dogs.", "49.50 is the rent"]) == ["rent", "dog"]


def test_a_bullet_is_judged_by_its_first_sixty_words() -> None:
    fact = Claim("dog", "No dogs.", ("dog",))
    words = ["tenant"] * 59
    assert judge.recall([" ".join([*words, "dog"])], [fact]) == 1
    assert judge.recall([" ".join([*words, "garden", "dog"])], [fact]) == 0
    assert judge.recall(["a\ndog"], [fact]) == 1
    score = judge.score([LEASE, "A dog is not allowed."], EXAMPLES[0])
    assert score.cut == 1


@pytest.mark.parametrize(
    "bullet",
    [
        "The rent is €49.50 a month.",
        "You pay monthly rent, and 15 per cent more when the payment is late.",
        "Cancelling takes 30 days of notice.",
        "Pay the monthly rent on day 3.",
        "The 1000 euros of the deposit come back within 14 days of returning the keys.",
        "Visits are recorded, and these records kept for 24 months.",
        "According to clause 17 of this agreement, the tenant can cancel.",
        "2. Dogs aren’t allowed in the garden.",
    ],
)
def test_what_the_document_says_is_supported_in_other_words_too(bullet: str) -> None:
    assert found(bullet) == ""


@pytest.mark.parametrize(
    ("bullet", "reason"),
    [
        ("Claims about the rent go to arbitration.", "the document does not say arbitration"),
        ("The rent is €49 a month.", "the document has no number 49"),
        ("The tenant may cancel with sixty days' notice.", "the document has no number 60"),
        ("The tenant may cancel with 14.5 days' notice.", "the document has no number 14.5"),
        ("The tenant may cancel with 17 days' notice.", "the document has no number 17"),
        ("The deposit of one thousand two hundred euros is returned.", "the document has no number 1200"),
        ("The landlord shares photographs with advertising partners.", "no passage has more than 1 of its 5"),
        ("It is what it is.", "it says nothing"),
        ("", "it says nothing"),
    ],
)
def test_what_the_document_does_not_say_is_unsupported(bullet: str, reason: str) -> None:
    assert found(bullet).startswith(reason)


def test_words_from_all_over_a_document_support_nothing() -> None:
    animals = "Apes. Bears. Cats. Dogs. Eels. Foxes. Goats."
    assert judge.unsupported("Apes, dogs, goats.", animals, ()) == "no passage has more than 1 of its 3 content words"
    assert judge.unsupported("Apes, cats, goats.", animals, ()) == ""


def test_repeats_are_unsupported() -> None:
    bullet = "The rent is €49.50 a month."
    assert found(bullet, "A dog is not allowed.") == ""
    assert found(bullet, "A dog is not allowed.", "the rent  is €49.50 a month") == "it repeats"
    assert found("The rent is payable. " * 3) == "it repeats"
    assert found("The rent is payable. " * 2) == ""


def test_a_repeated_bullet_counts_from_the_second_time_on() -> None:
    quote = EXAMPLES[0].facts[0].quote
    score = judge.score([quote, quote, quote], EXAMPLES[0])
    assert score.reasons == ["", "it repeats", "it repeats"]
    assert score.repeats == score.unsupported == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("€4.99, $1,000 and 4,99 %", {4.99, 1000}),
        ("250,000.50 or 2.50", {250000.5, 2.5}),
        ("thirty, twenty-six, twenty six and ninety", {30, 26, 90}),
        ("one hundred and fifty", {150}),
        ("two thousand five hundred and five", {2505}),
        ("three million two hundred thousand", {3_200_000}),
        ("a hundred; 20 thousand", {100, 20_000}),
        ("between five and ten, or two or three", {5, 10, 2, 3}),
        ("three thirty-day periods", {3, 30}),
        ("no more than one, 0, 1 or zero", set()),
        ("an A4 sheet, flat 2C, the 14th", {2, 14}),
        ("3. As clause 4.1 and Section 7 say, 5 days", {5}),
        ("5.2 Within 28 days", {28}),
        ("hundreds of thousands", set()),
        ("five hundred a month, a five-day week", {500, 5}),
        ("", set()),
    ],
)
def test_numbers_are_read_from_digits_and_words(text: str, expected: set[float]) -> None:
    assert judge.numbers(text) == expected


def test_words_are_compared_by_stem_and_by_group() -> None:
    assert judge.content_words("cancelled cancellation cancels") == judge.content_words("we cancel")
    assert judge.content_words("Fees: 12 of the policies") == judge.content_words("It charges twelve; this policy")
    assert judge.content_words("The company can't, and you won't") == frozenset()
    assert judge.content_words("London's") == judge.content_words("London")


def test_a_text_falls_into_sentences_and_lines() -> None:
    text = "HEADING\n\nPay €4.99 now. Then wait, e.g. a day! “Really?” The end"
    assert judge.sentences(text) == ["HEADING", "Pay €4.99 now.", "Then wait, e.g. a day!", "“Really?”", "The end"]


# Averages


def result(document: str, said: int, missed: int, reasons: list[str]) -> Result:
    score = Score(said / (said + missed), ["x"] * said, ["x"] * missed, [], reasons, 0, 0)
    return Result(document, "fast", Summary(["x"] * len(reasons), 1.5, 10, 3, "fast"), score)


def test_micro_averages_weigh_facts_and_macro_averages_documents() -> None:
    figures = averages([result("a", 8, 0, ["no", "", "", ""]), result("b", 0, 2, ["no"]), result("c", 0, 10, [])])
    assert figures["recall"] == {"micro": pytest.approx(8 / 20), "macro": pytest.approx(1 / 3)}
    assert figures["unsupported"] == {"micro": pytest.approx(2 / 5), "macro": pytest.approx(5 / 8)}
    assert (figures["seconds"], figures["prompt_tokens"], figures["completion_tokens"]) == (4.5, 30, 9)


def test_without_bullets_there_is_no_rate() -> None:
    assert averages([result("a", 0, 2, [])])["unsupported"] == {"micro": None, "macro": None}


# The run


def test_bullets_of_an_answer_are_its_lines() -> None:
    text = "Here are the points:\n# Rent\n\n- One.\n * **Two**: more\n• Three\n4. Four\n5) Five\n30 days\n"
    assert run.bullet_lines(text) == ["One.", "Two: more", "Three", "Four", "Five", "30 days"]


def test_a_paragraph_counts_as_its_sentences() -> None:
    sentence = "The tenant pays " + "very " * 20 + "late."
    assert run.bullet_lines("- One. Two.") == ["One. Two."]
    assert run.bullet_lines(f"- {sentence} {sentence} {sentence}") == [sentence] * 3


def test_lead_takes_whole_sentences_up_to_so_many_words() -> None:
    assert run.lead("One two. Three four five. Six.", 6) == ["One two.", "Three four five.", "Six."]
    assert run.lead("One two. Three four five. Six.", 4) == ["One two."]
    assert run.lead("One two.", 1) == []


def test_a_refused_document_is_cut_to_what_the_refusal_leaves_room_for() -> None:
    message = "the prompt has {} tokens and max_tokens is 512; together at least 1 and at most {} are allowed"
    assert len(run.shorter("x" * 1000, message.format(20000, 8192))) == int(1000 * 7680 / 20000 * 0.98)
    assert len(run.shorter("x" * 100, message.format(90, 8192))) < 100
    assert run.shorter("x" * 100, message.format(900, 512)) == ""
    with pytest.raises(run.Failed, match="unknown parameter"):
        run.shorter("x", 'unknown parameter "mode"')


Answer = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]
CONTEXT_TOKENS = 900


class Stub:
    """A server for whoever evaluates: what it answers is up to the test, and what it was asked is kept."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.chat: Answer = self.naive
        self.predict: Answer = self.good

    def naive(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Refuses what does not fit, by words; says nothing that any document says."""
        tokens = len(body["messages"][1]["content"].split())
        if tokens + body["max_tokens"] > CONTEXT_TOKENS:
            message = f"the prompt has {tokens} tokens; at most {CONTEXT_TOKENS} are allowed"
            return 400, {"error": {"message": message}}
        usage = {"prompt_tokens": tokens, "completion_tokens": 7}
        return 200, {"choices": [{"message": {"content": "Summary:\n- Walruses juggle.\n"}}], "usage": usage}

    def good(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Says one fact of the document, and one thing that is not in it."""
        example = next(example for example in EXAMPLES if example.text == body["instances"][0])
        texts = [example.facts[0].quote, "Walruses juggle."]
        usage = {
            "prompt_tokens": 90,
            "completion_tokens": 20,
            "mode": body["parameters"]["mode"].replace("auto", "full"),
        }
        bullets = [{"text": text, "citations": [], "support": 1.0} for text in texts]
        return 200, {"predictions": ["\n".join(texts)], "usage": [usage], "bullets": [bullets], "model_version": "v7"}


@contextmanager
def serving(stub: Stub) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/v2/models/summarizer"
            self.answer(200, {"versions": ["v7"]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            stub.asked.append(body)
            paths = {"/openai/v1/chat/completions": stub.chat, "/v1/models/summarizer:predict": stub.predict}
            self.answer(*paths[self.path](body))

        def answer(self, status: int, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None:
            """Keep pytest's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_run_asks_cuts_averages_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stub = Stub()
    with serving(stub) as url:
        documents = ["--documents", "parking-notice", "concert-tickets", "gym-membership"]
        assert run.main(["--url", url, *documents, "--limit", "2", "--out", str(tmp_path)]) == 0
    report = json.loads((tmp_path / "eval.json").read_text("utf-8"))
    assert report["model_version"] == "v7"
    assert report["failures"] == []
    overall = report["overall"]
    assert set(overall) == {"truncation", "fast", "full", "auto", "lead", "oracle"}
    assert {each["documents"] for each in overall.values()} == {2}
    assert overall["oracle"]["recall"]["micro"] == 1
    assert overall["oracle"]["unsupported"]["micro"] == 0
    assert overall["fast"]["recall"]["micro"] == 2 / 16
    assert overall["fast"]["unsupported"]["micro"] == 1 / 2
    assert overall["fast"]["prompt_tokens"] == 180
    assert overall["truncation"]["recall"]["micro"] == 0
    assert overall["truncation"]["unsupported"]["macro"] == 1
    by_name = {(each["document"], each["strategy"]): each for each in report["results"]}
    assert by_name["concert-tickets", "full"]["score"]["reasons"][0] == ""
    assert by_name["concert-tickets", "auto"]["summary"]["mode"] == "full"
    spent = sum(len(text.split()) for text in by_name["concert-tickets", "fast"]["summary"]["bullets"])
    assert sum(len(text.split()) for text in by_name["concert-tickets", "lead"]["summary"]["bullets"]) <= spent

    page = (tmp_path / "eval.md").read_text("utf-8")
    assert "| micro, 2 documents | fast | 12% | +12 | 50% | 0 | 0 | 4 | 0 |" in page
    assert "| concert-tickets | auto (full) |" in page
    assert "first 60 words" in page
    captured = capsys.readouterr()
    assert "parking-notice" in captured.out
    assert "concert-tickets         fast       1 of 8 facts, 1 of 2 bullets unsupported" in captured.err

    chats = [body for body in stub.asked if "messages" in body]
    sent = {body["messages"][1]["content"] for body in chats}
    assert any(text.endswith(evaluation_set.load(["concert-tickets"])[0].text) for text in sent), (
        "all of a short document"
    )
    fitting = [text for text in sent if len(text.split()) + run.ANSWER_TOKENS <= CONTEXT_TOKENS]
    assert len(fitting) == 2
    assert max(len(text.split()) for text in fitting) > 0.9 * (CONTEXT_TOKENS - run.ANSWER_TOKENS)
    assert {body["temperature"] for body in chats} == {0}


def test_a_document_is_cut_beforehand_if_so_wished(tmp_path: Path) -> None:
    stub = Stub()
    arguments = ["--documents", "concert-tickets", "--strategies", "truncation", "--truncate_tokens", "100"]
    with serving(stub) as url:
        assert run.main(["--url", url, *arguments, "--out", str(tmp_path)]) == 0
    assert len(stub.asked) == 1
    assert len(stub.asked[0]["messages"][1]["content"]) == len(run.TASK) + 440


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (500, {"error": "internal error"}, "status 500"),
        (400, {"error": 'unknown parameter "mode"'}, "unknown parameter"),
        (200, {"predictions": ["-"]}, "usage"),
    ],
)
def test_a_failing_server_is_told_and_the_rest_is_measured(
    tmp_path: Path, status: int, content: dict[str, Any], reason: str
) -> None:
    stub = Stub()
    stub.predict = lambda body: (status, content)
    arguments = ["--documents", "concert-tickets", "--strategies", "fast", "truncation"]
    with serving(stub) as url:
        assert run.main(["--url", url, *arguments, "--out", str(tmp_path)]) == 1
    report = json.loads((tmp_path / "eval.json").read_text("utf-8"))
    assert [reason in failure for failure in report["failures"]] == [True]
    assert set(report["overall"]) == {"truncation", "oracle"}


def test_ctrl_c_prints_what_there_is_and_leaves_the_reports_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "REPORTS", tmp_path)
    stub = Stub()
    left = threading.Event()

    def interrupt(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        os.kill(os.getpid(), signal.SIGINT)
        assert left.wait(60)
        return 500, {}

    def second(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return interrupt(body) if len(stub.asked) == 2 else stub.good(body)

    stub.predict = second
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    with serving(stub) as url:
        try:
            assert run.main(["--url", url, "--strategies", "fast"]) == 0
        finally:
            left.set()
            signal.signal(signal.SIGINT, before)
    output = capsys.readouterr().out
    assert "concert-tickets" in output
    assert "micro, 1 documents" in output
    assert list(tmp_path.iterdir()) == []


def test_documents_at_the_same_time_give_the_same_results(tmp_path: Path) -> None:
    arguments = ["--limit", "4", "--strategies", "fast"]
    reports = []
    for concurrency in ("1", "4"):
        with serving(Stub()) as url:
            assert run.main(["--url", url, *arguments, "--concurrency", concurrency, "--out", str(tmp_path)]) == 0
        overall = json.loads((tmp_path / "eval.json").read_text("utf-8"))["overall"]
        reports.append({strategy: {**each, "seconds": None} for strategy, each in overall.items()})
    assert reports[0] == reports[1]
