// The page works without this: forms post and lists are rendered by the server. With it, forms answer in place, the
// lists follow by themselves, and every request shows how long it took.

const PARTS = ["attendance", "leaves", "evaluations", "notifications"];
const PROMISED = 200; // milliseconds
const TITLE = "Équipe";
const URGENT = ["haute", "urgente"];
const SHOWN = 12; // requests in the chart
const TOASTS = 2;

const by = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds));

// How long requests take

async function timed(url, options = {}) {
  const start = performance.now();
  let response = null;
  try {
    response = await fetch(url, options);
    return response;
  } finally {
    showAnswer(options.method ?? "GET", url, response, performance.now() - start);
  }
}

function showAnswer(method, url, response, took) {
  by("answers").hidden = false;
  by("answers-what").textContent = `${method} ${url} ${response?.status ?? "no answer"} in`;
  by("answers-time").textContent = `${took.toFixed(took < 10 ? 1 : 0)} ms`;
  const bar = document.createElement("i");
  bar.classList.toggle("slow", took >= PROMISED);
  bar.classList.toggle("failed", !response?.ok);
  bar.style.setProperty("--height", `${Math.max(2, Math.min(18, (took / PROMISED) * 18))}px`);
  const chart = by("answers-chart");
  chart.append(bar);
  while (chart.children.length > SHOWN) chart.firstChild.remove();
}

function showHowThePageCame() {
  const [page] = performance.getEntriesByType("navigation");
  const answer = { ok: true, status: page.responseStatus };
  showAnswer("GET", location.pathname, answer, page.responseStart - page.requestStart);
}

// Parts of the page, as the server renders them

const latest = new Map();

const refresh = (...names) => Promise.all(names.map(refreshOne));

async function refreshOne(name) {
  const asked = (latest.get(name) ?? 0) + 1;
  latest.set(name, asked);
  const response = await fetch(`/parts/${name}`).catch(() => null);
  if (!response) return; // no connection: the next arrival or answer asks again
  if (response.redirected) return location.reload(); // the session is over: to the form that begins one
  const html = await response.text();
  const isOvertaken = latest.get(name) !== asked; // a later question may be answered first
  if (response.ok && !isOvertaken) show(document.querySelector(`[data-part=${name}]`), html);
}

function show(part, html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const focused = part.contains(document.activeElement) ? document.activeElement.id : null;
  keepWhatIsTheSame(part, fresh.content);
  part.replaceChildren(fresh.content);
  if (part.dataset.part === "notifications") showUnread(part.querySelector("ul")?.dataset.unreadCount ?? "0");
  if (focused) (by(focused) ?? part.closest(".card").querySelector("h2")).focus();
}

// An item that has not changed stays the element it is: nothing flickers and no picture loads twice.
function keepWhatIsTheSame(part, fresh) {
  const there = new Map([...part.querySelectorAll("li[id]")].map((item) => [item.id, item]));
  for (const item of fresh.querySelectorAll("li[id]")) {
    const old = there.get(item.id);
    if (old?.isEqualNode(item)) item.replaceWith(old);
    else if (!old) item.classList.add("arrived");
  }
}

function showUnread(count) {
  document.title = count === "0" ? TITLE : `(${count}) ${TITLE}`;
  document.querySelector("[data-bell]").ariaLabel = `Unread notifications: ${count}`;
  for (const badge of document.querySelectorAll("[data-unread]")) {
    badge.textContent = count;
    badge.classList.toggle("none", count === "0");
  }
}

document.addEventListener("animationend", ({ target }) => target.classList.remove("arrived"));

// Forms

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.api) return;
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button");
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  try {
    await send(form, event.submitter);
  } finally {
    button.ariaBusy = "false";
  }
});

async function send(form, submitter) {
  const data = new FormData(form, submitter);
  const request = form.enctype === "multipart/form-data" ? { body: data } : asJson(data);
  const answer = timed(form.dataset.api, { method: "POST", ...request });
  const problem = await answer.then(problemOf, () => "The server could not be reached.");
  showProblem(form, problem);
  if (problem) return;
  if (form.dataset.said) say(form.dataset.said);
  form.reset();
  await refresh(...PARTS);
  followPictures();
}

const asJson = (data) => ({
  body: JSON.stringify(Object.fromEntries(data)),
  headers: { "Content-Type": "application/json" },
});

async function problemOf(response) {
  if (response.ok) return "";
  const { detail } = await response.json().catch(() => ({}));
  if (Array.isArray(detail)) return detail.map((one) => one.msg.replace("Value error, ", "")).join(". ");
  return detail ?? `The server answered ${response.status}.`;
}

function showProblem(form, problem) {
  const place = form.querySelector(".error");
  if (!place) return problem && say(problem);
  place.textContent = problem;
  place.hidden = !problem;
}

// What is said is shown for a while, and read out by a screen reader

function say(text) {
  const toast = document.createElement("p");
  toast.className = "toast arrived";
  toast.textContent = text;
  by("toasts").append(toast);
  while (by("toasts").children.length > TOASTS) by("toasts").firstChild.remove();
  setTimeout(() => toast.remove(), 5000);
}

// Pictures that a worker is making

let following = false;

async function followPictures() {
  if (following) return;
  following = true;
  for (let wait = 250; document.querySelector("[data-processing]"); wait = Math.min(wait * 1.3, 10_000)) {
    await pause(wait);
    await refresh("attendance");
  }
  following = false;
}

// Notifications, as they arrive

let newest = document.querySelector("[data-newest]")?.dataset.newest ?? 0;

function listen() {
  const stream = new EventSource(`/api/notifications/stream?after=${newest}`);
  stream.onopen = () => showLive(true);
  stream.onerror = () => {
    showLive(false);
    if (stream.readyState === EventSource.CLOSED) listenLater(); // it tries again by itself unless it was refused
  };
  stream.onmessage = (event) => {
    newest = event.lastEventId;
    const { title, priorite } = JSON.parse(event.data);
    say(URGENT.includes(priorite) ? `High priority: ${title}` : title);
    refresh(...PARTS);
  };
}

async function listenLater() {
  await pause(3000);
  await refresh("notifications"); // which leads away from here if the session is over
  listen();
}

function showLive(isOn) {
  by("live").hidden = false;
  by("live").textContent = isOn ? "Live" : "Reconnecting";
  by("live").classList.toggle("on", isOn);
}

showHowThePageCame();
listen();
followPictures();
