// From a picture to the numbers that a network takes: the steps of the model's card, as prepare.py of the Python runtime
// does them.

import { fitInside, fitLetterbox, fitWithin, resize, roundHalfEven, shortSideTo } from "./resize.js";

const MOST_PIXELS = 90_000_000;
const f = Math.fround;

/**
 * The pixels that a network looks at, without alpha, in "RGB" or "BGR" order or "GRAY".
 * picture: {rgba, height, width, format}: four bytes a pixel; format is "png", "jpeg", … or "" for a camera's frame.
 */
export function readPixels(picture, color) {
  const { rgba, height, width } = picture;
  const count = height * width;
  const channels = color === "GRAY" ? 1 : 3;
  const data = new Uint8Array(count * channels);
  if (color === "GRAY") {
    fillGrey(data, rgba, picture.format);
  } else {
    const [first, last] = color === "RGB" ? [0, 2] : [2, 0];
    for (let i = 0, from = 0, to = 0; i < count; i++, from += 4, to += 3) {
      data[to + first] = rgba[from];
      data[to + 1] = rgba[from + 1];
      data[to + last] = rgba[from + 2];
    }
  }
  return { data, height, width, channels };
}

/** Brightness in whole numbers, as OpenCV computes it, which depends on the file's format; greys stay as they are. */
function fillGrey(data, rgba, format) {
  const bits = ["png", "webp", ""].includes(format) ? 15 : 14;
  const scale = 1 << bits;
  const png = format === "png";
  const rounded = png ? Math.trunc : Math.round;
  const [red, green] = [rounded(0.299 * scale), rounded(0.587 * scale)];
  const blue = scale - red - green;
  for (let i = 0, from = 0; i < data.length; i++, from += 4) {
    data[i] = (rgba[from] * red + rgba[from + 1] * green + rgba[from + 2] * blue + (png ? 0 : scale / 2)) >> bits;
  }
}

/** [height, width] of a network's input, null where any is taken. */
export function sides({ shape, layout }) {
  return layout === "NHWC" ? shape.slice(1, 3) : shape.slice(2);
}

function channelsOf({ shape, layout }) {
  return layout === "NHWC" ? shape[3] : shape[1];
}

/**
 * A picture from readPixels -> {values, shape, view}: values is (1, C, H, W) as Float32Array, or (1, H, W, C) where the
 * network takes that.
 * view: where the picture lies in the network's input: x there is x * scaleX + left, and so for y.
 */
export function prepare(pixels, entry) {
  let view = { height: pixels.height, width: pixels.width, scaleX: 1, scaleY: 1, left: 0, top: 0 };
  let picture = pixels;
  for (const step of entry.steps ?? []) {
    const before = picture;
    picture = STEPS[step.op](before, step, entry);
    view = follow(view, step, before, picture);
  }
  const [channels, [wantedHeight, wantedWidth]] = [channelsOf(entry), sides(entry)];
  const [height, width] = [wantedHeight ?? picture.height, wantedWidth ?? picture.width];
  view = resized(view, picture, { height, width });
  check(height, width);
  picture = resize(picture, height, width, "cv2");
  if (picture.channels !== channels) throw new Error(`${picture.channels} channels, the network takes ${channels}`);
  const apart = entry.layout !== "NHWC";
  const values = apart ? planes(picture) : Float32Array.from(picture.data);
  return { values, shape: apart ? [1, channels, height, width] : [1, height, width, channels], view };
}

/** Channel by channel, as 32-bit floats. */
function planes(picture) {
  const { data, channels } = picture;
  const size = picture.height * picture.width;
  const values = new Float32Array(size * channels);
  for (let c = 0, to = 0; c < channels; c++) {
    for (let from = c; to < (c + 1) * size; from += channels) values[to++] = data[from];
  }
  return values;
}

function resized(view, before, after) {
  const [y, x] = [after.height / before.height, after.width / before.width];
  return { ...view, scaleX: view.scaleX * x, scaleY: view.scaleY * y, left: view.left * x, top: view.top * y };
}

function moved(view, right, down) {
  return { ...view, left: view.left + right, top: view.top + down };
}

function follow(view, step, before, after) {
  if (step.op === "resize") return resized(view, before, after);
  if (step.op === "pad") return moved(view, step.border[0], step.border[1]);
  if (step.op === "pad_to" && step.center) return moved(view, half(after.width - before.width), half(after.height - before.height));
  if (step.op !== "center_crop") return view;
  return moved(view, offset(before.width, after.width), offset(before.height, after.height));
}

