// A model with its card, opened by onnxruntime-web: a picture, numbers or words in, an answer out.

import { bytesOf } from "./bytes.js";
import { locate, outputsOf, read, softmax } from "./decode.js";
import { hintOf } from "./hint.js";
import { decodePicture } from "./picture.js";
import { prepare, readPixels } from "./preprocess.js";
import { generate } from "./words.js";

/**
 * Open a model. ort: the module of onnxruntime-web; bytes: of the .onnx file; card: as it lies in that file.
 * An Error if the engine cannot take it, or the card speaks of outputs that it has not.
 */
export async function openModel(ort, bytes, card) {
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  const missing = outputsOf(card).filter((name) => !session.outputNames.includes(name));
  if (missing.length || !session.inputNames.includes(card.input.name)) {
    throw new Error(`the card does not fit the network: ${missing[0] ?? card.input.name}`);
  }
  return new Model(ort, session, card);
}

// What is never seen and steers what shows it, as HIDDEN in runtime/errors.py: controls, marks of direction.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufffe\uffff]/g;

export class Model {
  constructor(ort, session, card) {
    const labels = (card.labels ?? []).map((label) => label.replace(HIDDEN, "\ufffd"));
    Object.assign(this, { ort, session, card, labels, runner: session }); // the runner may become a faster one
  }

  /**
   * The answer to a picture {rgba, height, width, format}, with what is odd about it as `hint`. threshold: the least
   * confidence, or null for the card's.
   */
  async predict(picture, threshold = null) {
    const { values, shape, view } = prepare(readPixels(picture, this.card.input.color), this.card.input);
    const hint = hintOf(picture, values, shape, this.card);
    const answer = this.answer(await this.run(this.tensor(values, shape)), view, threshold);
    return Object.assign(answer, { hint });
  }

  /** The answer to a row of a table, or an array, as a flat list of numbers. */
  async predictNumbers(numbers) {
    return this.answer(await this.run(this.tensor(Float32Array.from(numbers), this.shapeFor(numbers.length))));
  }

  /** The words that follow a text; the vocabulary must know its words. */
  async generate(text, length = 20) {
    const step = async (token, state) => {
      const tensor = new this.ort.Tensor("int64", [BigInt(token)], [1, 1]);
      const outputs = await this.run(tensor, state ?? {});
      const names = this.session.outputNames.filter((name) => name !== this.card.output.name);
      const inputs = this.session.inputNames.filter((name) => name !== this.card.input.name);
      const rest = Object.fromEntries(inputs.map((name, i) => [name, outputs[names[i]]]));
      return { scores: this.scores(outputs), state: rest };
    };
    return generate(step, text, length, this.card.vocabulary);
  }

  /** All outputs by name, of the input and whatever others there are (the state of networks that have one). */
  async run(tensor, state = {}) {
    const feed = { ...this.noState(), ...state, [this.card.input.name]: tensor };
    return this.runner.run(feed);
  }

  /** What the outputs mean: boxes, or {label, index, confidence, scores} with all `named` where it may be several. */
  answer(outputs, view, threshold = null) {
    if (this.card.task === "detection") return locate(read(outputs, this.card, threshold), this.labels, view);
    const scores = this.scores(outputs);
    const index = scores.indexOf(Math.max(...scores));
    if (this.card.task !== "classification") return { label: "", index, confidence: NaN, scores };
    const label = this.labels[index] ?? String(index);
    if (this.card.output.scores !== "sigmoids") return { label, index, confidence: scores[index], scores };
    const named = this.named(scores, threshold);
    return { label: named.length ? label : "", index, confidence: scores[index], scores, named };
  }

  /** The classes that reach the least score, the surest first, of a model that judges each by itself. */
  named(scores, threshold) {
    const { score, most } = this.card.thresholds;
    const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]).slice(0, most);
    return order.filter((i) => scores[i] >= Math.fround(threshold ?? score))
      .map((index) => ({ label: this.labels[index] ?? String(index), index, confidence: scores[index] }));
  }

  /** The output that holds the scores, as probabilities where it has classes. */
  scores(outputs) {
    const { data } = outputs[this.card.output.name];
    return this.card.output.scores === "logits" ? softmax(data) : Float32Array.from(data);
  }

  /**
   * The largest difference between the answer to the card's own sample and the one that was recorded there; null
   * where there is none. Boxes are compared by their scores.
   */
  async check() {
    const { sample } = this.card;
    const boxes = this.card.task === "detection"; // none in the sample is an answer as well
    if (!sample || (!boxes && !sample.output.length)) return null;
    const { input } = this.card;
    const outputs = sample.input.encoding === "png"
      ? await this.run(await this.samplePicture())
      : await this.run(this.sampleNumbers(sample.input.data.flat(Infinity), input.kind));
    if (boxes) {
      const found = read(outputs, this.card).map(({ score }) => score);
      const expected = sample.output.map((row) => row[4]);
      const byNumber = (a, b) => a - b;
      return difference(found.sort(byNumber), expected.sort(byNumber));
    }
    return difference(outputs[this.card.output.name].data, sample.output.flat(Infinity));
  }

  async samplePicture() {
    const picture = await decodePicture(new Blob([bytesOf(this.card.sample.input.data)], { type: "image/png" }));
    const { values, shape } = prepare(readPixels(picture, this.card.input.color), this.card.input);
    return this.tensor(values, shape);
  }

  sampleNumbers(numbers, kind) {
    if (kind !== "tokens") return this.tensor(Float32Array.from(numbers), this.shapeFor(numbers.length));
    return new this.ort.Tensor("int64", numbers.map(BigInt), [numbers.length, 1]);
  }

  tensor(values, shape) {
    return new this.ort.Tensor(values instanceof Uint8Array ? "uint8" : "float32", values, shape);
  }

  /** The input's shape for so many numbers: one size that is free takes them; an Error if they do not fit. */
  shapeFor(count) {
    const shape = [1, ...this.card.input.shape.slice(1)];
    const known = shape.reduce((product, n) => product * (n ?? 1), 1);
    const free = shape.indexOf(null);
    if (free >= 0) shape[free] = count / known;
    const whole = shape.map((n) => n ?? 1);
    if (!count || whole.reduce((a, b) => a * b, 1) !== count || !whole.every(Number.isInteger)) {
      throw new RangeError(`${count}`);
    }
    return whole;
  }

  /** Zeros for the inputs that hold a state. */
  noState() {
    const others = this.session.inputMetadata.filter(({ name }) => name !== this.card.input.name);
    return Object.fromEntries(others.map(({ name, shape, type }) => {
      const sizes = shape.map((n) => (typeof n === "number" && n > 0 ? n : 1));
      const count = sizes.reduce((a, b) => a * b, 1);
      const zeros = type === "int64" ? new BigInt64Array(count) : new Float32Array(count);
      return [name, new this.ort.Tensor(type, zeros, sizes)];
    }));
  }
}

function difference(found, expected) {
  if (found.length !== expected.length) return Infinity;
  return expected.reduce((worst, n, i) => Math.max(worst, Math.abs(found[i] - n)), 0);
}
