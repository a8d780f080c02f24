// The points of a summary: by topic, under what they mean.

import { byId, element } from "./dom.js";

// In the order of display, as in the summarizer.
export const TOPICS = {
  cost: "Cost and renewal",
  cancelling: "Cancelling and refunds",
  cover: "Cover and warranty",
  data: "What they know of you",
  sharing: "Whom they tell",
  content: "Your content",
  limits: "Limits and bans",
  liability: "Liability",
  disputes: "Disputes",
  changes: "Changes",
  ending: "Ending",
  other: "Also worth knowing",
};

// [topic, [gloss, [[number, point], …]], …]: topics in their order, glosses and points in that of their first.
export function grouped(points) {
  const topics = new Map(Object.keys(TOPICS).map((topic) => [topic, new Map()]));
  points.forEach((point, number) => {
    const glosses = topics.get(point.topic) ?? topics.get("other");
    if (!glosses.has(point.gloss)) glosses.set(point.gloss, []);
    glosses.get(point.gloss).push([number, point]);
  });
  return [...topics].filter(([, glosses]) => glosses.size > 0).map(([topic, glosses]) => [topic, [...glosses]]);
}

export class Points {
  // onShow: called with a point's number when its place is asked for.
  constructor(onShow) {
    this.container = byId("points");
    this.onShow = onShow;
    this.items = [];
  }

  // readable: whether there is a text in which their places can be shown.
  show(points, readable) {
    const focused = this.items.find(({ button }) => button === document.activeElement)?.key;
    this.items = [];
    this.container.replaceChildren(...grouped(points).map(([topic, glosses]) =>
      element("section", { className: "card" },
        element("h3", { textContent: TOPICS[topic] }),
        ...glosses.flatMap(([gloss, told]) => [
          element("p", { className: "gloss", textContent: gloss }),
          element("ul", {}, ...told.map(([number, point]) => this.item(number, point, readable))),
        ]))));
    this.items.find(({ key }) => key === focused)?.button.focus({ preventScroll: true });
  }

  item(number, point, readable) {
    const text = element("span", { id: `point-${number}`, textContent: point.text });
    const button = element("button", { type: "button", className: "place", textContent: "in the text", hidden: !readable });
    button.setAttribute("aria-describedby", text.id);
    button.addEventListener("click", () => this.onShow(number));
    const made = element("li", {}, text, " ", button);
    if (point.quote) made.append(element("blockquote", { textContent: point.quote }));
    this.items.push({ number, made, button, key: JSON.stringify([point.text, point.citations]) });
    return made;
  }

  // Make a point stand out, and its button the one that has the focus.
  choose(number) {
    for (const each of this.items) each.made.classList.toggle("active", each.number === number);
  }

  focus(number) {
    const found = this.items.find((each) => each.number === number);
    found?.made.scrollIntoView({ block: "nearest" });
    found?.button.focus();
  }
}
