// The page: load the engine and the model, test it, and build the view that suits it.
//
// The model runs in the page itself and not in a worker: there it is bound by the page's Content-Security-Policy, which
// allows no connection to anywhere else.

import * as ort from "./ort.js";
import { bytesOf } from "./bytes.js";
import { carried, fetched } from "./files.js";
import { openModel } from "./model.js";
import { make } from "./show.js";
import { say } from "./texts.js";
import { numbersView } from "./view_numbers.js";
import { pictureView } from "./view_picture.js";
import { textView } from "./view_text.js";

const VIEWS = { image: pictureView, table: numbersView, array: numbersView, tokens: textView };
const TOLERANCE = 1e-3; // of cards that do not say
const status = document.querySelector("#status");

if (carried("ort.wasm")) ort.env.wasm.wasmBinary = await (await fetched("ort.wasm")).arrayBuffer();
else ort.env.wasm.wasmPaths = { wasm: new URL("./ort.wasm", import.meta.url).href };
ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency ?? 1) : 1;
ort.env.logLevel = "error";

// An operator Identity, the smallest of all models: to open it the engine is fetched and compiled, while the page's own is on its way.
const SMALLEST = "CAc6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0=";

async function start() {
  const engine = ort.InferenceSession.create(bytesOf(SMALLEST), { executionProviders: ["wasm"] });
  engine.catch(() => {}); // it is told where it is waited for
  const [card, bytes] = await Promise.all([fetched("card.json").then((found) => found.json()), download("model.onnx")]);
  status.textContent = say("engine");
  await (await engine).release();
  const model = await openModel(ort, bytes, card);
  const view = VIEWS[card.input.kind](document.querySelector("#view"), model);
  if (!globalThis.isSecureContext) view.withoutCamera?.(say("insecure"));
  await test(model);
  return { model, view };
}

/** A file's bytes, saying how much of it is here. */
async function download(name) {
  const response = await fetched(name);
  const total = Number(response.headers.get("content-length"));
  const packed = response.headers.has("content-encoding"); // then the length is another
  if (!response.body || !total || packed) return new Uint8Array(await response.arrayBuffer());
  const parts = [];
  let have = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    parts.push(value);
    have += value.length;
    status.textContent = say("loading", (have / 1e6).toFixed(1), (total / 1e6).toFixed(1));
  }
}

/** The model's own sample: does this browser say what was recorded? */
async function test(model) {
  const worst = await model.check();
  const expected = model.card.sample?.output?.flat(Infinity) ?? [];
  const size = model.card.task === "detection" ? 1 : Math.max(1, ...expected.map(Math.abs));
  const good = worst === null || worst <= (model.card.sample.tolerance ?? TOLERANCE) * size;
  status.className = good ? "good" : "note";
  const texts = worst === null ? [say("ready")] : [say("ready"), say("checked")];
  status.textContent = good ? texts.join(say("gap")) : say("failed_check", worst.toPrecision(3));
}

const meta = (name) => document.querySelector(`meta[name="qingzhou-${name}"]`)?.content;

/** What can wait until the model has answered: sharing the page, keeping it, and a faster engine. */
async function rest({ model }, footer) {
  const [tools, engine, line] = footer.children;
  const { shareButton } = await import("./share.js");
  tools.append(shareButton());
  if (carried("model.onnx")) return; // one file: there is nothing else to keep or to load
  const { keepOffline } = await import("./offline.js");
  await keepOffline(line, tools);
  if (!meta("graphics")) return;
  const { seekFaster } = await import("./faster.js");
  const tell = ({ why, name, ms, processor }) => {
    const values = { faster: [name, ms, processor], not_faster: [processor, name], not_equal: [name] };
    engine.textContent = say(why, ...values[why]);
  };
  engine.textContent = say("trying");
  const found = await seekFaster(model, `qingzhou ${meta("model")}`, tell).finally(() => (engine.textContent = ""));
  if (found) tell(found);
}

const footer = make("footer", {}, document.querySelector("template").content.cloneNode(true));
try {
  globalThis.qingzhou = await start(); // for who looks with the browser's tools
} catch (error) {
  status.className = "note";
  status.textContent = say("broken", error.message);
  throw error;
} finally {
  document.body.append(footer);
  document.body.dataset.state = globalThis.qingzhou ? "ready" : "broken";
}
rest(globalThis.qingzhou, footer).catch((error) => console.warn(error));
