"use strict";
// The page works without this; with it, answers come without a new page, and leaving waits for nothing.

const form = document.getElementById("form");
const log = document.getElementById("log");
const text = document.getElementById("text");
const words = document.getElementById("interface").dataset;
const conversation = form.elements.conversation;
const exitToken = document.getElementById("exit").value;
const TRIES = 4;
let escapes = [];
let waiting = Promise.resolve();
let asking = null; // the question for what staff write, while one is open
const shown = new Set(); // lines of theirs that stand here

function leave() {
  navigator.sendBeacon("/leave", new URLSearchParams({ conversation: conversation.value }));
  conversation.value = "";
  stopListening();
  document.body.replaceChildren();
  document.title = "";
  location.replace("/units");
}

function bubble(className, children) {
  const message = document.createElement("div");
  message.className = `message ${className}`.trim();
  const paragraph = document.createElement("p");
  paragraph.append(...children);
  message.append(paragraph);
  log.append(message);
  return message;
}

// Only the conversation scrolls: the exit stays in its place. (scrollIntoView may move the page, too.)
function bring(message) {
  if (message) log.scrollTop = message.offsetTop - 12;
}

function run(part) {
  if (part.kind === "break") return document.createElement("br");
  if (part.kind === "link") {
    const link = document.createElement("a");
    link.href = part.href;
    link.dir = "ltr";
    link.rel = "noreferrer noopener";
    if (!part.href.startsWith("tel:")) link.target = "_blank";
    link.textContent = part.text;
    return link;
  }
  if (part.kind === "isolate") {
    const isolate = document.createElement("bdi");
    isolate.textContent = part.text;
    return isolate;
  }
  return document.createTextNode(part.text);
}

function cardLines(card) {
  return card.texts.map((each) => {
    const line = document.createElement("p");
    line.lang = each.language;
    line.dir = each.direction;
    line.textContent = each.text;
    return line;
  });
}

function plainButton(title, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = title;
  button.addEventListener("click", act);
  return button;
}

// A card fills the screen until it is closed; it can be opened again from its message.
function openCard(card) {
  const sheet = document.createElement("dialog");
  sheet.className = "sheet";
  sheet.append(...cardLines(card), plainButton(card.close, () => sheet.close()));
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
}

function cardOf(card) {
  const words_ = document.createElement("div");
  words_.className = "card";
  words_.append(...cardLines(card));
  const message = document.createElement("div");
  message.className = "message";
  message.append(words_, plainButton(card.open, () => openCard(card)));
  log.append(message);
  return message;
}

// Hidden, the page shows nothing but the converter.
function cover(covered, title) {
  document.body.classList.toggle("covered", Boolean(covered));
  document.title = title;
  document.querySelector(".name").textContent = title;
}

let hiding = 0;

// Where she has set a word to return, the chat hides by itself after a while without her.
function hideLater(after) {
  if (!after) return; // it says nothing about it
  clearTimeout(hiding);
  if (!after.seconds) return;
  hiding = setTimeout(() => {
    log.replaceChildren(); // at once, with or without a network
    stopListening();
    words.offline = "…";
    cover(true, "");
    waiting = waiting.then(() =>
      turn({ conversation: conversation.value, language: form.elements.language.value, choice: after.token }, "")
    );
  }, after.seconds * 1000);
}

function show(answer) {
  document.documentElement.lang = answer.language;
  document.documentElement.dir = answer.direction;
  form.elements.language.value = answer.language;
  cover(answer.covered, answer.interface.title);
  words.typing = answer.interface.typing;
  words.you = answer.interface.you;
  words.offline = answer.interface.offline.replace(/[\u2066\u2069]/g, "");
  text.placeholder = answer.interface.placeholder;
  text.setAttribute("aria-label", answer.interface.placeholder);
  document.getElementById("send").textContent = answer.interface.send;
  document.getElementById("exit").textContent = answer.interface.exit;
  document.getElementById("privacy").textContent = answer.interface.privacy;
  document.getElementById("hint").textContent = answer.interface.exit_hint;
  const first = showMessages(answer.messages);
  bring(first);
}

function showMessages(messages) {
  let first = null;
  for (const each of messages) {
    const message = each.card ? cardOf(each.card) : bubble(each.sender ? "human" : "", each.parts.map(run));
    if (each.sender) {
      const who = document.createElement("span");
      who.className = "sender";
      who.textContent = each.sender;
      message.prepend(who);
    }
    if (each.language) {
      message.lang = each.language;
      message.dir = each.direction;
    }
    if (each.choices.length) {
      const choices = document.createElement("div");
      choices.className = "choices";
      for (const choice of each.choices) {
        const button = document.createElement("button");
        button.name = "choice";
        button.value = choice.token;
        button.formNoValidate = true;
        button.textContent = choice.title;
        choices.append(button);
      }
      message.append(choices);
    }
    first ??= message;
  }
  return first;
}

