// Another engine, where it is faster on this device and its answers are equal: WebGPU (the graphics processor), WebNN (what the
// system offers). Both are tried after the first answer, and what was found is remembered for this model on this device.

import { fetched } from "./files.js";

const WAYS = {
  WebGPU: { provider: "webgpu", there: async () => (await graphics()) !== null },
  WebNN: { provider: { name: "webnn", deviceType: "gpu" }, there: async () => Boolean(navigator.ml) },
};
const SLOW = 15; // ms of the processor for a picture, from which on it is worth the 4 MB that are loaded
const GAIN = 0.8; // of the processor's time, from which on another is faster
const [ROUNDS, LONGEST] = [7, 1500]; // runs that are measured, and ms after which no further one is begun
const CAREFUL = 5; // pictures that both judge at first
const TOLERANCE = 1e-3; // of the largest number of an output

/**
 * Let the faster engine answer; {name, ms, processor, why} where others were tried or remembered, else null.
 *
 * why: "faster", "not_faster", "not_equal". options: ways, slow, gain, for tests. tell: told when it turns out later that
 * answers are not equal.
 */
export async function seekFaster(model, key, tell, options = {}) {
  const { ways = WAYS, slow = SLOW, gain = GAIN } = options;
  if (!globalThis.WebAssembly?.Suspending || navigator.connection?.saveData) return null; // the engine is built upon it
  const inputs = await examples(model);
  if (!inputs) return null;
  const known = remembered(key);
  if (known?.why !== undefined && known.why !== "faster") return known;
  const sure = await measured(model.session, model.ort, inputs);
  if (sure.ms < slow) return null;
  const names = [];
  for (const [name, { there }] of Object.entries(ways)) if ((!known || known.name === name) && (await there())) names.push(name);
  if (!names.length) return null;
  const best = await bestOf(names, ways, inputs, sure);
  if (!best) return null;
  const why = !best.equal ? "not_equal" : best.ms > gain * sure.ms ? "not_faster" : "faster";
  const found = { name: best.name, ms: Math.round(best.ms), processor: Math.round(sure.ms), why };
  remember(key, found);
  if (why === "faster") {
    model.runner = new Compared(best.session, model.session, () => {
      model.runner = model.session;
      remember(key, { ...found, why: "not_equal" });
      tell({ ...found, why: "not_equal" });
    });
  }
  return found;
}

/** The fastest of those whose answers are equal; one with others if there is none; null if none runs here. */
async function bestOf(names, ways, inputs, sure) {
  const ort = await import("./ort_gpu.js");
  ort.env.wasm.wasmPaths = { wasm: new URL("./ort_gpu.wasm", document.baseURI).href };
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const bytes = new Uint8Array(await (await fetched("model.onnx")).arrayBuffer());
  const found = [];
  for (const name of names) {
    try {
      const session = await ort.InferenceSession.create(bytes, { executionProviders: [ways[name].provider] });
      const other = await measured(session, ort, inputs);
      found.push({ name, session, ms: other.ms, equal: other.outputs.every((one, i) => equal(one, sure.outputs[i])) });
    } catch {
      continue; // it does not run here, or not this network
    }
  }
  found.sort((a, b) => b.equal - a.equal || a.ms - b.ms);
  return found[0] ?? null;
}

/** An adapter of WebGPU that is no imitation by the processor. */
async function graphics() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return !adapter || adapter.isFallbackAdapter || adapter.info?.isFallbackAdapter ? null : adapter;
}

/** The outputs for each input, and the middle of the ms that a run took once it was warm. */
async function measured(session, ort, inputs) {
  const feeds = inputs.map(({ name, type, values, shape }) => ({ [name]: new ort.Tensor(type, values, shape) }));
  const outputs = [];
  for (const feed of feeds) outputs.push(plain(await session.run(feed)));
  const times = [];
  const start = performance.now();
  while (times.length < ROUNDS && (times.length < 1 || performance.now() - start < LONGEST)) {
    await new Promise((resume) => setTimeout(resume)); // the page stays alive
    const before = performance.now();
    await session.run(feeds[0]);
    times.push(performance.now() - before);
  }
  return { outputs, ms: times.sort((a, b) => a - b)[times.length >> 1] };
}

/** The card's sample and two pictures of noise, as the network takes them; null for networks that take no picture of one size. */
async function examples({ card, session }) {
  const { name, kind, shape } = card.input;
  if (kind !== "image" || session.inputNames.length > 1) return null;
  const whole = [1, ...shape.slice(1)];
  if (!whole.every(Number.isInteger)) return null;
  const bytes = session.inputMetadata[0].type === "uint8";
  const count = whole.reduce((a, b) => a * b, 1);
  return [1, 2, 3].map((seed) => {
    let state = seed; // a linear congruential generator: the same numbers everywhere
    const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const values = bytes ? Uint8Array.from({ length: count }, () => 256 * next()) : Float32Array.from({ length: count }, () => 4 * next() - 2);
    return { name, type: bytes ? "uint8" : "float32", values, shape: whole };
  });
}

function plain(outputs) {
  return Object.fromEntries(Object.entries(outputs).map(([name, { data, dims }]) => [name, { data: Array.from(data, Number), dims: [...dims] }]));
}

/** Whether outputs are the same but for the last digits. */
function equal(found, expected) {
  return Object.keys(expected).every((name) => {
    const [one, other] = [found[name], expected[name]];
    if (!one || String(one.dims) !== String(other.dims)) return false;
    const largest = other.data.reduce((most, n) => Math.max(most, Math.abs(n)), 1);
    return other.data.every((n, i) => Math.abs(one.data[i] - n) <= TOLERANCE * largest);
  });
}

/** Answers by the fast session; at first both are asked, and one that differs or fails ends it. One after the other. */
class Compared {
  constructor(fast, sure, wrong) {
    Object.assign(this, { fast, sure, wrong, left: CAREFUL, turn: Promise.resolve() });
  }

  run(feed) {
    this.turn = this.turn.catch(() => {}).then(() => this.answer(feed));
    return this.turn;
  }

  async answer(feed) {
    if (this.ended) return this.sure.run(feed);
    const found = await this.fast.run(feed).catch(() => null);
    if (found && this.left <= 0) return found;
    const expected = await this.sure.run(feed);
    this.left -= 1;
    if (!found || !equal(plain(found), plain(expected))) {
      this.ended = true;
      this.wrong();
    }
    return expected;
  }
}

function remembered(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null; // no storage is allowed, or somebody has changed it
  }
}

function remember(key, found) {
  try {
    localStorage.setItem(key, JSON.stringify(found));
  } catch {
    // then it is measured again next time
  }
}
