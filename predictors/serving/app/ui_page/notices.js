// What went wrong, and when to try again.

import { byId } from "./dom.js";

let ticking = 0;

export function hideProblem() {
  clearInterval(ticking);
  byId("problem").hidden = true;
  byId("problem-text").textContent = "";
}

// again: what to do again; null if that would be of no use.
export function showProblem(problem, again = null) {
  hideProblem();
  byId("problem").hidden = false;
  byId("problem-text").textContent = problem.message;
  const button = byId("again");
  button.hidden = again === null;
  button.onclick = () => {
    hideProblem();
    again();
  };
  countDown(button, problem.retryAfter);
}

function countDown(button, seconds) {
  const until = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `Try again in ${left} s` : "Try again";
    if (left <= 0) clearInterval(ticking);
  };
  if (seconds > 0) ticking = setInterval(tick, 500);
  tick();
}