const statusLine = document.getElementById("status");
let statusDigest = "";

function showStatus(status) {
  statusDigest = status.digest;
  const text = [status.text, status.typing, status.deletes].filter(Boolean).join(" · ");
  statusLine.textContent = text;
  statusLine.hidden = !text;
}

// While staff have her case, the page asks for what they write, and says what it has shown: nothing is lost or doubled.
async function listen() {
  if (asking) return;
  const mine = (asking = new AbortController());
  let pause = 1000;
  while (mine === asking && !document.body.classList.contains("covered") && conversation.value) {
    try {
      const response = await fetch("/news", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ conversation: conversation.value, shown: [...shown].slice(-100), status: statusDigest }),
        credentials: "omit",
        signal: mine.signal,
      });
      if (response.status === 204) break;
      if (!response.ok) throw new Error(String(response.status));
      const news = await response.json();
      if (mine !== asking || document.body.classList.contains("covered")) break;
      for (const line of news.lines) {
        if (shown.has(line.token)) continue;
        shown.add(line.token);
        bring(showMessages(line.messages));
        clearTimeout(hiding); // somebody is talking with her
      }
      showStatus(news.status);
      if (!news.status.live) break;
      pause = 1000;
    } catch (error) {
      if (mine !== asking) return;
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, 15000);
    }
  }
  if (mine === asking) asking = null;
}

function stopListening() {
  asking?.abort();
  asking = null;
  statusLine.hidden = true;
  statusDigest = "";
}

async function ask(fields) {
  clearTimeout(hiding); // she is here
  fields = { ...fields, turn: crypto.getRandomValues(new Uint32Array(1))[0] + 1 }; // the same in every try
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch("/", {
        method: "POST",
        headers: { Accept: "application/json", "Content-Type": "application/json" },
        body: JSON.stringify(fields),
        credentials: "omit",
      });
      if (response.ok) return await response.json();
      if (response.status < 500) throw new RangeError(String(response.status));
    } catch (error) {
      if (error instanceof RangeError) throw error;
    }
    if (attempt === TRIES) throw new Error("offline");
    if (attempt === 0) note(words.offline);
    await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** attempt));
  }
}

function note(words_) {
  document.querySelector(".typing p").textContent = words_;
}

async function turn(fields, shown) {
  let mine = null;
  if (shown) {
    mine = bubble("mine", [document.createTextNode(shown)]);
    const who = document.createElement("span");
    who.className = "who";
    who.textContent = words.you;
    mine.prepend(who);
  }
  const typing = bubble("typing", [document.createTextNode(words.typing + "…")]);
  bring(typing);
  try {
    const answer = await ask(fields);
    typing.remove();
    if (answer.ended && answer.cover) return leave();
    if (answer.hide && mine) mine.remove();
    if (answer.cleared || answer.ended || answer.covered) stopListening();
    if (answer.cleared) log.replaceChildren();
    hideLater(answer.hide_after);
    if (answer.ended) {
      log.replaceChildren();
      conversation.value = Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    show(answer);
    if (answer.silent && mine) {
      const tick = document.createElement("span");
      tick.className = "tick";
      tick.textContent = words.sent;
      mine.append(tick);
      bring(mine);
    }
    if (answer.with_staff && !answer.covered) listen();
  } catch {
    note(words.offline);
    typing.classList.remove("typing");
    if (shown && !fields.choice && !text.value) text.value = shown;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = event.submitter;
  const token = button?.name === "choice" ? button.value : "";
  if (token === exitToken) return leave();
  document.getElementById("languages").open = false;
  const written = text.value.trim();
  if (!token && !written) return;
  const fields = { conversation: conversation.value, language: form.elements.language.value };
  if (token) fields.choice = token;
  else {
    fields.text = written;
    text.value = "";
  }
  const shown = token ? button.textContent.trim() : written;
  waiting = waiting.then(() => turn({ ...fields, conversation: conversation.value }, shown));
  text.focus({ preventScroll: true });
});

text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit(document.getElementById("send"));
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const now = Date.now();
  escapes = [...escapes.filter((moment) => now - moment < 2000), now];
  if (escapes.length >= 3) leave();
});

// A page that was left must not come back from the browser's cache with the chat in it.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.replace("/units");
});

if (words.staff) listen();
