// The page: what is chosen, what is asked, and what becomes of the answer.

import { Problem, call, events, json, sentence, setToken } from "./api.js";
import { classifierForm } from "./classifiers.js";
import { fromBytes, fromFile, fromText } from "./documents.js";
import { byId } from "./dom.js";
import { copy, markdown, plain, save } from "./exports.js";
import { hideProblem, showProblem } from "./notices.js";
import { Passages } from "./passages.js";
import { Points } from "./points.js";

// Points are drawn at most this often, milliseconds: many may come at once, and the document may be long.
const REDRAW = 250;
const form = byId("summarizer");
const points = new Points(showPlace);
const passages = new Passages(backTo);
let model = null;
let file = null;
let running = null; // an AbortController, while a summary is made
let summary = { name: "", points: [], answer: null };
let given = false; // whether a token was
let redraw = 0; // the timer of the next drawing, if there is one
let drawn = -REDRAW;

function source() {
  return new FormData(form).get("source");
}

function chooseSource(chosen) {
  form.elements.source.value = chosen;
  for (const each of ["text", "file", "address"]) byId(`source-${each}`).hidden = each !== chosen;
}

function chooseFile(chosen) {
  file = chosen;
  byId("file-name").textContent = chosen ? chosen.name : "";
  chooseSource("file");
}

async function chosenDocument(signal) {
  if (source() === "text") return fromText(byId("text").value);
  if (source() === "file") {
    if (!file) throw new Problem("There is no file yet. Choose one, or drop it on this page.");
    return fromFile(file);
  }
  const url = byId("address").value.trim();
  if (!url) throw new Problem("There is no address yet. One such as https://example.com/terms is expected.");
  say("The server fetches the document…");
  const fetched = await json("/ui/fetch", { body: { url: url.includes("://") ? url : `https://${url}`, model }, signal });
  return fromBytes(Uint8Array.from(atob(fetched.data), (each) => each.charCodeAt(0)), fetched.content_type, fetched.url);
}

function say(text) {
  byId("status").textContent = text;
}

function remark(text) {
  byId("remark").textContent = text;
  byId("remark").hidden = !text;
}

function setBusy(busy) {
  byId("start").disabled = busy;
  byId("cancel").hidden = !busy;
  byId("progress").hidden = !busy;
  byId("results").setAttribute("aria-busy", String(busy));
}

function begin() {
  running?.abort();
  running = new AbortController();
  hideProblem();
  remark("");
  say("");
  summary = { name: "", points: [], answer: null };
  byId("results").hidden = false;
  byId("actions").hidden = true;
  byId("back").hidden = true;
  byId("progress").removeAttribute("value");
  points.show([], false);
  passages.show(null);
  byId("source-note").hidden = true;
  setBusy(true);
  byId("results-title").scrollIntoView({ block: "nearest" });
  return running;
}

async function summarize() {
  const mine = begin();
  const { signal } = mine;
  try {
    const document_ = await chosenDocument(signal);
    summary.name = document_.name;
    say("The document is being read…");
    const parameters = { stream: true, mode: byId("mode").value, content_type: document_.type, return_text: document_.text === null };
    const body = { instances: [document_.content], parameters };
    const response = await call(`/v1/models/${encodeURIComponent(model)}:predict`, { body, signal });
    passages.show(document_.text);
    await follow(response, signal);
  } catch (problem) {
    if (mine === running) failed(problem);
  } finally {
    if (mine === running) end();
  }
}

async function follow(response, signal) {
  for await (const { name, data } of events(response)) {
    signal.throwIfAborted(); // what has come already comes too late
    if (name === "progress") progressed(data);
    else if (name === "bullet") found(data);
    else if (name === "error") throw new Problem(sentence(data.error), 0);
    else if (name === "done") return finished(data);
  }
  throw new Problem("The server closed the connection before the answer was complete.", 0);
}

function progressed({ done, total }) {
  byId("progress").max = total;
  byId("progress").value = done;
  say(`${done} of ${total} parts read, ${counted(summary.points.length)} so far`);
}

function counted(count) {
  return count === 1 ? "1 point" : `${count} points`;
}

function found(point) {
  summary.points.push(point);
  const wait = drawn + REDRAW - performance.now();
  if (wait <= 0) draw();
  else redraw ||= setTimeout(draw, wait);
}

function draw() {
  clearTimeout(redraw);
  redraw = 0;
  drawn = performance.now();
  passages.mark(summary.points);
  points.show(summary.points, passages.text !== null);
}

function finished(answer) {
  summary.answer = answer;
  summary.points = answer.bullets[0];
  if (answer.texts[0]) passages.show(answer.texts[0]);
  const usage = answer.usage[0];
  const read = new Intl.NumberFormat("en", { style: "percent" }).format(Math.floor(usage.read * 100) / 100);
  say(summary.points.length ? `${counted(summary.points.length)}; ${read} of the document read` : "Nothing in it is of the kind that this looks for.");
  remark([usage.warning, usage.more].filter(Boolean).join(" "));
}

