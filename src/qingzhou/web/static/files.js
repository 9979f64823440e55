// Files that are one model only together: TF.js's model.json with its shards, Paddle's program with its parameters, an
// .onnx with its weights, a network with its labels.txt.

import { zip } from "./zip.js";

const TOGETHER = [
  // what the network lies in; which others belong to it; of which there must be one
  { whole: /^model\.json$/i, others: /\.bin$|^metadata\.json$/i, needed: /\.bin$/i },
  {
    whole: /\.pdiparams$/i,
    others: /\.json$|\.pdmodel$|\.pdiparams\.info$|^(inference|infer_cfg|deploy)\.ya?ml$|label\w*\.txt$/i,
    needed: /\.json$|\.pdmodel$/i,
  },
  { whole: /\.onnx$/i, others: /\.(onnx[._])?data$|\.bin$|\.weights?$/i, needed: /./ },
  { whole: /\.(h5|hdf5|tflite|mindir)$/i, others: /^labels\.txt$/i, needed: /^labels\.txt$/i },
];

/** The same files; those that are one model as one .zip under the name of the first, as the server takes it. */
export async function together(files) {
  for (const { whole, others, needed } of TOGETHER) {
    const wholes = files.filter((file) => whole.test(asSaved(file)));
    const parts = files.filter((file) => others.test(asSaved(file)));
    if (wholes.length === 1 && parts.some((file) => needed.test(asSaved(file)))) return pack(files, [...wholes, ...parts]);
  }
  return files;
}

/** Without the (1) of a browser that has downloaded the name before: the parts know each other by their names. */
function asSaved({ name }) {
  return name.replace(/\s*\(\d+\)(?=\.\w+$)/, "");
}

async function pack(files, parts) {
  try {
    const packed = await zip(parts.map((file) => ({ name: asSaved(file), file })));
    return [new File([packed], parts[0].name, { type: packed.type }), ...files.filter((file) => !parts.includes(file))];
  } catch {
    return files; // one cannot be read: sending it says so
  }
}
