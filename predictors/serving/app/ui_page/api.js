// Requests to this server, which may ask for a token, and what goes wrong with them.

const BASE = location.pathname.replace(/\/ui\/?$/, "");
let token = "";

export function setToken(given) {
  token = given;
}

// Something that a person can be told: one sentence, the status (0 if the server gave none), and the seconds to wait.
export class Problem extends Error {
  constructor(message, status = 400, retryAfter = 0) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  // Whether the same may go well later.
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

// Sends a request; a body becomes JSON, and makes it a POST. Gives the response if it is a good one.
export async function call(path, { body, signal } = {}) {
  // What people give the page stays on its server, even where that has a fallback elsewhere.
  const headers = { "x-no-fallback": "true" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(BASE + path, {
      method: body === undefined ? "GET" : "POST", headers, body: body === undefined ? undefined : JSON.stringify(body),
      signal, credentials: "same-origin", cache: "no-store",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The server cannot be reached. Is it running, and are you connected?", 0);
  }
  if (response.ok) return response;
  throw new Problem(await reason(response), response.status, Number.parseInt(response.headers.get("retry-after"), 10) || 0);
}

export async function json(path, options) {
  return (await call(path, options)).json();
}

// What the server says is wrong; a proxy before it may say it in another form, or not at all.
async function reason(response) {
  try {
    const { error } = await response.json();
    const said = typeof error === "string" ? error : error.message;
    if (said) return sentence(said);
  } catch {
    // It is no JSON, or not of ours.
  }
  return `The server answered with status ${response.status}.`;
}

export function sentence(text) {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

// The events of a stream (server-sent events), each with its name and its data.
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (let part; !(part = await reader.read()).done; ) {
      const frames = (rest + part.value).split("\n\n");
      rest = frames.pop();
      for (const frame of frames) yield parse(frame);
    }
  } catch (error) {
    if (error.name === "AbortError" || error instanceof Problem) throw error;
    throw new Problem("The connection to the server broke off before the answer was complete.", 0);
  }
}

function parse(frame) {
  const found = { name: "", data: null };
  for (const line of frame.split("\n")) {
    if (line.startsWith("event: ")) found.name = line.slice(7);
    if (line.startsWith("data: ")) found.data = JSON.parse(line.slice(6));
  }
  return found;
}
