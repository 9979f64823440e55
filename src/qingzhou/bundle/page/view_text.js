// Models that go on with a text.

import { make } from "./show.js";
import { say } from "./texts.js";
import { UnknownWord } from "./words.js";

/** Build the view into an element. */
export function textView(home, model) {
  const names = Object.keys(model.card.vocabulary);
  const text = make("textarea", { rows: 3, required: true, value: names.find((name) => name.trim()) ?? "" });
  const length = make("input", { type: "number", min: 1, max: 1000, value: 20 });
  const made = make("p", { className: "made", "aria-live": "polite" });
  const problem = make("p", { className: "note", hidden: true, role: "alert" });
  const form = make(
    "form", {}, make("label", { className: "area" }, say("start"), text), make("label", {}, say("length"), length),
    make("button", { className: "main" }, say("go_on")),
  );
  form.onsubmit = async (event) => {
    event.preventDefault();
    problem.hidden = true;
    try {
      made.textContent = await model.generate(text.value, Number(length.value));
    } catch (error) {
      const unknown = error instanceof UnknownWord;
      problem.textContent = unknown ? say("unknown", error.word, error.some.join(" ")) : say("failed", error.message);
      problem.hidden = false;
    }
  };
  home.append(form, problem, made, make("p", { className: "faint" }, say("words", names.length, names.slice(0, 30).join(" "))));
}
