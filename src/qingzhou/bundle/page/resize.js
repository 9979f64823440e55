// Resizing as the training tools did it: Pillow's antialiased bilinear, and OpenCV's INTER_LINEAR.
// The same arithmetic as prepare.py and cv2_linear.py of the Python runtime, so that a browser's answers are Python's.
//
// A picture is {data, height, width, channels}: data is a Uint8Array or Float32Array, row by row, the channels of a
// pixel side by side.

const PILLOW_BITS = 22; // of Pillow's fixed-point weights: PRECISION_BITS in src/libImaging/Resample.c
const CV2_BITS = 11; // of OpenCV's: INTER_RESIZE_COEF_BITS in modules/imgproc/src/resize.cpp
const f = Math.fround;

/** [height, width] with the short side `short` and the other in proportion, rounded down as mmcls does. */
export function shortSideTo(short, height, width) {
  return width < height ? [Math.trunc((short * height) / width), short] : [short, Math.trunc((short * width) / height)];
}

/** [height, width] as large as two sides, longer and shorter in any order, allow. */
export function fitWithin(sides, height, width) {
  const long = Math.max(...sides) / Math.max(height, width);
  return scaled(Math.min(long, Math.min(...sides) / Math.min(height, width)), height, width);
}

/** [height, width] as large as fits into a size [height, width]. */
export function fitInside(size, height, width) {
  return scaled(Math.min(size[0] / height, size[1] / width), height, width);
}

/** The same with halves rounded to even, as Ultralytics does. */
export function fitLetterbox(size, height, width) {
  const scale = Math.min(size[0] / height, size[1] / width);
  return [height, width].map((side) => Math.max(1, roundHalfEven(side * scale)));
}

function scaled(scale, height, width) {
  return [height, width].map((side) => Math.max(1, Math.trunc(side * scale + 0.5)));
}

/** The picture in another size, by "pillow", "bicubic" or "cv2". */
export function resize(picture, height, width, interpolation) {
  if (picture.height === height && picture.width === width) return picture;
  return interpolation === "cv2" ? cv2(picture, height, width) : pillow(picture, height, width, FILTERS[interpolation]);
}

// -- Pillow ----------------------------------------------------------------------------------------------------------

// Resample.c: how far each reaches, and how much a pixel counts that is so far away; bicubic with a = -0.5
const FILTERS = {
  pillow: { support: 1, weight: (far) => (far < 1 ? 1 - far : 0) },
  bicubic: {
    support: 2,
    weight: (far) => (far < 1 ? (1.5 * far - 2.5) * far * far + 1 : far < 2 ? ((far - 5) * far + 8) * far * -0.5 + 2 : 0),
  },
};

function pillow(picture, height, width, filter) {
  return pillowRows(pillowColumns(picture, width, filter), height, filter);
}

/** For each new pixel the first old one that counts, and the weights of the old ones (precompute_coeffs). */
function pillowWeights(before, after, { support, weight }) {
  const scale = before / after;
  const wide = Math.max(scale, 1);
  const reach = support * wide;
  const found = [];
  for (let i = 0; i < after; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(before, Math.trunc(centre + reach + 0.5));
    const weights = [];
    let sum = 0;
    for (let x = first; x < end; x++) {
      weights.push(weight(Math.abs((x - centre + 0.5) * (1 / wide))));
      sum += weights[weights.length - 1];
    }
    found.push({ first, weights: weights.map((one) => (sum ? one / sum : one)) });
  }
  return found;
}

/** The same in whole numbers, multiples of 1 / 2 ** 22. */
function wholeWeights(found) {
  const one = 1 << PILLOW_BITS;
  return found.map(({ first, weights }) => ({ first, weights: Int32Array.from(weights, (w) => w * one + (w < 0 ? -0.5 : 0.5)) }));
}

const HALF = 1 << (PILLOW_BITS - 1); // what is added before the bits below a whole level are cut off

function pillowColumns(picture, width, filter) {
  const { data, height, channels } = picture;
  if (picture.width === width) return picture;
  const whole = data instanceof Uint8Array;
  const columns = pillowWeights(picture.width, width, filter);
  const out = new data.constructor(height * width * channels);
  const along = whole ? wholeAlong : floatAlong;
  const taps = whole ? wholeWeights(columns) : columns;
  const [row, made] = [picture.width * channels, width * channels];
  for (let y = 0; y < height; y++) along(data, y * row, out, y * made, taps, channels);
  return { data: out, height, width, channels };
}

/** Bicubic overshoots beside an edge. */
function level(value) {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** One row of bytes: 255 * 2 ** 22 and a half fit into 31 bits, so whole numbers do. */
function wholeAlong(data, row, out, to, taps, channels) {
  for (const { first, weights } of taps) {
    const from = row + first * channels;
    for (let c = 0; c < channels; c++) {
      let sum = HALF;
      for (let k = 0, i = from + c; k < weights.length; k++, i += channels) {
        sum = (sum + Math.imul(data[i], weights[k])) | 0;
      }
      out[to++] = level(sum >> PILLOW_BITS);
    }
  }
}

function floatAlong(data, row, out, to, taps, channels) {
  for (const { first, weights } of taps) {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let k = 0, i = row + first * channels + c; k < weights.length; k++, i += channels) sum += data[i] * weights[k];
      out[to++] = sum;
    }
  }
}

