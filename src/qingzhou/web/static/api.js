// The server. What it refuses becomes a Failure that speaks the page's language.

import { lang, say, spoken } from "./texts.js";

const OURS = { "X-Qingzhou": "1" }; // no form of another site can send it

/** Why something did not work, in words for the person before the page. */
export class Failure extends Error {
  constructor(text, { code = 0, status = 0 } = {}) {
    super(text);
    Object.assign(this, { code, status });
  }

  /** The server's own {code, en, zh}. */
  static from(error, status) {
    return new Failure(spoken(error) || say("bad_answer", status), { code: error?.code, status });
  }
}

/** The JSON that the server answers; a Failure otherwise. body: an object that is sent as JSON. */
export async function ask(path, { method = "GET", body, signal } = {}) {
  const headers = { ...OURS, Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(say("no_server"));
  }
  const text = await response.text();
  if (response.status === 401 && path !== "/api/code") {
    await askCode();
    return ask(path, { method, body, signal });
  }
  return read(response.status, text);
}

/** Send a file (a File or Blob), saying how much of it is sent, from 0 to 1. -> {upload, name, size, kind, info, error} */
export async function upload(file, name, onProgress = () => {}) {
  const form = new FormData();
  form.append("lang", lang);
  form.append("file", file, name);
  const { status, text } = await send(form, onProgress);
  if (status === 401) {
    await askCode();
    return upload(file, name, onProgress);
  }
  return read(status, text);
}

/** fetch() does not say how much is sent. */
function send(form, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/uploads");
    for (const [header, value] of Object.entries(OURS)) request.setRequestHeader(header, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(new Failure(say("no_server")));
    request.send(form);
  });
}

/** {device: what it is called}; empty where the server does not say. */
export async function deviceTitles() {
  try {
    const { devices } = await ask("/api/devices");
    return Object.fromEntries(devices.map((device) => [device.name, spoken(device.title)]));
  } catch {
    return {};
  }
}

function read(status, text) {
  let found = null;
  try {
    found = text ? JSON.parse(text) : {};
  } catch {
    throw new Failure(say("bad_answer", status), { status });
  }
  if (status >= 200 && status < 300) return found;
  throw Failure.from(found.error, status);
}

let asking = null;

/** Ask for the class's code until it is right; several requests wait for one dialog. */
function askCode() {
  asking ??= codeDialog().finally(() => (asking = null));
  return asking;
}

function codeDialog() {
  const [dialog, field, wrong] = ["#code", "#code-value", "#code-wrong"].map((name) => document.querySelector(name));
  return new Promise((resolve) => {
    dialog.oncancel = (event) => event.preventDefault();
    dialog.querySelector("form").onsubmit = async (event) => {
      event.preventDefault();
      try {
        await ask("/api/code", { method: "POST", body: { code: field.value } });
        dialog.close();
        resolve();
      } catch (error) {
        wrong.textContent = error.message;
        wrong.hidden = false;
        field.select();
      }
    };
    dialog.showModal();
  });
}
