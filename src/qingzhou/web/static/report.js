// What came of a job: figures, checks, files to take away, and the model to try.

import { button, make, note } from "./dom.js";
import { bytes, percent, plain, say } from "./texts.js";
import { trial } from "./trial.js";

const PLENTY = 1000; // answers a second; more are no better, and an estimate knows nothing of what else takes time
const KINDS = ["bundle", "page", "model", "program", "report"]; // what most people want comes first

/** The elements of a report. job: as the server describes it; titleOf: the name of a device in words. */
export function report({ size, options, result, job }, titleOf) {
  const { convert, quantize, bundle } = result;
  const facts = convert?.results?.[0] ?? convert ?? {};
  const seconds = [facts, quantize, bundle].reduce((sum, part) => sum + (part?.seconds ?? 0), 0);
  const what = [facts.network, facts.tool, seconds && say("took", plain(seconds))].filter(Boolean).join(" · ");
  const rules = bundle?.rules ?? [];
  return [
    what ? make("p", { className: "what" }, what) : null,
    make("ul", { className: "figures" }, figures(size, facts, quantize, bundle)),
    quantize?.explanation ? make("p", { className: quantize.better === false || quantize.accuracy?.why ? "note" : "verdict" }, quantize.explanation) : null,
    ...[...(facts.notes ?? []), ...(result.notes ?? []), ...(quantize?.notes ?? [])].map((text) => note(text)),
    files(result.files, bundle?.device ?? options?.device ?? null, titleOf),
    ...pictures(result.pictures ?? {}, Boolean(quantize?.model)),
    result.try ? trial(result.try) : null,
    checks(facts.checks ?? []),
    list(say("actions"), rules.map((rule) => make("code", {}, rule))),
    list(say("device_notes"), (bundle?.notes ?? []).filter((text) => text !== quantize?.explanation && !quantize?.notes.includes(text))),
    share(job),
  ].filter(Boolean);
}

/** Tiles: name, number, and what it was. */
function figures(before, facts, quantize, bundle) {
  const after = quantize?.model ? quantize.bytes_after : facts.bytes;
  const tiles = [];
  if (after) tiles.push([say("model_size"), bytes(after), say("was", bytes(quantize?.model ? quantize.bytes_before : before))]);
  if (quantize?.accuracy) tiles.push(accuracyTile(quantize.accuracy));
  if (quantize?.speed) {
    const { before: old, after: now, ratio } = quantize.speed;
    tiles.push([say("speed"), say("times", ratio.toFixed(2)), say("was_ms", plain(now), plain(old))]);
  }
  if (bundle?.estimate?.fps) {
    const { fps, memory_mb: memory } = bundle.estimate;
    tiles.push([say("expected"), speedOf(fps), say("memory", Math.round(memory))]);
  }
  const small = (text) => make("span", { className: "faint" }, text);
  return tiles.map(([name, value, below]) => make("li", {}, small(name), make("b", {}, value), small(below)));
}

/** An estimate has no more than two digits that count. */
function speedOf(fps) {
  return fps > PLENTY ? say("plenty", PLENTY) : say("a_second", Number(fps.toPrecision(2)));
}

function accuracyTile({ labelled, before, after, judged }) {
  return [say(labelled ? "accuracy" : "agreement"), percent(after), say("was_judged", percent(before), judged)];
}

/** A section of points; none without any. */
function list(title, points) {
  if (!points.length) return null;
  return make("section", {}, make("h3", {}, title), make("ul", { className: "points" }, points.map((point) => make("li", {}, point))));
}

/** What the model says of some pictures, and where INT8 made it say something else. */
function pictures({ answered = [], changed = [] }, rounded) {
  const otherwise = changed.map(({ picture, truth, before, after }) => {
    return photo(picture, make("span", {}, before, " → ", make("b", {}, after)), truth ? say("truth", truth) : "");
  });
  return [
    gallery(say("answered"), answered.map(({ picture, answer }) => photo(picture, answer, ""))),
    gallery(say(rounded ? "changed" : "would_change"), otherwise),
  ];
}

function gallery(title, photos) {
  if (!photos.length) return null;
  return make("section", {}, make("h3", {}, title), make("ul", { className: "gallery" }, photos));
}

/** The picture itself says nothing that is not below it. */
function photo(source, answer, below) {
  return make("li", {}, source && make("img", { src: source, alt: "", loading: "lazy" }), make("span", {}, answer),
    below && make("span", { className: "faint" }, below));
}

function checks(names) {
  if (!names.length) return null;
  return make("section", {}, make("h3", {}, say("checked")), make("ul", { className: "checks" }, names.map((name) => make("li", {}, say(`c_${name}`)))));
}

function files(all, device, titleOf) {
  const place = (file) => (KINDS.indexOf(isWhole(file) ? "page" : file.kind) + 1 || 99);
  const sorted = [...all].sort((a, b) => place(a) - place(b));
  const how = { pc: "how_pc", browser: "how_browser" }[device] ?? "how_board";
  const hasBundle = all.some(({ kind }) => kind === "bundle");
  return make("section", {}, make("h3", {}, say("take")),
    make("ul", { className: "files" }, sorted.map((file, i) => make("li", {}, fileLink(file, titleOf(device), i === 0)))),
    hasBundle ? make("p", { className: "faint" }, say(how)) : null);
}

/** The program with its model and all that it needs. */
function isWhole({ kind, name }) {
  return kind === "program" && name.endsWith(".zip");
}

function fileLink(file, title, main) {
  const { name, size, url, kind } = file;
  const usual = isWhole(file) ? "f_all" : KINDS.includes(kind) ? `f_${kind}` : "f_report";
  const what = kind === "bundle" ? say("f_bundle", title) : say(usual) + (name.includes(".int8.") ? " · INT8" : "");
  return make("a", { href: url, download: name, className: main ? "file main" : "file" },
    make("b", {}, what), make("span", { className: "name" }, name), make("span", { className: "size" }, bytes(size)));
}

/** The address, for other devices; it opens the job for whoever has it. */
function share(job) {
  const field = make("input", { readOnly: true, value: new URL(`/j/${encodeURIComponent(job)}`, location.href).href });
  field.onfocus = () => field.select();
  const copy = navigator.clipboard && button(say("copy"), async () => {
    await navigator.clipboard.writeText(field.value);
    copy.textContent = say("copied");
  });
  return make("div", { className: "share" }, make("label", {}, say("share"), field), copy || null);
}
