// What pages gain from a script; each works without it.

// of the ways to write English, the one that is read without doubt in Europe
const language = document.documentElement.lang.replace(/^en$/, "en-GB");
const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat(language, { dateStyle: "medium" });

/** A part as the server wrote it, but for marks, which are others each time. */
const plain = (part) => part.innerHTML.replaceAll(/name="mark" value="[^"]*"/g, "");

/** What the server wrote where it is to be kept up to date. */
const written = new Map();
for (const part of document.querySelectorAll("[data-live]")) written.set(part, plain(part));

/** Shows moments in the reader's own time zone and way. */
function showMoments(within) {
  for (const time of within.querySelectorAll("time[data-moment]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    time.textContent = (time.dataset.moment === "day" ? days : moments).format(moment);
    time.title = moments.format(moment);
  }
}

/** Lists that follow what is typed. Only the newest question's answer is shown. */
function searchAtOnce(form) {
  const rows = document.querySelector(form.dataset.instant);
  let newest = 0, waiting;
  const ask = async () => {
    const mine = ++newest;
    const query = new URLSearchParams(new FormData(form));
    history.replaceState(null, "", `${form.action}?${query}`);
    const file = document.querySelector("a[data-export]");
    if (file) file.search = query;
    query.set("part", "true");
    const answer = await fetch(`${form.action}?${query}`);
    if (mine !== newest) return;
    // also when the session is over, and the answer is the door
    if (!answer.ok || answer.redirected) { form.submit(); return; }
    rows.innerHTML = await answer.text();
    showMoments(rows);
  };
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, 150); });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); ask(); });
}

/** The next page of a list is put under this one. */
document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-more]");
  if (!link) return;
  event.preventDefault();
  link.setAttribute("aria-busy", "true");
  const address = new URL(link.href);
  address.searchParams.set("part", "true");
  const answer = await fetch(address);
  if (!answer.ok || answer.redirected) { location.href = link.href; return; }
  const part = document.createElement("div");
  part.innerHTML = await answer.text();
  showMoments(part);
  const list = link.closest(".card").querySelector("tbody");
  list.append(...part.querySelectorAll("tbody tr"));
  const more = part.querySelector(".more");
  link.closest(".more").replaceWith(...(more ? [more] : []));
});

/** Asks before what cannot easily be taken back. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = form.dataset.confirm;
  if (!question || form.dataset.sure) return;
  event.preventDefault();
  const button = event.submitter;
  const dialog = document.createElement("dialog");
  const text = document.createElement("p");
  text.textContent = question;
  const buttons = document.createElement("p");
  buttons.className = "buttons";
  for (const [words, style, act] of [
    [button.textContent, "quiet danger", () => { form.dataset.sure = "1"; form.requestSubmit(button); }],
    [document.querySelector("[data-cancel]")?.dataset.cancel ?? "×", "quiet", () => dialog.close()],
  ]) {
    const one = document.createElement("button");
    one.type = "button";
    one.className = style;
    one.textContent = words.trim();
    one.addEventListener("click", act);
    buttons.append(one);
  }
  dialog.append(text, buttons);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
});

/** A link that was made here is shown whole, to be handed over. */
for (const code of document.querySelectorAll("code[data-copy]")) {
  if (code.textContent.startsWith("/")) code.textContent = location.origin + code.textContent;
}

// "/" goes to the search, as people are used to
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const field = document.querySelector("form[data-instant] input[type=search]") ?? document.querySelector("[data-find]");
  if (field) { event.preventDefault(); field.focus(); field.select(); }
});

showMoments(document);
for (const form of document.querySelectorAll("form[data-instant]")) searchAtOnce(form);

/** A form that says at once what it would mean. */
for (const form of document.querySelectorAll("form[data-preview]")) {
  const into = document.querySelector(form.dataset.into);
  let newest = 0, waiting;
  const ask = async () => {
    const mine = ++newest;
    const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (mine === newest && answer.ok && !answer.redirected) into.innerHTML = await answer.text();
  };
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, 250); });
}

/** One more row of a condition. */
for (const button of document.querySelectorAll("[data-add]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const rows = button.form.querySelector("[data-rows]");
    const row = rows.querySelector("[data-row]").cloneNode(true);
    for (const field of row.querySelectorAll("input, select")) {
      if (field.tagName === "SELECT") field.selectedIndex = 0; else field.value = "";
    }
    if (rows.children.length < 20) rows.append(row);
    rows.lastElementChild.querySelector("select").focus();
  });
}

/** Parts that show how things stand are drawn anew when something changed in the shop, each by the reader's own rights. */
function followShop() {
  // what is costly to work out is asked for less often
  const quiet = 1000 * (document.querySelector("[data-pace]")?.dataset.pace ?? 1);
  let source, waiting, asked = 0, isStale = false, isDown = false;
  const look = async () => {
    waiting = undefined;
    asked = Date.now();
    try {
      await draw();
    } catch {
      // the service cannot be reached: the stream comes back when it can
      isStale = true;
    }
    lookLater();
  };
  const draw = async () => {
    // told apart from a person who reads on: it keeps no session alive
    const answer = await fetch(location.href, { headers: { Accept: "text/html", "Kontor-Live": "1" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    isStale = false;
    for (const part of document.querySelectorAll("[data-live]")) {
      const now = page.querySelector(`[data-live="${part.dataset.live}"]`);
      if (!now || plain(now) === written.get(part)) continue;
      // nothing is taken away from under anybody's hands
      if (isDown || part.contains(document.activeElement) || document.querySelector("dialog[open]")) { isStale = true; continue; }
      written.set(part, plain(now));
      const open = [...part.querySelectorAll("details")].map((one) => one.open);
      part.replaceChildren(...now.childNodes);
      part.querySelectorAll("details").forEach((one, place) => { one.open ||= open[place] ?? false; });
      showMoments(part);
    }
  };
  const soon = () => { waiting ??= setTimeout(look, Math.max(0, asked + quiet - Date.now())); };
  // what is under way is looked at now and then even if no word of it comes
  const lookLater = () => { if (document.querySelector("[data-live] [data-unfinished]")) setTimeout(soon, 5000); };
  const listen = () => {
    source?.close();
    source = undefined;
    // a browser has few connections to one host: pages that nobody sees leave theirs to others
    if (document.hidden) return;
    source = new EventSource("/live");
    let isFirst = asked === 0;
    source.addEventListener("open", () => { if (isFirst) asked = 1; else soon(); isFirst = false; });
    source.addEventListener("changed", soon);
  };
  document.addEventListener("visibilitychange", listen);
  document.addEventListener("focusout", () => { if (isStale) soon(); });
  document.addEventListener("pointerdown", () => { isDown = true; });
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => { isDown = false; if (isStale) soon(); });
  }
  listen();
  lookLater();
}
if (document.querySelector("[data-live]")) followShop();
