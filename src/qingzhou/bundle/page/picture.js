// Pictures as the browser reads them: the pixels as they lie in the file, turned upright.

import { exactPng } from "./png.js";

/** A file or blob -> {rgba, height, width, format}; an Error if it is no picture that the browser knows. */
export async function decodePicture(blob) {
  const [bitmap, format] = await Promise.all([bitmapOf(blob), formatOf(blob)]);
  try {
    const exact = format === "png" ? await exactPng(new Uint8Array(await blob.arrayBuffer())) : null;
    if (exact) return { ...exact, format };
    return { ...pixelsOf(bitmap, bitmap.width, bitmap.height), format };
  } finally {
    bitmap.close();
  }
}

const AS_IT_IS = { colorSpaceConversion: "none", premultiplyAlpha: "none", imageOrientation: "from-image" };

async function bitmapOf(blob) {
  try {
    return await createImageBitmap(blob, AS_IT_IS);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return createImageBitmap(blob); // an older browser that knows other words for it; upright is its default
  }
}

const canvas = document.createElement("canvas"); // one for all: a camera gives many pictures of a size
const context = canvas.getContext("2d", { willReadFrequently: true });

/** What a drawable thing (a bitmap, a camera's video) shows now -> {rgba, height, width, format: ""}. */
export function pixelsOf(source, width, height) {
  Object.assign(canvas, { width, height }); // which clears it
  context.drawImage(source, 0, 0, width, height);
  return { rgba: context.getImageData(0, 0, width, height).data, height, width, format: "" };
}

const MARKS = { "89504e47": "png", "52494646": "webp", "47494638": "gif" };

/** By what a file begins with: grey is computed in another way for each format. */
async function formatOf(blob) {
  const bytes = new Uint8Array(await blob.slice(0, 4).arrayBuffer());
  const hex = Array.from(bytes, (n) => n.toString(16).padStart(2, "0")).join("");
  if (hex.startsWith("ffd8")) return "jpeg";
  return MARKS[hex] ?? (hex.startsWith("424d") ? "bmp" : "other");
}
