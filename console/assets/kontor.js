// What pages gain from a script; each works without it.

// of the ways to write English, the one that is read without doubt in Europe
const language = document.documentElement.lang.replace(/^en$/, "en-GB");
const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat(language, { dateStyle: "medium" });

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
  form.querySelector("[data-add]")?.addEventListener("click", (event) => {
    event.preventDefault();
    const rows = form.querySelector("[data-rows]");
    const row = rows.querySelector("[data-row]").cloneNode(true);
    for (const field of row.querySelectorAll("input, select")) {
      if (field.tagName === "SELECT") field.selectedIndex = 0; else field.value = "";
    }
    rows.append(row);
    row.querySelector("select").focus();
  });
}

/** What is still under way is looked at again every second, until it is over. */
for (const part of document.querySelectorAll("[data-follow]")) {
  const look = async () => {
    if (!part.querySelector("[data-unfinished]")) return;
    const answer = await fetch(part.dataset.follow);
    if (!answer.ok || answer.redirected) return;
    part.innerHTML = await answer.text();
    showMoments(part);
    // what else the page offers then may be another
    if (part.querySelector("[data-unfinished]")) setTimeout(look, 1000); else if (part.matches("section")) location.reload();
  };
  setTimeout(look, 700);
}
