// The model in this browser, with the modules of the page that bundles for browsers have.

import { make, setText } from "./dom.js";
import { say } from "./texts.js";

const TOLERANCE = 1e-3; // of cards that do not say
let open = null; // one at a time: there is one camera, and pictures are dropped anywhere on the page

/** The section that starts it. found: {model: address, card}. */
export function trial(found) {
  const words = make("p", { className: "faint", role: "status" }, say("try_note"));
  const view = make("div", { className: "view" });
  const start = make("button", { type: "button", className: "main" }, say("try_start"));
  const section = make("section", { className: "trial" }, make("h3", {}, say("try_it")), words, start, view);
  start.onclick = async () => {
    start.disabled = true;
    words.className = "faint";
    try {
      const model = await load(found, (text) => setText(words, text));
      await verdict(model, words);
      await show(model, view);
      start.hidden = true;
      view.querySelector("button, textarea, input")?.focus();
      section.dataset.ready = "true";
    } catch (error) {
      words.className = "note bad";
      words.textContent = say("try_broken", error.message);
      start.disabled = false;
    }
  };
  return section;
}

/** Whether a trial takes what is dropped on the page. */
export function takesDrops() {
  return Boolean(open);
}

async function load({ model: address, card }, tell) {
  const bytes = await download(address, (share) => tell(say("try_loading", Math.floor(100 * share))));
  tell(say("try_engine"));
  const [ort, { openModel }] = await Promise.all([engine(), import("./browser/model.js")]);
  return openModel(ort, bytes, card);
}

async function engine() {
  const ort = await import("./ort/ort.js");
  ort.env.wasm.wasmPaths = { wasm: new URL("./ort/ort.wasm", import.meta.url).href };
  ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency ?? 1) : 1;
  ort.env.logLevel = "error";
  return ort;
}

async function download(address, onProgress) {
  const response = await fetch(address, { headers: { "X-Qingzhou": "1" } });
  if (!response.ok) throw new Error(response.status === 404 ? say("expired") : `${response.status}`);
  const total = Number(response.headers.get("content-length"));
  const reader = response.body.getReader();
  const parts = [];
  for (let have = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    parts.push(value);
    have += value.length;
    if (total) onProgress(Math.min(1, have / total));
  }
}

/** Does this browser say what the server has recorded? */
async function verdict(model, words) {
  const worst = await model.check();
  const expected = model.card.sample?.output?.flat(Infinity) ?? [];
  const size = model.card.task === "detection" ? 1 : Math.max(1, ...expected.map(Math.abs));
  const good = worst === null || worst <= (model.card.sample.tolerance ?? TOLERANCE) * size;
  words.className = good ? "good" : "note bad";
  words.textContent = good ? say(worst === null ? "try_ready" : "try_checked") : say("try_differs", worst.toPrecision(3));
}

async function show(model, home) {
  open?.close?.();
  const views = {
    image: ["./browser/view_picture.js", "pictureView"], table: ["./browser/view_numbers.js", "numbersView"],
    array: ["./browser/view_numbers.js", "numbersView"], tokens: ["./browser/view_text.js", "textView"],
  };
  const [file, name] = views[model.card.input.kind];
  const [module, texts] = await Promise.all([import(file), import("./browser/texts.js")]);
  texts.change("Insecure", say("insecure"));
  open = module[name](home, model) ?? {};
  home.querySelector("nav")?.setAttribute("aria-label", say("choices"));
  globalThis.qingzhou = { model, view: open }; // for who looks with the browser's tools
}
