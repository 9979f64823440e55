// Models that take numbers: a field for each feature of a table's row, or one for a whole array.

import { make, showAnswer } from "./show.js";
import { say } from "./texts.js";

const MOST_FIELDS = 40;

/** Build the view into an element. */
export function numbersView(home, model) {
  const { shape } = model.card.input;
  const sizes = shape.slice(1);
  const single = sizes.filter((n) => n !== 1).length <= 1 && !sizes.includes(null);
  const count = sizes.reduce((product, n) => product * n, 1);
  const known = sampleRow(model.card, sizes.includes(null) ? null : count);
  const fields = single && count <= MOST_FIELDS ? singleFields(count, known) : oneField(sizes, known);
  const panel = make("section", { className: "answer", "aria-live": "polite" });
  const problem = make("p", { className: "note", hidden: true, role: "alert" });
  const form = make("form", {}, fields.element, make("button", { className: "main" }, say("predict")));
  form.onsubmit = async (event) => {
    event.preventDefault();
    problem.hidden = true;
    try {
      showAnswer(panel, await model.predictNumbers(readNumbers(fields.texts())), model);
    } catch (error) {
      problem.textContent = complaint(error, shape);
      problem.hidden = false;
    }
  };
  home.append(form, problem, panel);
}

function singleFields(count, known) {
  const inputs = Array.from({ length: count }, (_, i) => {
    return make("input", { type: "text", inputMode: "decimal", required: true, value: known[i] ?? "", name: `x${i}` });
  });
  const labels = inputs.map((input, i) => make("label", {}, say("feature", i + 1), input));
  return { element: make("div", { className: "fields" }, ...labels), texts: () => inputs.map(({ value }) => value) };
}

function oneField(sizes, known) {
  const area = make("textarea", { rows: 8, required: true, spellcheck: false, value: known.join(", ") });
  const title = sizes.includes(null) ? say("any_numbers") : say("numbers", sizes.join(" × "));
  const element = make("label", { className: "area" }, title, area);
  return { element, texts: () => area.value.split(/[\s,;，；、[\]()]+/).filter(Boolean) };
}

/** The first row of the card's own sample, as a start. */
function sampleRow(card, count) {
  if (card.sample?.input.encoding !== "json") return [];
  const numbers = card.sample.input.data.flat(Infinity);
  return numbers.slice(0, count ?? numbers.length).map((n) => Number(n.toPrecision(6)));
}

function readNumbers(texts) {
  return texts.map((text) => {
    const number = Number(text.trim().replace("，", ",").replace(/^([^,]*),([^,]*)$/, "$1.$2"));
    if (!text.trim() || !Number.isFinite(number)) throw Object.assign(new Error(text), { name: "no_number" });
    return number;
  });
}

function complaint(error, shape) {
  if (error.name === "no_number") return say("no_number", error.message);
  if (error instanceof RangeError) return say("count", error.message, `[${shape.map((n) => n ?? "N").join(", ")}]`);
  return say("failed", error.message);
}
