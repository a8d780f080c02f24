// The document, with the passages marked that points cite.

import { byId, element } from "./dom.js";

// Citations count characters (Unicode code points), and JavaScript counts UTF-16 code units, of which an emoji has two.
export function codeUnits(text) {
  if (!/[\ud800-\udbff]/.test(text)) return (offset) => offset;
  const starts = new Uint32Array(text.length + 1);
  let count = 0;
  for (let unit = 0; unit < text.length; unit += text.codePointAt(unit) > 0xffff ? 2 : 1) starts[count++] = unit;
  starts[count] = text.length;
  return (offset) => starts[Math.min(offset, count)];
}

// The text in pieces, each with the numbers of the points that cite it.
export function pieces(text, points) {
  const unit = codeUnits(text);
  const edges = [];
  points.forEach((point, number) => {
    for (const { start, end } of point.citations) {
      edges.push({ at: unit(start), number, opens: true }, { at: unit(end), number, opens: false });
    }
  });
  edges.sort((one, other) => one.at - other.at);
  const found = [];
  const open = new Map();
  let from = 0;
  for (const { at, number, opens } of [...edges, { at: text.length, number: -1, opens: true }]) {
    if (at > from) found.push({ text: text.slice(from, at), points: [...open.keys()].sort((one, other) => one - other) });
    from = Math.max(from, at);
    const depth = (open.get(number) ?? 0) + (opens ? 1 : -1);
    if (depth) open.set(number, depth);
    else open.delete(number);
  }
  return found;
}

export class Passages {
  constructor(onChosen) {
    this.container = byId("document");
    this.text = null;
    this.marks = [];
    this.container.addEventListener("click", ({ target }) => {
      const chosen = this.marks.find(({ mark }) => mark === target);
      if (chosen && getSelection().isCollapsed) onChosen(chosen.points[0]);
    });
  }

  // text: null if it is not there yet.
  show(text) {
    this.text = text;
    this.marks = [];
    byId("source-note").hidden = text !== null;
    this.container.hidden = text === null;
    this.container.replaceChildren(text ?? "");
    this.container.scrollTop = 0;
  }

  // Mark what points cite.
  mark(points) {
    if (this.text === null) return;
    const place = this.container.scrollTop;
    this.marks = [];
    this.container.replaceChildren(...pieces(this.text, points).map(({ text, points: cited }) => {
      if (cited.length === 0) return text;
      const mark = element("mark", { tabIndex: -1, textContent: text });
      this.marks.push({ mark, points: cited });
      return mark;
    }));
    this.container.scrollTop = place;
  }

  // Show what a point cites, and go there.
  reveal(number) {
    for (const { mark, points } of this.marks) mark.classList.toggle("active", points.includes(number));
    const first = this.container.querySelector(".active");
    if (!first) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    first.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
    first.focus({ preventScroll: true });
  }
}