/** What center_crop puts before the first pixel, or cuts off there: half of the difference, half to even. */
function offset(before, after) {
  return after > before ? Math.floor((after - before) / 2) : -roundHalfEven((before - after) / 2);
}

function resizeStep(picture, step) {
  const { height, width } = picture;
  let size = step.size;
  if (step.within) size = fitWithin(step.within, height, width);
  if (step.inside) size = fitInside(step.inside, height, width);
  if (step.letterbox) size = fitLetterbox(step.letterbox, height, width);
  if (step.short) size = shortSideTo(step.short, height, width);
  check(size[0], size[1]);
  return resize(picture, size[0], size[1], step.interpolation);
}

function centerCrop(picture, step) {
  const [high, wide] = step.size;
  const top = -offset(picture.height, high);
  const left = -offset(picture.width, wide);
  return cut(picture, top, left, high, wide, 0);
}

function pad(picture, step) {
  const [left, top, right, bottom] = step.border;
  return cut(picture, -top, -left, picture.height + top + bottom, picture.width + left + right, step.value);
}

/**
 * Filled up at the right and bottom, or all round, with zeros or a number for each channel; what is larger than a given
 * size stays.
 */
function padTo(picture, step) {
  const up = (side) => Math.ceil(side / step.multiple) * step.multiple;
  const height = step.multiple ? up(picture.height) : Math.max(picture.height, step.size[0]);
  const width = step.multiple ? up(picture.width) : Math.max(picture.width, step.size[1]);
  const [top, left] = step.center ? [half(height - picture.height), half(width - picture.width)] : [0, 0];
  return cut(picture, -top, -left, height, width, fill(step.value ?? 0, picture.data));
}

function half(count) {
  return Math.floor(count / 2);
}

/** What fills a picture up: of pixels in whole numbers of 0 to 255, halves to even as OpenCV rounds. */
function fill(value, data) {
  if (!Array.isArray(value) || !(data instanceof Uint8Array)) return value;
  return value.map((n) => Math.min(255, Math.max(0, roundHalfEven(n))));
}

/** No step makes a picture of more than this, however many steps there are. */
function check(height, width) {
  if (height * width > MOST_PIXELS) throw new Error("too large");
}

/** A window of so many rows and columns, from a row and a column on; `value` (one, or one for each channel) outside. */
function cut(picture, top, left, height, width, value) {
  const { data, channels } = picture;
  check(height, width);
  const out = new data.constructor(height * width * channels);
  if (Array.isArray(value)) out.forEach((_, i) => (out[i] = value[i % channels]));
  else if (value) out.fill(value);
  const first = Math.max(0, left);
  const count = (Math.min(picture.width, left + width) - first) * channels;
  for (let y = Math.max(0, top); y < Math.min(picture.height, top + height) && count > 0; y++) {
    const from = (y * picture.width + first) * channels;
    out.set(data.subarray(from, from + count), ((y - top) * width + first - left) * channels);
  }
  return { data: out, height, width, channels };
}

/** Brightness by the channels as they lie (0.299, 0.587, 0.114), in each of them, or in one where the network takes one. */
function gray(picture, step, entry) {
  if (picture.channels === 1) return picture;
  const { data, height, width } = picture;
  const channels = channelsOf(entry) === 1 ? 1 : 3;
  const out = new data.constructor(height * width * channels);
  const whole = data instanceof Uint8Array;
  for (let from = 0, to = 0; from < data.length; from += 3) {
    const [a, b, c] = [data[from], data[from + 1], data[from + 2]];
    const grey = whole
      ? (a * 19595 + b * 38470 + c * 7471 + 0x8000) >> 16 // Pillow's L24
      : a * f(0.299) + b * f(0.587) + c * f(0.114);
    for (let k = 0; k < channels; k++) out[to++] = grey;
  }
  return { data: out, height, width, channels };
}

/** (x - mean) / std per channel, every step in 32 bits as numpy does it. */
function normalize(picture, step) {
  const { data, height, width, channels } = picture;
  const out = new Float32Array(data.length);
  for (let c = 0; c < channels; c++) {
    const [mean, std] = [f(step.mean[c]), f(step.std[c])];
    for (let i = c; i < data.length; i += channels) out[i] = f(data[i] - mean) / std;
  }
  return { data: out, height, width, channels };
}

const STEPS = { resize: resizeStep, center_crop: centerCrop, pad, pad_to: padTo, gray, normalize };
