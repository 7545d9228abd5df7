// Live updates of the board: one connection, one snapshot a second, drawn into the page that the server has sent.
"use strict";

(() => {
  const WIDTH = 600, HEIGHT = 120, QUIET_MS = 5000, AGAIN_MS = 5000;
  const HEALTH = { well: "good", behind: "warn", down: "bad", unknown: "none", holds: "good", broken: "bad" };
  const of = (id) => document.getElementById(id);
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const number = (value) => value.toLocaleString(language);
  const rate = (value) => value.toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const words = of("words").dataset;
  const sales = new Map();
  let heard = 0, refused = 0;

  const say = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };

  const state = (element, word) => {
    say(element, words[word]);
    element.className = `state ${HEALTH[word]}`;
  };

  // The smallest 1, 2 or 5 times a power of ten that no value exceeds.
  const top = (values) => {
    const most = Math.max(0, ...values);
    for (let size = 1; ; size *= 10) {
      for (const step of [1, 2, 5]) if (step * size >= most) return step * size;
    }
  };

  const svg = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  const height = (value, most) => Math.round((HEIGHT * Math.min(1, value / most)) * 10) / 10;

  const drawPace = (pace) => {
    const most = top(pace.counts), longest = top(pace.slowest), step = WIDTH / pace.counts.length;
    say(of("rate"), number(pace.counts[pace.counts.length - 1]));
    say(of("rate-top"), number(most));
    const bars = pace.counts.map((count, place) =>
      svg("rect", { x: place * step, y: HEIGHT - height(count, most), width: step * 0.8, height: height(count, most) }));
    of("rate-plot").replaceChildren(...bars);
    const across = WIDTH / (pace.counts.length - 1);
    for (const name of ["slowest", "median"]) {
      const points = pace[name].map((value, place) => `${place * across},${HEIGHT - height(value, longest)}`);
      of("took-plot").querySelector(`.${name}`).setAttribute("points", points.join(" "));
    }
    say(of("median"), number(pace.tookMedian));
    say(of("slowest"), number(pace.tookSlowest));
    say(of("took-top"), number(longest));
    document.querySelectorAll("[data-kind]").forEach((each) => say(each, number(pace.kinds[each.dataset.kind] || 0)));
  };

  const drawPart = (part) => {
    const box = of(`part-${part.id}`);
    state(box.querySelector(".state"), part.health);
    say(box.querySelector(".rate"), part.rate === null ? "" : `${rate(part.rate)}/s`);
    say(box.querySelector(".lag"), part.lag);
    say(box.querySelector(".note"), part.note);
    document.querySelectorAll(`.way[data-flow="${part.id}"]`).forEach((way) => {
      way.classList.toggle("flows", part.health !== "down" && (part.rate || 0) > 0.05);
    });
  };

  const drawType = (row, type) => {
    const whole = Math.max(type.quantity, type.sold + type.held, 1);
    say(row.querySelector(".type-name"), type.name);
    for (const name of ["sold", "held", "available"]) say(row.querySelector(`.${name}`), number(type[name]));
    const sold = row.querySelector(".bar-sold"), held = row.querySelector(".bar-held");
    sold.setAttribute("width", (1000 * type.sold) / whole);
    held.setAttribute("x", (1000 * type.sold) / whole);
    held.setAttribute("width", (1000 * type.held) / whole);
  };

  // One child for each thing; existing children are kept.
  const matched = (parent, template, things, draw) => {
    const known = new Map([...parent.children].map((child) => [child.dataset.id, child]));
    const wanted = things.map((thing) => {
      const child = known.get(thing.id) || of(template).content.firstElementChild.cloneNode(true);
      child.dataset.id = thing.id;
      draw(child, thing);
      return child;
    });
    if (wanted.length !== parent.children.length || wanted.some((child, place) => child !== parent.children[place])) {
      parent.replaceChildren(...wanted);
    }
  };

  const drawEvent = (card, event) => {
    const link = card.querySelector("h3 a");
    say(link.querySelector("bdi"), event.title);
    link.setAttribute("href", `/events/${event.id}`);
    const before = sales.get(event.id);
    sales.set(event.id, event.sales);
    const more = before === undefined ? 0 : Math.max(0, event.sales - before);
    const pace = more ? of("sales").dataset.perSecond.replace("{number}", number(more)) : "";
    say(card.querySelector(".sale-rate"), [pace, event.note].filter(Boolean).join(" · "));
    matched(card.querySelector(".types"), "type", event.types, drawType);
  };

  const drawRule = (rule) => {
    const row = of(`rule-${rule.id}`);
    state(row.querySelector(".state"), rule.verdict);
    say(row.querySelector(".detail"), rule.detail);
  };

  const drawLetters = (letters) => {
    document.querySelectorAll("[data-consumer]").forEach((each) => {
      say(each, letters ? number(letters[each.dataset.consumer] || 0) : "–");
    });
  };

  const draw = (now) => {
    drawPace(now.pace);
    now.parts.forEach(drawPart);
    matched(of("sales"), "sale", now.events, drawEvent);
    of("no-sales").hidden = now.events.length > 0;
    now.rules.forEach(drawRule);
    drawLetters(now.letters);
  };

  const live = (word, kind) => {
    say(of("live"), of("live").dataset[word]);
    of("live").className = `state ${kind}`;
  };

  // The browser reconnects by itself unless it was refused; then the session may have ended.
  const connect = () => {
    const source = new EventSource("/board/live");
    source.addEventListener("message", (message) => {
      heard = Date.now();
      refused = 0;
      draw(JSON.parse(message.data));
      live("live", "good");
    });
    source.addEventListener("error", () => {
      live("reconnecting", "warn");
      if (source.readyState !== EventSource.CLOSED) return;
      refused += 1;
      if (refused > 2) location.reload();
      else setTimeout(connect, AGAIN_MS);
    });
  };

  // Escape hides the text about a name until the pointer or the focus is elsewhere.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll(".explained:hover, .explained:focus-within").forEach((each) => each.classList.add("is-quiet"));
  });
  for (const kind of ["pointerout", "focusout"]) {
    document.addEventListener(kind, (event) => {
      const left = event.target.closest(".explained");
      if (left && !left.contains(event.relatedTarget)) left.classList.remove("is-quiet");
    });
  }

  connect();
  setInterval(() => {
    if (heard && Date.now() - heard > QUIET_MS) live("silent", "bad");
  }, 1000);
})();
