// The small models that are served beside the summarizer: a form for each, and its answer.

import { json } from "./api.js";
import { element } from "./dom.js";

const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 2 });
const FLOWER = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

// reason: why it is not loaded yet, if it is not. onProblem: called with what went wrong, and what to do again.
export async function classifierForm({ name, kind, version, reason }, onProblem) {
  const fields = kind === "intent" ? textField(name) : await numberFields(name);
  const answer = element("p", { className: "answer" });
  answer.setAttribute("role", "status");
  const title = element("h3", { textContent: name, id: `model-${name}` });
  const form = element("form", { className: "card" },
    title, element("p", { className: "note", textContent: `version ${version}${reason && `; ${reason}`}` }),
    element("div", { className: "fields" }, ...fields.map(({ label, input }) => element("label", {}, label, input))),
    element("button", { type: "submit", textContent: "Ask" }), answer);
  form.setAttribute("aria-labelledby", title.id);
  const ask = async () => {
    answer.textContent = "…";
    try {
      const values = fields.map(({ input }) => (input.type === "number" ? input.valueAsNumber : input.value));
      const body = { instances: [kind === "intent" ? values[0] : values] };
      show(answer, await json(`/v1/models/${encodeURIComponent(name)}:predict`, { body }));
    } catch (problem) {
      answer.textContent = "";
      onProblem(problem, ask);
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  return form;
}

function textField(name) {
  return [{ label: "Text", input: element("input", { name, required: true, autocomplete: "off", value: "where is my parcel?" }) }];
}

// A forest may have other features than flowers have; the description of the server's API names them.
async function numberFields(name) {
  const { paths } = await json("/openapi.json");
  const body = paths[`/v1/models/${name}:predict`].post.requestBody.content["application/json"].schema;
  const { properties } = body.properties.instances.items.anyOf.find((schema) => schema.type === "object");
  return Object.keys(properties).map((feature) => ({
    label: feature.replaceAll("_", " "),
    input: element("input", { type: "number", step: "any", required: true, value: FLOWER[feature] ?? "" }),
  }));
}

function show(answer, { predictions, labels, probabilities }) {
  const label = String((labels ?? predictions)[0]);
  answer.replaceChildren(element("strong", { textContent: label }), ` (highest probability ${percent.format(Math.max(...probabilities[0]))})`);
}
