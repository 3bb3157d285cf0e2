"use strict";
// The console works without this; with it, pages show what is new by themselves, and keys and sound work.
// Nothing that is read or typed here is stored: only the switches for sound and keys are.

const live = document.getElementById("live"); // on the desk's pages only
const caseView = document.getElementById("case");
const byId = (id) => document.getElementById(id);
const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;

/* times: everything comes as UTC, and is shown in the reader's own time */

function localTime(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime()) || element.dataset.local) return;
  element.dataset.local = "yes";
  const language = document.documentElement.lang;
  const today = moment.toDateString() === new Date().toDateString();
  const full = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(moment);
  element.title = full;
  element.textContent = today ? new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(moment) : full;
}

function fill(words, values) {
  return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function waited(element) {
  const minutes = Math.max(0, Math.floor((Date.now() / 1000 - Number(element.dataset.since)) / 60));
  const words = live.dataset;
  const hours = Math.floor(minutes / 60);
  element.textContent =
    minutes < 1 ? words.now : hours < 1 ? fill(words.minutes, { minutes }) : fill(words.hours, { hours, minutes: minutes % 60 });
}

function refreshTimes(root = document) {
  root.querySelectorAll("time[datetime]").forEach(localTime);
  if (live) root.querySelectorAll(".waits[data-since]").forEach(waited);
}

/* what is told: alerts stay until something else happens, news is for screen readers */

function alarm(words, kind) {
  const box = byId("alerts");
  const line = document.createElement("p");
  line.className = "refusal";
  line.textContent = words;
  box.replaceChildren(line);
  box.dataset.kind = kind;
  return line;
}

function quiet(kind) {
  const box = byId("alerts");
  if (box.dataset.kind === kind) box.replaceChildren();
}

/* at most one refresh of each kind in half a second */

function calmly(act) {
  let last = -Infinity;
  let planned = 0;
  return () => {
    if (planned) return;
    const pause = Math.max(0, last + 500 - performance.now());
    planned = setTimeout(() => {
      planned = 0;
      last = performance.now();
      act();
    }, pause);
  };
}

const refreshHeader = calmly(() => htmx.trigger(document.body, "desk:header"));
const refreshQueue = calmly(() => {
  if (byId("lists")) htmx.trigger(document.body, "desk:queue");
});
let stale = false;
const refreshLines = calmly(() => {
  if (!caseView) return;
  stale = document.hidden; // what nobody looks at is not marked as read
  if (!stale) htmx.trigger(document.body, "desk:lines");
});

function refreshAll() {
  refreshHeader();
  refreshQueue();
  refreshLines();
}

/* live events */

let source = null;
let over = false;
let holdsAlarm = false;
let retry = 0;

function sessionOver() {
  if (over) return;
  over = true;
  source?.close();
  source = null;
  const line = alarm(live.dataset.over + " ", "over");
  const link = document.createElement("a");
  link.href = "/console/login";
  link.target = "_blank"; // so that what was typed stays here
  link.textContent = live.dataset.login;
  line.append(link);
}

function listen() {
  if (!live || over || source) return;
  source = new EventSource("/console/events");
  source.addEventListener("open", () => {
    retry = 0;
    quiet("lost");
    refreshAll(); // what happened while nobody listened
  });
  source.addEventListener("error", async () => {
    if (!source || over) return;
    if (!byId("alerts").textContent.trim()) alarm(live.dataset.lost, "lost");
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    source.close();
    source = null;
    const answer = await fetch("/console/presence", { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.status === 401) return sessionOver();
    retry = Math.min(retry + 1, 5);
    setTimeout(listen, 1000 * 2 ** retry);
  });
  source.addEventListener("queue", () => {
    refreshHeader();
    refreshQueue();
  });
  source.addEventListener("presence", () => {
    refreshHeader();
    refreshQueue();
  });
  source.addEventListener("case", (event) => {
    if (event.data === caseView?.dataset.case) refreshLines();
  });
  source.addEventListener("alert", (event) => {
    refreshHeader();
    refreshQueue();
    if (event.data !== caseView?.dataset.case) return;
    alarm(fill(live.dataset.alert, { alias: caseView.querySelector("h1").textContent }), "alert");
    beep(4);
    refreshLines();
  });
  source.addEventListener("ended", sessionOver);
}

// A browser opens six connections to a server at most: of the pages in the background only one goes on listening.
function listenInBackground() {
  if (!navigator.locks) {
    holdsAlarm = true;
    return;
  }
  navigator.locks.request("console-alarm", () => {
    holdsAlarm = true;
    listen();
    return new Promise(() => {}); // until the page is gone
  });
}

document.addEventListener("visibilitychange", async () => {
  if (!live) return;
  if (document.hidden) {
    if (!holdsAlarm && source) {
      source.close();
      source = null;
    }
    return;
  }
  if (over) return comeBack();
  listen();
  if (stale) refreshLines();
  seen();
});

// Logged in again elsewhere, by the same person: the page goes on with what was typed.
async function comeBack() {
  if (!caseView) return;
  const address = `/console/case/${caseView.dataset.case}/lines?after=999999999`;
  const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok || answer.headers.get("X-Operator") !== caseView.dataset.operator) return;
  newToken(answer.headers.get("X-CSRF"));
  over = false;
  quiet("over");
  listen();
}

function newToken(token) {
  if (!token || token === document.body.dataset.csrf) return;
  document.body.dataset.csrf = token;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRF": token }));
  for (const field of document.querySelectorAll('input[name="csrf"]')) field.value = token;
}

/* sound and title for who waits and for alerts */

const plainTitle = document.title;
let known = null;
let audio = null;
const sound = byId("sound");

function stored(name, usual) {
  try {
    return localStorage.getItem(name) ?? usual;
  } catch {
    return usual; // storage is switched off
  }
}

function store(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // the switch then lasts as long as the page
  }
}

