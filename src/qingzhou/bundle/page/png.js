// PNG files of which a browser would not give the pixels as they lie there: it multiplies colours by their transparency,
// and rounds 16 bits. Read as Pillow reads them: transparency is dropped, and of 16 bits the upper 8 are taken.

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }; // by colour type, PNG specification 11.2.2

/** The pixels {rgba, height, width} of such a file; null for every other, which the browser reads just as well. */
export async function exactPng(bytes) {
  const file = chunksOf(bytes);
  if (!file || !(file.depth === 16 || file.type >= 4 || file.tRNS) || file.interlaced || file.eXIf) return null;
  const stream = new Blob(file.data).stream().pipeThrough(new DecompressionStream("deflate"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const lines = unfiltered(packed, file);
  return { rgba: coloured(lines, file), height: file.height, width: file.width };
}

/** Header and data of a PNG, or null if it is none. */
function chunksOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(0) !== 0x89504e47 || view.getUint32(4) !== 0x0d0a1a0a) return null;
  const file = {
    width: view.getUint32(16), height: view.getUint32(20), depth: bytes[24], type: bytes[25],
    interlaced: bytes[28] !== 0, data: [],
  };
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (name === "IDAT") file.data.push(content);
    else file[name] = content;
    at += 12 + length;
  }
  return file;
}

/** Every line's bytes, one after the other, with the filters of PNG specification 9.2 undone. */
function unfiltered(packed, { width, height, depth, type }) {
  const step = Math.max(1, (CHANNELS[type] * depth) >> 3);
  const length = Math.ceil((width * CHANNELS[type] * depth) / 8);
  if (packed.length < height * (length + 1)) throw new Error("cut off");
  const out = new Uint8Array(height * length);
  for (let y = 0; y < height; y++) {
    const filter = packed[y * (length + 1)];
    const from = y * (length + 1) + 1;
    const to = y * length;
    for (let x = 0; x < length; x++) {
      const left = x >= step ? out[to + x - step] : 0;
      const up = y ? out[to + x - length] : 0;
      const corner = x >= step && y ? out[to + x - length - step] : 0;
      out[to + x] = packed[from + x] + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
    }
  }
  return out;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

/** Four bytes for each pixel, all opaque. */
function coloured(lines, { width, height, depth, type, PLTE }) {
  const channels = CHANNELS[type];
  const length = Math.ceil((width * channels * depth) / 8);
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  const scale = type === 3 || depth >= 8 ? 1 : 255 / ((1 << depth) - 1);
  const sample = (y, i) => {
    if (depth >= 8) return lines[y * length + i * (depth >> 3)]; // of 16 bits the upper 8, which come first
    const bit = i * depth;
    return scale * ((lines[y * length + (bit >> 3)] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1));
  };
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 4) {
      const first = sample(y, x * channels);
      for (let k = 0; k < 3; k++) {
        if (type === 3) rgba[to + k] = PLTE[3 * first + k];
        else rgba[to + k] = channels >= 3 ? sample(y, x * channels + k) : first;
      }
    }
  }
  return rgba;
}