function pillowRows(picture, height, filter) {
  const { data, width, channels } = picture;
  if (picture.height === height) return picture;
  const whole = data instanceof Uint8Array;
  const rows = pillowWeights(picture.height, height, filter);
  const taps = whole ? wholeWeights(rows) : rows;
  const length = width * channels;
  const out = new data.constructor(height * length);
  const sums = whole ? new Int32Array(length) : new Float64Array(length);
  const add = whole ? addWhole : addFloat;
  taps.forEach(({ first, weights }, y) => {
    sums.fill(whole ? HALF : 0);
    weights.forEach((weight, k) => add(sums, data, (first + k) * length, weight));
    const to = y * length;
    for (let i = 0; i < length; i++) out[to + i] = whole ? level(sums[i] >> PILLOW_BITS) : sums[i];
  });
  return { data: out, height, width, channels };
}

function addWhole(sums, data, from, weight) {
  for (let i = 0; i < sums.length; i++) sums[i] += Math.imul(data[from + i], weight);
}

function addFloat(sums, data, from, weight) {
  for (let i = 0; i < sums.length; i++) sums[i] += data[from + i] * weight;
}

// -- OpenCV ----------------------------------------------------------------------------------------------------------

function cv2(picture, height, width) {
  return (picture.data instanceof Uint8Array ? fixedPoint : floating)(picture, height, width);
}

/** For each new pixel the old one to its left (-1 before the first), and how far it is past it, in 32 bits. */
function positions(before, after) {
  const scale = 1 / (after / before); // not before / after: OpenCV rounds twice, and so its last bit differs
  const left = new Int32Array(after);
  const share = new Float32Array(after);
  for (let i = 0; i < after; i++) {
    const exact = f((i + 0.5) * scale - 0.5);
    left[i] = Math.floor(exact);
    share[i] = exact - left[i];
  }
  return { left, share };
}

/** Left and right neighbours and the right one's share; at the borders the outermost pixel alone. */
function columnsOf(before, after) {
  const { left, share } = positions(before, after);
  const right = new Int32Array(after);
  for (let i = 0; i < after; i++) {
    if (left[i] < 0 || left[i] >= before - 1) share[i] = 0;
    left[i] = Math.min(Math.max(left[i], 0), before - 1);
    right[i] = Math.min(left[i] + 1, before - 1);
  }
  return { left, right, share };
}

/** Half to even, as numpy's rint. */
export function roundHalfEven(x) {
  const down = Math.floor(x);
  const past = x - down;
  if (past !== 0.5) return past < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

/** The left and right neighbours' weights, each rounded by itself to multiples of 1 / 2048. */
function cv2Weights(share) {
  const one = 1 << CV2_BITS;
  return {
    first: Int32Array.from(share, (s) => roundHalfEven(f(1 - s) * one)),
    second: Int32Array.from(share, (s) => roundHalfEven(s * one)),
  };
}

/** HResizeLinear and VResizeLinear<uchar>, bit for bit: what they cut off is cut off here too. */
function fixedPoint(picture, height, width) {
  const { data, channels } = picture;
  const { left, right, share } = columnsOf(picture.width, width);
  const along = cv2Weights(share);
  const { left: top, share: below } = positions(picture.height, height);
  const down = cv2Weights(below);
  const length = width * channels;
  const row = (y) => {
    const out = new Int32Array(length);
    const start = Math.min(Math.max(y, 0), picture.height - 1) * picture.width * channels;
    for (let x = 0, to = 0; x < width; x++) {
      for (let c = 0; c < channels; c++, to++) {
        const a = data[start + left[x] * channels + c];
        const b = data[start + right[x] * channels + c];
        out[to] = (a * along.first[x] + b * along.second[x]) >> 4;
      }
    }
    return out;
  };
  const rows = twoRows(row);
  const out = new Uint8Array(height * length);
  for (let y = 0, to = 0; y < height; y++) {
    const [upper, lower] = rows(top[y]);
    for (let i = 0; i < length; i++, to++) {
      out[to] = (((upper[i] * down.first[y]) >> 16) + ((lower[i] * down.second[y]) >> 16) + 2) >> 2;
    }
  }
  return { data: out, height, width, channels };
}

/** The same on floats, where nothing is rounded on the way but to 32 bits. */
function floating(picture, height, width) {
  const { data, channels } = picture;
  const { left, right, share } = columnsOf(picture.width, width);
  const { left: top, share: below } = positions(picture.height, height);
  const length = width * channels;
  const row = (y) => {
    const out = new Float32Array(length);
    const start = Math.min(Math.max(y, 0), picture.height - 1) * picture.width * channels;
    for (let x = 0, to = 0; x < width; x++) {
      for (let c = 0; c < channels; c++, to++) {
        const a = data[start + left[x] * channels + c];
        const b = data[start + right[x] * channels + c];
        out[to] = f(a * f(1 - share[x])) + f(b * share[x]);
      }
    }
    return out;
  };
  const rows = twoRows(row);
  const out = new Float32Array(height * length);
  for (let y = 0, to = 0; y < height; y++) {
    const [upper, lower] = rows(top[y]);
    const part = f(1 - below[y]);
    for (let i = 0; i < length; i++, to++) out[to] = f(upper[i] * part) + f(lower[i] * below[y]);
  }
  return { data: out, height, width, channels };
}

/** A function that gives rows y and y + 1, and makes none twice that the call before had. */
function twoRows(make) {
  let known = new Map();
  return (y) => {
    const now = new Map([y, y + 1].map((n) => [n, known.get(n) ?? make(n)]));
    known = now;
    return [now.get(y), now.get(y + 1)];
  };
}
