"""The two pages that a board serves. Whatever comes from a model is put in as text, never as HTML."""

from __future__ import annotations

from typing import Dict

_HEAD = """<!doctype html><html lang="%s"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>%s</title><style>body{margin:0;background:#10202c;color:#e8f1f5;font:18px/1.5 system-ui,sans-serif;
text-align:center}img{display:block;margin:0 auto;width:100%%;max-width:720px;image-rendering:auto}
p{margin:.6em}#answer{font-size:1.6em}
label{display:inline-block;margin:2em 1em;padding:1em 2em;border:2px dashed #6fb3d2;border-radius:12px;cursor:pointer}
code{color:#9fd6ee}</style>"""
_LIVE = """<h1>%s</h1><img src="/stream" alt=""><p id="answer">…</p><script>
const shown = document.getElementById("answer");
async function ask() {
  try { shown.textContent = (await (await fetch("/answer")).json()).text || "…"; }
  catch (problem) { shown.textContent = "%s"; }
  setTimeout(ask, 300);
}
ask();
</script></html>"""
_API = """<h1>%s</h1><label>%s<input type="file" accept="image/*" hidden></label><img id="picture" alt="">
<p id="answer"></p><p>%s<br><code>curl --data-binary @photo.jpg ADDRESS/predict</code></p><script>
const shown = document.getElementById("answer");
document.querySelector("input").onchange = async event => {
  const file = event.target.files[0];
  document.getElementById("picture").src = URL.createObjectURL(file);
  shown.textContent = "…";
  const found = await (await fetch("/predict", {method: "POST", body: file})).json();
  const things = found.detections || found.named || (found.label ? [found] : []);
  const text = things.map(one => one.label + " " + (100 * one.confidence).toFixed(1) + "%%").join(", ");
  shown.textContent = found.message || text || (found.values || []).join(" ") || "–";
};
document.querySelector("code").textContent = "curl --data-binary @photo.jpg " + location.origin + "/predict";
</script></html>"""

LIVE_PAGE: Dict[str, str] = {
    "en": _HEAD % ("en", "Qingzhou") + _LIVE % ("What the board sees", "no connection"),
    "zh": _HEAD % ("zh", "轻舟") + _LIVE % ("开发板看到的画面", "连接断开"),
}
API_PAGE: Dict[str, str] = {
    "en": _HEAD % ("en", "Qingzhou") + _API % ("Ask the model", "Choose a picture", "Or from a program:"),
    "zh": _HEAD % ("zh", "轻舟") + _API % ("让模型识别", "选择一张图片", "也可以在程序里发送："),
}