function beep(times) {
  if (sound?.getAttribute("aria-pressed") !== "true") return;
  audio ??= new AudioContext();
  if (audio.state !== "running") return void audio.resume();
  for (let number = 0; number < times; number++) {
    const start = audio.currentTime + number * 0.25;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = number % 2 ? 660 : 880;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.2, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.2);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.22);
  }
}

function calls() {
  const data = byId("calls")?.dataset;
  if (!data) return null;
  return { calling: data.calling.split(" ").filter(Boolean), alerted: data.alerted.split(" ").filter(Boolean), alias: data.alias };
}

function seen() {
  const now = calls();
  if (!now) return;
  const count = new Set([...now.calling, ...now.alerted]).size;
  document.title = count ? `(${count}) ${plainTitle}` : plainTitle;
  const before = known;
  known = new Set([...now.calling, ...now.alerted.map((id) => `!${id}`)]);
  if (!before) return;
  const alerted = now.alerted.some((id) => !before.has(`!${id}`));
  const called = now.calling.some((id) => !before.has(id));
  if (alerted) alarm(fill(live.dataset.alert, { alias: now.alias }), "alert");
  else if (!now.alerted.length) quiet("alert");
  if ((alerted || called) && (holdsAlarm || !document.hidden)) beep(alerted ? 4 : 2);
}

if (sound) {
  const show = (on) => {
    sound.setAttribute("aria-pressed", String(on));
    sound.title = on ? sound.dataset.on : sound.dataset.off;
    sound.setAttribute("aria-label", sound.title);
  };
  sound.hidden = false;
  show(stored("console-sound", "on") === "on");
  sound.addEventListener("click", () => {
    const on = sound.getAttribute("aria-pressed") !== "true";
    store("console-sound", on ? "on" : "off");
    show(on);
    beep(1);
  });
  // Browsers let a page sound only after a key or a tap.
  const wake = () => {
    audio ??= new AudioContext();
    audio.resume();
  };
  document.addEventListener("pointerdown", wake, { once: true });
  document.addEventListener("keydown", wake, { once: true });
}

/* the conversation: only new lines are added, and what is being read stays where it is */

const log = byId("log");
let lowBefore = true;

function nearEnd() {
  return !log || log.scrollHeight - log.scrollTop - log.clientHeight < 80;
}

function toEnd() {
  if (!log) return;
  log.scrollTop = log.scrollHeight;
  byId("below").hidden = true;
}

// Where to read on: before the first line whose delivery, or whose meaning, may still become known.
function after() {
  const lines = [...document.querySelectorAll("#lines > .line")];
  const last = Number(byId("case-status").dataset.last);
  const open = lines.find(
    (line, index) =>
      ["pending", "sending", "held"].includes(line.dataset.delivery) ||
      (index >= lines.length - 10 && line.classList.contains("person") && !line.querySelector(".understood"))
  );
  return open ? Number(open.dataset.seq) - 1 : last;
}

