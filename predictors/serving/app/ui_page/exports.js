// A summary as a file, or on the clipboard.

import { element } from "./dom.js";
import { TOPICS, grouped } from "./points.js";

// Whatever a point holds, it stays a text: no markup, no link.
const escaped = (text) => text.replace(/[\\`*_{}[\]<>#|~!]/g, "\\$&").replace(/&/g, "&amp;").replace(/\s+/g, " ");

export function markdown(name, points) {
  const lines = [`# ${escaped(name)}`];
  for (const [topic, glosses] of grouped(points)) {
    lines.push("", `## ${TOPICS[topic]}`);
    for (const [gloss, told] of glosses) {
      lines.push("", `*${escaped(gloss)}*`, "");
      for (const [, { text, citations }] of told) {
        lines.push(`- ${escaped(text)} (${citations.map(({ start, end }) => `${start}–${end}`).join(", ")})`);
      }
    }
  }
  return lines.join("\n") + "\n";
}

export function plain(points) {
  return grouped(points).map(([topic, glosses]) => [
    TOPICS[topic].toUpperCase(),
    ...glosses.flatMap(([gloss, told]) => [gloss, ...told.map(([, { text }]) => `- ${text}`)]),
  ].join("\n")).join("\n\n") + "\n";
}

export function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = element("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// Browsers lend their clipboard only to pages that came over TLS or from this machine; the old way does for the others.
export async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = element("textarea", { value: text, className: "away" });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser does not let pages copy");
}
