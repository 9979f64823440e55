// The page: models are given, options chosen, jobs watched.

import { ask } from "./api.js";
import { make, note } from "./dom.js";
import { together } from "./files.js";
import { addressOf, remember, remembered, showHistory } from "./history.js";
import { Job } from "./jobs.js";
import { isModel, Model } from "./models.js";
import { Options } from "./options.js";
import { lang, say } from "./texts.js";
import { takesDrops } from "./trial.js";

const [start, jobs, history, wrong] = ["#start", "#jobs", "#history", "#wrong"].map((name) => document.querySelector(name));
const models = new Set();
let options = null;

const usable = () => [...models].filter((model) => model.usable);

/** Files that were dropped or chosen. */
async function take(given) {
  const files = await together(given);
  const known = files.filter(isModel);
  const others = files.filter((file) => !isModel(file));
  wrong.textContent = others.map(({ name }) => say("no_model", name)).join(" ");
  wrong.hidden = !others.length;
  for (const file of known) {
    const model = new Model(file, { changed: refresh, removed: (one) => models.delete(one) && refresh() });
    models.add(model);
    document.querySelector("#models").append(model.element);
    model.send();
  }
  start.classList.toggle("begun", models.size > 0);
}

async function refresh() {
  start.classList.toggle("begun", models.size > 0);
  options ??= await makeOptions();
  options.update(usable());
}

let making = null;

function makeOptions() {
  making ??= Promise.all([ask("/api/devices"), ask("/api/scenes")]).then(([{ devices }, { scenes }]) => {
    return new Options(document.querySelector("#options"), { devices, scenes, submit });
  }, (error) => {
    making = null;
    document.querySelector("#models").append(note(error.message, true));
    throw error;
  });
  return making;
}

/** Order a job for each model; one alone has a page of its own. */
async function submit() {
  const wanted = usable();
  options.go.disabled = true;
  try {
    const choice = options.chosen();
    const said = wanted.map((model) => ({ labels: model.labels(), ...model.preparation() })); // before anything is ordered
    for (const [i, model] of wanted.entries()) {
      const body = { upload: model.token, ...choice, ...said[i], lang };
      const { job } = await ask("/api/jobs", { method: "POST", body });
      remember(job, { name: model.file.name, state: "queued" });
      if (wanted.length === 1 && models.size === 1) return location.assign(addressOf(job));
      model.remove();
      watch(job, model.file.name, false);
    }
  } catch (error) {
    options.complain(error.message);
  } finally {
    options.go.disabled = false;
  }
}

function watch(token, name, alone) {
  const job = new Job(token, name, { alone, gone: () => (alone ? location.assign(`/?lang=${lang}`) : showHistory(history)) });
  jobs.hidden = false;
  jobs.append(job.element);
  job.watch().then(() => showHistory(history, alone ? token : null));
  return job;
}

// -- files from everywhere -------------------------------------------------------------------------------------------

function listen() {
  const input = document.querySelector("#files");
  input.onchange = () => {
    take([...input.files]);
    input.value = "";
  };
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget ?? document.body.classList.remove("dragging"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    const files = [...event.dataTransfer.files];
    if (takesDrops() && !files.some(isModel)) return; // a picture for the model that is being tried
    event.stopPropagation();
    if (!start.hidden) take(files);
  });
}

/** What has become of the jobs that were not over when they were last seen. */
async function refreshHistory() {
  const waiting = remembered().filter(({ state }) => state !== "done" && state !== "failed").slice(0, 10);
  for (const { job } of waiting) {
    try {
      const { state } = await ask(`/api/jobs/${encodeURIComponent(job)}`);
      remember(job, { state });
    } catch (error) {
      if (error.status !== 404) return;
      remember(job, { state: "failed" });
    }
  }
  if (waiting.length) showHistory(history);
}

const token = decodeURIComponent(location.pathname.match(/^\/j\/([^/]+)/)?.[1] ?? "");
listen();
showHistory(history, token || null);
if (token) {
  const known = remembered().find(({ job }) => job === token);
  watch(token, known?.name ?? "", true);
  jobs.after(make("p", { className: "another" }, make("a", { className: "button", href: `/?lang=${lang}` }, say("another"))));
} else {
  start.hidden = false;
  refreshHistory();
}
document.body.dataset.state = "ready";