// Lines that are there already are put in place of the old ones; the rest is left for the end.
function mergeLines(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const line of template.content.querySelectorAll("li.line")) {
    const old = byId(line.id);
    if (!old) continue;
    line.querySelectorAll("time[datetime]").forEach(localTime);
    if (old.innerHTML !== line.innerHTML) {
      old.replaceWith(line);
      htmx.process(line);
    } else line.remove();
  }
  return template.innerHTML;
}

/* forms through htmx */

const kept = new Map(); // what stands in text fields, by id, for when their form is drawn anew
const tries = new WeakMap();
let leaving = false;

function newKey(form) {
  const key = form.elements.key;
  if (key) key.value = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function restoreKept() {
  for (const field of document.querySelectorAll("[data-keep]")) {
    if (!field.value && kept.get(field.id)) field.value = kept.get(field.id);
  }
}

document.addEventListener("htmx:configRequest", (event) => {
  const { elt, parameters, path } = event.detail;
  if (caseView && (elt.id === "lines" || elt.getAttribute("hx-target") === "#lines")) {
    parameters.after = after();
    parameters.version = byId("case-status").dataset.version;
    if (parameters.seen) parameters.seen = byId("case-status").dataset.last;
  }
  if (path.endsWith("/say")) elt.sentText = parameters.text;
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt;
  if (form.matches?.("form[method=post]")) form.setAttribute("aria-busy", "true");
  if (form.matches?.("form[data-clears]") && over) event.preventDefault(); // it is kept until the next login
});

document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr, elt } = event.detail;
  if (xhr.status === 401) {
    event.preventDefault(); // going to the login would lose what was typed
    sessionOver();
  } else if (xhr.getResponseHeader("HX-Redirect")) leaving = true;
  if (xhr.status < 400) {
    newToken(xhr.getResponseHeader("X-CSRF"));
    if (elt.matches?.("form[method=post]")) {
      for (const kind of ["refused", "unsent"]) quiet(kind);
      sent(elt);
    }
  }
});

function sent(form) {
  tries.delete(form);
  newKey(form);
  const field = form.dataset.clears && form.elements[form.dataset.clears];
  if (!field) return;
  // What was written on while it was being sent stays.
  if (form.sentText === undefined || field.value === form.sentText) field.value = "";
  kept.delete(field.id);
  if (field.value) kept.set(field.id, field.value);
  grow(field);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail;
  if (target.id === "presence" && target.querySelector("details[open]") && event.detail.requestConfig?.verb === "get") {
    event.detail.shouldSwap = false; // its menu is open
    return;
  }
  if (target.id === "lists") {
    if (target.served === xhr.responseText) event.detail.shouldSwap = false;
    else if (pressing) {
      event.detail.shouldSwap = false; // under a finger nothing moves away
      setTimeout(refreshQueue, 400);
    } else target.served = xhr.responseText;
    return;
  }
  if (target.id === "lines" && xhr.status < 400) {
    lowBefore = nearEnd();
    const before = document.querySelectorAll("#lines > .line").length;
    event.detail.serverResponse = mergeLines(xhr.responseText);
    target.linesBefore = before;
  }
  if (target.id === "alerts") target.dataset.kind = "refused";
});

document.addEventListener("htmx:afterSettle", (event) => {
  const target = event.detail.target;
  refreshTimes();
  restoreKept();
  if (target?.id === "lines") {
    document.querySelector("#panel-chat .empty")?.remove();
    const lines = document.querySelectorAll("#lines > .line");
    const fresh = [...lines].slice(target.linesBefore ?? lines.length);
    if (lowBefore || fresh.some((line) => line.matches(".mine"))) toEnd();
    else if (fresh.length) byId("below").hidden = false;
    for (const seenField of document.querySelectorAll('input[name="seen"]')) seenField.value = byId("case-status").dataset.last;
  }
  if (target?.id === "presence") seen();
});

document.addEventListener("htmx:afterRequest", (event) => event.detail.elt.removeAttribute?.("aria-busy"));

