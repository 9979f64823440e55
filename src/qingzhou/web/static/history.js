// One's own jobs, as links that this browser remembers. The files lie on the server, for a while.

import { ask } from "./api.js";
import { announce, button, make } from "./dom.js";
import { lang, say, zh } from "./texts.js";

const KEY = "qingzhou.jobs";
const MOST = 50;

/** [{job, name, when, state}], the newest first; nothing that another version left there breaks the page. */
export function remembered() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter(({ job }) => typeof job === "string") : [];
  } catch {
    return [];
  }
}

function keep(jobs) {
  localStorage.setItem(KEY, JSON.stringify(jobs.slice(0, MOST)));
}

/** Remember a job, or what is new about one that is known. */
export function remember(job, facts) {
  const jobs = remembered();
  const old = jobs.find((one) => one.job === job);
  if (old) Object.assign(old, facts);
  else jobs.unshift({ job, when: Date.now(), ...facts });
  keep(jobs);
}

export function forget(job) {
  keep(remembered().filter((one) => one.job !== job));
}

/** Where a job's page is. */
export function addressOf(job) {
  return `/j/${encodeURIComponent(job)}?lang=${lang}`;
}

/** Delete a job on the server and here, if the person is sure. Whether it is gone. */
export async function deleteJob(job, name) {
  if (!confirm(say("delete_sure", name))) return false;
  try {
    await ask(`/api/jobs/${encodeURIComponent(job)}`, { method: "DELETE" });
  } catch (error) {
    if (error.status !== 404) {
      alert(error.message);
      return false;
    }
  }
  forget(job);
  announce(say("deleted", name));
  return true;
}

/** Show the list in its section; without the job that the page is about. */
export function showHistory(section, current = null) {
  const jobs = remembered().filter(({ job }) => job !== current);
  section.hidden = !jobs.length;
  section.querySelector("ul").replaceChildren(...jobs.map((one) => row(one, section, current)));
  section.querySelector("button.clear")?.remove();
  const clear = () => {
    keep(remembered().filter(({ job }) => job === current));
    showHistory(section, current);
  };
  if (jobs.length > 1) section.append(button(say("clear"), clear, { className: "plain clear" }));
}

function row({ job, name, when, state }, section, current) {
  const time = new Date(when).toLocaleString(zh ? "zh-CN" : "en", { dateStyle: "medium", timeStyle: "short" });
  const known = ["queued", "running", "done", "failed"].includes(state) ? state : "queued";
  const remove = async () => {
    if (await deleteJob(job, name)) showHistory(section, current);
  };
  return make("li", {},
    make("a", { href: addressOf(job) }, name), make("span", { className: `state ${known}` }, say(known)),
    make("time", { className: "faint" }, time), button(say("delete"), remove, { className: "plain", "aria-label": `${say("delete")} ${name}` }));
}