function failed(problem) {
  if (problem.name === "AbortError") {
    say(`Cancelled; ${counted(summary.points.length)} until then`);
    return;
  }
  say(summary.points.length ? `Not complete: ${counted(summary.points.length)} until then` : "");
  report(problem, summarize);
}

function end() {
  running = null;
  setBusy(false);
  draw();
  byId("actions").hidden = summary.points.length === 0;
  byId("results").hidden = summary.points.length === 0 && passages.text === null && byId("status").textContent === "";
}

// Say what went wrong; a token may help, or trying again later.
function report(problem, again) {
  if (!(problem instanceof Problem)) {
    console.error(problem);
    problem = new Problem("This page has met an error of its own; load it again.");
  }
  if (problem.status === 401) askForToken(problem, again);
  else showProblem(problem, problem.passes ? again : null);
}

function askForToken(problem, again) {
  const asking = byId("token-form");
  if (given) showProblem(problem); // the first time, the form says it all
  asking.hidden = false;
  asking.onsubmit = (event) => {
    event.preventDefault();
    setToken(byId("token").value.trim());
    given = true;
    byId("token").value = "";
    asking.hidden = true;
    hideProblem();
    again();
  };
  byId("token").focus();
}

function showPlace(number) {
  points.choose(number);
  passages.reveal(number);
  byId("back").hidden = false;
  byId("back").onclick = () => backTo(number);
}

function backTo(number) {
  points.choose(number);
  points.focus(number);
}

function base() {
  return `summary-of-${summary.name.replace(/^.*\//, "").replace(/[^\w.-]+/g, "-").slice(0, 60) || "document"}`;
}

async function copyAll() {
  try {
    await copy(plain(summary.points));
    say("Copied");
  } catch {
    showProblem(new Problem("The browser does not let this page copy; save it instead."));
  }
}

async function start() {
  try {
    const [{ models }, features] = await Promise.all([json("/models"), json("/ui/features")]);
    await showModels(Object.entries(models).map(([name, each]) => ({ name, ...each })), features);
  } catch (problem) {
    report(problem, start);
  }
}

async function showModels(models, { fetch: canFetch }) {
  const unready = models.filter((each) => !each.ready);
  if (unready.length) {
    const reasons = unready.map(({ name, reason }) => `${name} is not ready${reason ? `: ${reason}` : ""}`);
    showProblem(new Problem(sentence(reasons.join("; "))), start);
  }
  const summarizers = models.filter((each) => each.kind === "summarizer");
  showSummarizer(summarizers.find((each) => each.ready) ?? summarizers[0]);
  byId("address-choice").hidden = !canFetch;
  const others = models.filter((each) => each.ready && (each.kind === "iris" || each.kind === "intent"));
  byId("forms").replaceChildren(...await Promise.all(others.map((each) => classifierForm(each, report))));
  byId("classifiers").hidden = others.length === 0;
  byId("versions").textContent = models.map(({ name, version }) => ` · ${name} ${version}`).join("");
  if (!models.length) lackModels();
  else if (model === null && !others.length && !unready.length) {
    showProblem(new Problem("This page has no form for the models here. This server's API, at the end of the page, has them."));
  }
}

// One that is ready has a reason still if the first request will load it.
function showSummarizer(found) {
  model = found?.name ?? null;
  form.hidden = model === null;
  byId("model-note").hidden = !(found?.ready && found.reason);
  byId("model-note").textContent = found?.reason ? sentence(`model ${found.name}: ${found.reason}`) : "";
}

function lackModels() {
  if (given) askForToken(new Problem("This token allows no model here."), start);
  else showProblem(new Problem("This server has no model yet."), start);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  summarize();
});
form.addEventListener("change", ({ target }) => {
  if (target.name === "source") chooseSource(target.value);
});
byId("file").addEventListener("change", ({ target }) => chooseFile(target.files[0] ?? null));
byId("cancel").addEventListener("click", () => running?.abort());
byId("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
byId("document").addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !byId("back").hidden) byId("back").click();
});
byId("copy").addEventListener("click", copyAll);
byId("save-markdown").addEventListener("click", () => save(`${base()}.md`, "text/markdown", markdown(summary.name, summary.points)));
byId("save-json").addEventListener("click", () => save(`${base()}.json`, "application/json",
  JSON.stringify({ document: summary.name, points: summary.points, answer: summary.answer }, null, 2) + "\n"));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  const [dropped] = event.dataTransfer.files;
  if (dropped && model !== null) chooseFile(dropped);
});
start();