// No connection, or the gateway is just starting: the same form, with the same key, is sent again some times.
function tryAgain(event) {
  const { elt, requestConfig } = event.detail;
  const form = elt.closest?.("form[method=post]");
  if (!form) return;
  const count = (tries.get(form) ?? 0) + 1;
  tries.set(form, count);
  const button = requestConfig?.triggeringEvent?.submitter ?? null;
  // Only what has a key arrives once, however often it is sent.
  if (count > 4 || !form.elements.key || (button && !button.isConnected)) {
    tries.delete(form);
    alarm(live.dataset.stay, "unsent");
    return;
  }
  alarm(live.dataset.notSent, "unsent");
  setTimeout(() => form.isConnected && tries.get(form) === count && form.requestSubmit(button), 1000 * 2 ** (count - 1));
}

document.addEventListener("htmx:sendError", tryAgain);
document.addEventListener("htmx:timeout", tryAgain);
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status >= 502) tryAgain(event);
});

/* writing */

function grow(field) {
  if (!field.matches("#text")) return;
  field.rows = Math.min(6, Math.max(1, field.value.split("\n").length, Math.ceil(field.value.length / 60)));
}

let lastPing = -Infinity;

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.matches("[data-keep]")) return;
  kept.set(field.id, field.value);
  grow(field);
  if (!field.dataset.typing || !field.value || over || performance.now() - lastPing < 3000) return;
  lastPing = performance.now();
  fetch(field.dataset.typing, {
    method: "POST",
    headers: { "X-CSRF": document.body.dataset.csrf, "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded" },
  }).catch(() => {});
});

document.addEventListener("keydown", (event) => {
  if (event.target.id !== "text" || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

window.addEventListener("beforeunload", (event) => {
  if (!leaving && byId("text")?.value.trim()) event.preventDefault();
});

/* panels of a case, on narrow screens and beside the conversation */

function panel(name) {
  caseView.dataset.panel = name;
  for (const tab of document.querySelectorAll(".tabs a")) {
    if (tab.dataset.panel === name) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
  if (name === "chat") toEnd();
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest(".tabs a");
  if (tab && caseView && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    panel(tab.dataset.panel);
  }
  if (event.target.closest("#below")) toEnd();
  if (event.target.closest("#print")) window.print();
  if (event.target.closest("#keys-open")) byId("keys").showModal();
});

let pressing = false;
document.addEventListener("pointerdown", () => (pressing = true));
for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => (pressing = false));

/* keys: letters work only while nobody is writing */

const keysSwitch = byId("keys-switch");

function isWriting(element) {
  return element.closest("input, select, textarea, [contenteditable]") !== null;
}

function move(step) {
  const entries = [...document.querySelectorAll(".entry a.alias")];
  if (!entries.length) return;
  const here = entries.findIndex((link) => link.closest(".entry").contains(document.activeElement));
  const next = here < 0 ? (step > 0 ? 0 : entries.length - 1) : Math.min(entries.length - 1, Math.max(0, here + step));
  entries[next].focus();
  entries[next].closest(".entry").scrollIntoView({ block: "nearest", behavior: reduced ? "auto" : "smooth" });
}

function escape(target) {
  if (isWriting(target)) target.blur();
  else if (caseView?.dataset.panel !== "chat" && caseView && matchMedia("(max-width: 60rem)").matches) panel("chat");
  else if (caseView) location.assign("/console/queue");
  else if (live && location.pathname !== "/console/queue") location.assign("/console/queue");
}

document.addEventListener("keydown", (event) => {
  if (!live || event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (byId("keys").open) return;
  if (event.key === "Escape") return escape(event.target);
  if (isWriting(event.target) || !keysSwitch.checked) return;
  const acts = {
    j: () => move(1),
    k: () => move(-1),
    t: () => (document.activeElement.closest(".entry") ?? caseView)?.querySelector("button.take")?.click(),
    "/": () => {
      if (caseView) panel("phrases");
      const field = document.querySelector("[data-search]");
      if (field) field.focus();
      else location.assign("/console/phrasebook");
    },
    "?": () => byId("keys").showModal(),
  };
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

/* begin */

refreshTimes();
if (byId("print")) byId("print").hidden = false;
if (live) {
  byId("keys-open").hidden = false;
  keysSwitch.checked = stored("console-keys", "on") === "on";
  keysSwitch.addEventListener("change", () => store("console-keys", keysSwitch.checked ? "on" : "off"));
  document.documentElement.classList.add("scripts");
  setInterval(refreshTimes, 15_000);
  seen();
  toEnd();
  listenInBackground();
  listen();
}
