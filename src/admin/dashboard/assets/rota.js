// Keeps a page of the dashboard up to date, and sends what its buttons say.
//
// Pages are made by the server. When an event tells that something happened, and every few seconds,
// the main part of this page is asked for anew and what differs is put in place: elements that are
// the same stay, so focus, selections and what is being typed stay with them.
"use strict";
(() => {
  const root = document.documentElement;
  root.dataset.script = "";

  // Before the first paint: a chosen theme does not flash.
  const THEME = "rota-theme";
  const remembered = (store, key) => { try { return store.getItem(key); } catch { return null; } };
  const remember = (store, key, value) => {
    try { value ? store.setItem(key, value) : store.removeItem(key); } catch { /* not allowed */ }
  };
  const theme = remembered(localStorage, THEME);
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  const PACE_MS = 5000;      // rates and ages grow old by themselves
  const FADE_MS = 1000;      // a node that is being forgotten is watched
  const PATIENCE_MS = 10000; // an answer that takes longer is none
  const GATHER_MS = 150;     // events come in flocks
  const RETRY_MS = 15000;    // until events are listened to again
  const TOAST_MS = 6000;
  const $ = (id) => document.getElementById(id);

  // Puts what differs of `next` into `old`.
  const key = (node) => node.nodeType === 1 ? node.id || node.dataset.key || null : null;
  const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && key(a) === key(b);
  function morph(old, next) {
    if (old.isEqualNode(next)) return;
    if (old.nodeType !== 1) { old.nodeValue = next.nodeValue; return; }
    // What somebody types is theirs.
    if (old.matches("input, select, textarea")) return;
    for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const keyed = new Map();
    for (const child of old.childNodes) if (key(child)) keyed.set(key(child), child);
    let at = old.firstChild;
    for (const child of [...next.childNodes]) {
      const known = key(child) && keyed.get(key(child));
      if (known && alike(known, child)) {
        if (known === at) at = at.nextSibling; else old.insertBefore(known, at);
        morph(known, child);
      } else if (!key(child) && at && !key(at) && alike(at, child)) {
        const same = at;
        at = at.nextSibling;
        morph(same, child);
      } else {
        old.insertBefore(child, at);
      }
    }
    while (at) { const gone = at; at = at.nextSibling; gone.remove(); }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const main = $("main");
    const isLive = !!document.querySelector("#search");

    // Light and dark.
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
    const named = () => { $("theme").textContent = isDark() ? "Light" : "Dark"; };
    const turn = () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(localStorage, THEME, root.dataset.theme);
      named();
    };
    $("theme").addEventListener("click", turn);
    dark.addEventListener("change", named);
    named();

    // Up to date.
    let listening = false, asking = false, again = false, gathering = 0, seen = Date.now();
    const tell = (state, text) => {
      if ($("live").dataset.state !== state) $("live").dataset.state = state;
      if ($("live-text").textContent !== text) $("live-text").textContent = text;
    };
    const address = () => {
      const url = new URL(location.href);
      url.searchParams.set("part", "1");
      return url;
    };
    async function refresh() {
      clearTimeout(gathering);
      gathering = 0;
      if (asking) { again = true; return; }
      asking = true;
      const asked = location.href;
      try {
        const answer = await fetch(address(), { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
        if (!answer.ok) throw new Error(`${answer.status}`);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const next = page.querySelector("main");
        // Another search since: this is not its answer.
        if (next && asked === location.href) {
          morph(main, document.adoptNode(next));
          document.title = next.dataset.title;
        }
        seen = Date.now();
        $("stale").hidden = true;
        tell(listening ? "live" : "asking", listening ? "live" : `every ${PACE_MS / 1000} s`);
      } catch {
        const since = Math.round((Date.now() - seen) / 1000);
        $("stale").textContent = `No contact with the server for ${since} s. What is shown here is old.`;
        $("stale").hidden = false;
        tell("lost", "no contact");
      } finally {
        asking = false;
        if (again) { again = false; soon(); }
      }
    }
    const soon = () => { if (!gathering) gathering = setTimeout(refresh, GATHER_MS); };
    function listen() {
      const events = new EventSource("/api/v1/events");
      events.onopen = () => { listening = true; soon(); };
      events.onerror = () => {
        listening = false;
        // A server that has no seat for another listener is asked again later.
        if (events.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
      };
      const names = ["status", "tier", "override", "vantage", "drained", "published", "lost"];
      for (const name of names) events.addEventListener(name, soon);
      addEventListener("pagehide", () => events.close(), { once: true });
    }
    if (isLive) {
      listen();
      const pace = () => main.querySelector("[data-fades]") ? FADE_MS : PACE_MS;
      const tick = () => setTimeout(() => { if (!document.hidden) refresh(); tick(); }, pace());
      tick();
      document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
      addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
    } else {
      $("live").hidden = true;
    }

    // Searching: the server does it, while one types.
    const search = $("search");
    if (search) {
      let typing = 0;
      const seek = () => {
        const url = new URL(search.getAttribute("action"), location.href);
        for (const [name, value] of new FormData(search)) if (value) url.searchParams.set(name, value);
        history.replaceState(null, "", url);
        refresh();
      };
      search.addEventListener("submit", (event) => { event.preventDefault(); seek(); });
      search.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(seek, GATHER_MS); });
    }

    // Keys.
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const typing = event.target.matches("input, select, textarea") || $("change")?.open;
      if (event.key === "/" && !typing && $("q")) { event.preventDefault(); $("q").focus(); $("q").select(); }
      else if (event.key === "t" && !typing) turn();
      else if (event.key === "Escape" && event.target.id === "q") event.target.blur();
    });

    // Changes.
    const TOKEN = "rota-token", AUTHOR = "rota-author";
    let hiding = 0;
    const toast = (text) => {
      clearTimeout(hiding);
      $("toast").textContent = text;
      $("toast").hidden = false;
      hiding = setTimeout(() => { $("toast").hidden = true; }, TOAST_MS);
    };
    // Sends a change; gives what is wrong, or what was changed.
    async function send(method, path, body) {
      const headers = { "content-type": "application/json" };
      const token = remembered(sessionStorage, TOKEN);
      if (token) headers.authorization = `Bearer ${token}`;
      try {
        const answer = await fetch(path, { method, headers, body, signal: AbortSignal.timeout(PATIENCE_MS) });
        const doc = await answer.json();
        if (answer.status === 401) remember(sessionStorage, TOKEN, "");
        if (!answer.ok) return { error: [doc.error, doc.help].filter(Boolean).join("; "), token: answer.status === 401 };
        return { changed: doc };
      } catch {
        return { error: "the server did not answer" };
      }
    }
    const says = ({ says }) => typeof says === "string" ? says
      : says.shares ? Object.entries(says.shares).map(([pool, share]) => `${pool}=${share}`).join(" ")
      : `weight ${says.weight}`;
    function report(changed) {
      const parts = [
        ...changed.given.map((one) => `${one.scope}: ${says(one)}`),
        ...changed.lifted.map((one) => `${one.scope}: ${says(one)} is lifted`),
        ...changed.outranked.map((one) => `${one.node}: ${says(one.by)} of ${one.by.author} holds still`),
      ];
      toast(parts.slice(0, 4).join("; ") || "Nothing had been said there.");
      refresh();
    }

    const dialog = $("change"), form = $("change-form");
    if (!dialog) return;
    const field = (name) => form.elements.namedItem(name);
    const chosen = () => field("set").value;
    // Lifting needs no form of its own: it is asked for with a token, where one is needed.
    let job = null;
    const complain = (text) => { $("change-problem").textContent = text; $("change-problem").hidden = !text; };
    const needToken = () => root.dataset.changes === "token" && !remembered(sessionStorage, TOKEN);
    const parts = () => [...$("shares").querySelectorAll("input")];
    function shape() {
      const lifts = job.lift !== undefined, shifts = job.shares !== undefined;
      $("set-field").hidden = lifts || shifts;
      $("shares-field").hidden = !shifts;
      for (const label of form.querySelectorAll("form > .fields label")) label.hidden = lifts;
      $("weight-field").hidden = lifts || shifts || chosen() !== "weight";
      if (!shifts && (chosen() === "undrain" || chosen() === "auto")) $("time-field").hidden = true;
      field("weight").disabled = $("weight-field").hidden;
      const sum = parts().reduce((sum, part) => sum + Number(part.value), 0);
      $("shares-sum").textContent = sum === 100 ? "" : `${sum} together; it must be 100`;
      parts().at(-1)?.setCustomValidity(sum === 100 ? "" : "The shares must be 100 together.");
      $("token-field").hidden = !needToken();
      field("token").required = needToken();
      $("change-do").textContent = lifts ? "Lift it" : shifts ? "Shift" : {
        drain: "Drain", undrain: "Undrain", down: "Take down", up: "Put up", weight: "Set weight", auto: "Lift all",
      }[chosen()];
    }
    // A field for each pool; of two the other one follows.
    function lay(shares) {
      $("shares").replaceChildren(...shares.map(([pool, share]) => {
        const label = document.createElement("label"), input = document.createElement("input");
        Object.assign(input, { type: "number", min: 0, max: 100, step: 1, required: true, value: share });
        input.dataset.pool = pool;
        label.append(pool, input);
        return label;
      }));
      const [one, other, more] = parts();
      if (!other || more) return;
      const follow = (from, to) => from.addEventListener("input", () => {
        const share = Number(from.value);
        if (from.value && share >= 0 && share <= 100) to.value = 100 - share;
      });
      follow(one, other);
      follow(other, one);
    }
    function open(what) {
      job = what;
      lay(job.shares ?? []);
      $("change-title").firstChild.textContent = job.shares ? "Shift " : job.lift === undefined ? "Change " : "Lift ";
      $("change-scope").textContent = job.scope;
      $("change-hint").textContent = needToken() ? "Changes need the token of this server. It is kept until this tab is closed." : "";
      $("change-hint").hidden = !$("change-hint").textContent;
      field("reason").value = "";
      field("token").value = "";
      field("author").value = remembered(sessionStorage, AUTHOR) || "";
      field("weight").value = job.weight ?? "1";
      form.querySelector("input[value=drain]").checked = true;
      complain("");
      shape();
      if (!dialog.open) dialog.showModal();
    }
    async function perform() {
      const typed = field("token").value.trim();
      if (typed) remember(sessionStorage, TOKEN, typed);
      let outcome;
      $("change-do").disabled = true;
      if (job.lift !== undefined) {
        outcome = await send("DELETE", `/api/v1/overrides/${job.lift}`);
      } else {
        const set = job.shares ? { shares: Object.fromEntries(parts().map((part) => [part.dataset.pool, Number(part.value)])) }
          : chosen() === "weight" ? { weight: Number(field("weight").value) } : chosen();
        const body = { scopes: [job.scope], set };
        const [reason, author] = [field("reason").value.trim(), field("author").value.trim()];
        remember(sessionStorage, AUTHOR, author);
        if (reason) body.reason = reason;
        if (author) body.author = author;
        if (field("for").value && !$("time-field").hidden) body.for_seconds = Number(field("for").value);
        outcome = await send("POST", "/api/v1/overrides", JSON.stringify(body));
      }
      $("change-do").disabled = false;
      if (outcome.changed) {
        dialog.close();
        report(outcome.changed);
        return;
      }
      if (outcome.token) { field("token").value = ""; shape(); field("token").focus(); }
      if (dialog.open) complain(outcome.error); else toast(outcome.error);
    }
    form.addEventListener("submit", (event) => { event.preventDefault(); perform(); });
    form.addEventListener("change", shape);
    $("shares").addEventListener("input", shape);
    $("change-cancel").addEventListener("click", () => dialog.close());
    main.addEventListener("click", (event) => {
      const button = event.target.closest("button.change, button.lift, button.shift");
      if (!button) return;
      if (button.matches(".shift")) { open({ scope: button.dataset.scope, shares: JSON.parse(button.dataset.shares) }); return; }
      if (button.matches(".change")) { open({ scope: button.dataset.scope, weight: button.dataset.weight }); return; }
      const lift = { lift: button.dataset.id, scope: button.getAttribute("aria-label").replace(/^Lift /, "") };
      if (needToken()) { open(lift); return; }
      job = lift;
      perform();
    });
  });
})();
