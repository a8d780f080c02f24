// The page behind /docs: lists the operations of openapi.json, and sends requests to them from a form.
// All that comes from the server is put into the page as text, never as markup.
"use strict";

const BASE = location.pathname.replace(/\/docs\/?$/, "");
const JSON_TYPE = "application/json";
let definitions = {};

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function resolve(schema) {
  const name = schema && schema.$ref && schema.$ref.split("/").pop();
  return name ? definitions[name] || {} : schema || {};
}

// A value that a schema allows, as a start for one's own.
function sample(given, depth = 0) {
  const schema = resolve(given);
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const choices = schema.anyOf || schema.oneOf || schema.allOf;
  if (choices) return sample(choices[0], depth);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "object") {
    const required = (schema.required || []).filter((name) => (schema.properties || {})[name]);
    return Object.fromEntries(required.map((name) => [name, sample(schema.properties[name], depth + 1)]));
  }
  if (type === "array") {
    return depth > 8 ? [] : Array.from({ length: Math.max(1, schema.minItems || 1) }, () => sample(schema.items, depth + 1));
  }
  return { string: "text", integer: schema.minimum || 1, number: 1, boolean: true }[type] ?? null;
}

function quoted(text) {
  return "'" + text.replaceAll("'", "'\\''") + "'";
}

function curl(request) {
  const parts = ["curl " + quoted(location.origin + request.url)];
  if (request.method !== "GET") parts.unshift("curl -X " + request.method + " " + parts.shift().slice(5));
  for (const [name, value] of Object.entries(request.headers)) parts.push("-H " + quoted(name + ": " + value));
  if (request.body !== undefined) parts.push("--data-raw " + quoted(request.body));
  return parts.join(" \\\n  ");
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// Sends a request, and shows the answer as it comes: some are streams.
async function send(request, status, output) {
  const begun = performance.now();
  status.className = "note";
  status.textContent = "waiting…";
  output.textContent = "";
  try {
    const { url, ...options } = request;
    const answer = await fetch(url, options);
    const reader = answer.body.getReader(), decoder = new TextDecoder();
    for (let part; !(part = await reader.read()).done; ) output.textContent += decoder.decode(part.value, { stream: true });
    status.textContent = `${answer.status} in ${Math.round(performance.now() - begun)} ms, request ${answer.headers.get("x-request-id")}`;
    if (!answer.ok) status.className = "note failed";
    if ((answer.headers.get("content-type") || "").startsWith(JSON_TYPE)) output.textContent = pretty(output.textContent);
  } catch (error) {
    status.className = "note failed";
    status.textContent = String(error);
  }
}

function parameterFields(operation) {
  return (operation.parameters || []).map((parameter) => {
    const choices = resolve(parameter.schema).enum;
    const input = choices
      ? element("select", {}, ...choices.map((choice) => element("option", { value: choice, textContent: choice })))
      : element("input", { size: 40, required: Boolean(parameter.required), placeholder: parameter.required ? "" : "optional" });
    const note = parameter.description ? element("span", { className: "note", textContent: parameter.description }) : "";
    return { parameter, input, label: element("label", {}, `${parameter.name} (${parameter.in}) `, input, note) };
  });
}

function requestOf(method, path, fields, body) {
  const headers = {}, token = document.getElementById("token").value.trim();
  let url = BASE + path;
  for (const { parameter, input } of fields) {
    const value = input.value.trim();
    if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value && parameter.in === "header") headers[parameter.name] = value;
  }
  if (token) headers.authorization = "Bearer " + token;
  if (!body) return { method: method.toUpperCase(), url, headers };
  headers["content-type"] = JSON_TYPE;
  return { method: method.toUpperCase(), url, headers, body: body.value };
}

function schemas(operation, content) {
  const shown = [];
  if (content) shown.push(["Schema of the body", content.schema]);
  for (const [status, response] of Object.entries(operation.responses)) {
    const answer = (response.content || {})[JSON_TYPE];
    if (answer) shown.push([`${status}: ${response.description}`, resolve(answer.schema)]);
  }
  return shown.map(([name, schema]) =>
    element("details", {}, element("summary", { textContent: name }), element("pre", { textContent: JSON.stringify(schema, null, 2) })));
}

// The inside of an operation, made when it is opened for the first time.
function form(method, path, operation) {
  const content = ((operation.requestBody || {}).content || {})[JSON_TYPE];
  const fields = parameterFields(operation);
  const body = content && element("textarea", {
    rows: 8, spellcheck: false, ariaLabel: "Body", value: JSON.stringify(content.example ?? sample(content.schema), null, 2),
  });
  const command = element("pre"), status = element("span", { className: "note" }), output = element("pre");
  const made = element("form", {}, ...fields.map((field) => field.label), ...(body ? [body] : []), element("button", { textContent: "Send" }), status, command, output);
  const update = () => { command.textContent = curl(requestOf(method, path, fields, body)); };
  made.addEventListener("input", update);
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    update();
    send(requestOf(method, path, fields, body), status, output);
  });
  update();
  return [made, ...schemas(operation, content)];
}

function entry(method, path, operation) {
  const made = element("details", {}, element("summary", {},
    element("span", { className: "method " + method, textContent: method.toUpperCase() }),
    element("code", { textContent: path }),
    element("span", { className: "note", textContent: operation.summary || "" })));
  made.dataset.path = path;
  made.addEventListener("toggle", () => made.append(...form(method, path, operation)), { once: true });
  return made;
}

function group(path) {
  const [, first, second] = path.split("/");
  return { v1: "V1", v2: "V2 (Open Inference)", openai: "OpenAI" }[first] || (second === undefined ? "Server and earlier services" : first);
}

function list(document_) {
  definitions = (document_.components || {}).schemas || {};
  document.title = document.getElementById("title").textContent = `${document_.info.title} ${document_.info.version}`;
  document.getElementById("description").textContent = document_.info.description || "";
  const sections = new Map();
  for (const [path, operations] of Object.entries(document_.paths)) {
    const name = group(path);
    if (!sections.has(name)) sections.set(name, element("section", {}, element("h2", { textContent: name })));
    for (const [method, operation] of Object.entries(operations)) sections.get(name).append(entry(method, path, operation));
  }
  document.getElementById("operations").replaceChildren(...sections.values());
}

document.getElementById("filter").addEventListener("input", ({ target }) => {
  for (const each of document.querySelectorAll("[data-path]")) each.hidden = !each.dataset.path.includes(target.value.trim());
});

fetch(BASE + "/openapi.json")
  .then((answer) => answer.json())
  .then(list)
  .catch((error) => {
    document.getElementById("operations").replaceChildren(element("p", { className: "failed", textContent: String(error) }));
  });
