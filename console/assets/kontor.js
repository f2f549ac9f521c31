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
    countPicked();
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
  // what cannot be undone has a title of its own, and a button that looks like it
  const title = document.createElement("h2");
  title.textContent = form.dataset.confirmTitle ?? "";
  const buttons = document.createElement("p");
  buttons.className = "buttons";
  for (const [words, style, act] of [
    [button.textContent, "confirmTitle" in form.dataset ? "act grave" : "quiet danger", () => { form.dataset.sure = "1"; form.requestSubmit(button); }],
    [document.querySelector("[data-cancel]")?.dataset.cancel ?? "×", "quiet", () => dialog.close()],
  ]) {
    const one = document.createElement("button");
    one.type = "button";
    one.className = style;
    one.textContent = words.trim();
    one.addEventListener("click", act);
    buttons.append(one);
  }
  if (title.textContent) dialog.append(title);
  dialog.append(text, buttons);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
});

/** What is to be handed over: a link that was made here is shown whole, and all of it is copied by one click. */
for (const code of document.querySelectorAll("code[data-copy]")) {
  if (code.textContent.startsWith("/")) code.textContent = location.origin + code.textContent;
  // there is no clipboard on pages that came without TLS
  if (!navigator.clipboard) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet copy";
  button.textContent = document.body.dataset.copy;
  button.onclick = async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = document.body.dataset.copied;
  };
  code.after(" ", button);
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
    if (rows.children.length < Number(rows.dataset.most ?? 20)) rows.append(row);
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

/** Marks for changing many at once: how many, and all of the page. */
function countPicked() {
  const picked = document.querySelectorAll("input[name=id][form=many]:checked").length;
  const bar = document.querySelector("[data-marked]");
  if (!bar) return;
  bar.hidden = picked === 0;
  bar.querySelector("[data-picked]").textContent = document.body.dataset.picked.replace("{n}", picked);
  const button = document.querySelector("[data-many-do]");
  const isMarked = picked > 0 && button.form.elements.scope.value === "marked";
  button.textContent = isMarked ? button.dataset.manyDo.replace("{n}", picked) : button.dataset.manyPlain ??= button.textContent;
}
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-pick-all]")) {
    for (const box of document.querySelectorAll("input[name=id][form=many]")) box.checked = event.target.checked;
  }
  if (event.target.matches?.("#many [name=clear]")) event.target.form.elements.value.disabled = event.target.checked;
  if (event.target.matches?.("[data-pick-all], input[name=id][form=many], #many [name=scope]")) {
    countPicked();
  }
});
// the form stands below the list, however long that is
document.querySelector("[data-marked] a")?.addEventListener("click", () => { document.querySelector("[data-many]").open = true; });
// what is searched for meanwhile is what "all that are found" means
document.addEventListener("submit", (event) => {
  for (const field of event.target.querySelectorAll("[data-follows]")) {
    const typed = document.querySelector(`form[data-instant] [name=${field.dataset.follows}]`);
    if (typed) field.value = typed.value;
  }
}, true);

/** Places and contacts by a few letters (Ctrl or Command with K). */
function openPalette() {
  if (document.querySelector("dialog[open]")) return;
  const dialog = document.createElement("dialog");
  dialog.className = "palette";
  const field = document.createElement("input");
  Object.assign(field, { type: "search", className: "form-control", placeholder: document.body.dataset.palette });
  for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list",
    "aria-label": document.body.dataset.palette, "aria-autocomplete": "list", autocomplete: "off" })) field.setAttribute(name, value);
  const list = document.createElement("ul");
  list.id = "palette-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", document.body.dataset.paletteList);
  dialog.setAttribute("aria-label", document.body.dataset.palette);
  const places = [...new Map([...document.querySelectorAll(".side a, main .bar a.act, main .bar a.quiet, a.me")]
    .map((link) => [link.href, { href: link.href, text: link.textContent.trim() }])).values()];
  let found = [], at = 0, newest = 0, waiting;
  const draw = () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    const shown = [...places.filter((place) => place.text.toLocaleLowerCase().includes(wanted)), ...found].slice(0, 12);
    at = Math.min(at, Math.max(0, shown.length - 1));
    list.replaceChildren(...shown.map((one, place) => {
      const item = document.createElement("li");
      item.id = `palette-${place}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(place === at));
      item.dataset.href = one.href;
      item.textContent = one.text;
      return item;
    }));
    if (shown.length) {
      field.setAttribute("aria-activedescendant", `palette-${at}`);
      list.children[at].scrollIntoView({ block: "nearest" });
    } else {
      field.removeAttribute("aria-activedescendant");
      const item = document.createElement("li");
      item.className = "soft";
      item.setAttribute("role", "option");
      item.setAttribute("aria-disabled", "true");
      item.textContent = document.body.dataset.paletteNone;
      list.append(item);
    }
  };
  const search = async () => {
    const mine = ++newest, words = field.value.trim();
    if (words.length < 2) { found = []; draw(); return; }
    const answer = await fetch(`/contacts?part=true&q=${encodeURIComponent(words)}`);
    if (mine !== newest || !answer.ok || answer.redirected) return;
    const part = new DOMParser().parseFromString(await answer.text(), "text/html");
    found = [...part.querySelectorAll("a.who")].slice(0, 6)
      .map((link) => ({ href: new URL(link.getAttribute("href"), location.origin).href, text: link.querySelector("strong").textContent }));
    draw();
  };
  field.addEventListener("input", () => { at = 0; draw(); clearTimeout(waiting); waiting = setTimeout(search, 150); });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const items = list.querySelectorAll("[data-href]");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % Math.max(1, items.length);
      draw();
    } else if (event.key === "Enter" && items[at]) {
      event.preventDefault();
      location.href = items[at].dataset.href;
    }
  });
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[data-href]");
    if (item) location.href = item.dataset.href;
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(field, list);
  document.body.append(dialog);
  draw();
  dialog.showModal();
  field.focus();
}
if (document.body.dataset.palette) {
  document.addEventListener("keydown", (event) => {
    if (event.key?.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    openPalette();
  });
  for (const button of document.querySelectorAll("[data-palette-open]")) {
    button.hidden = false;
    button.addEventListener("click", openPalette);
  }
}
