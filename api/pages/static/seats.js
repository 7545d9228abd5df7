// The pages of seats work without this script. It lets seats be chosen on the drawing, and shows buyers which are taken.
"use strict";

const POLL_MS = 4000;

// The list has the place of a row's first seat, and the step to each next one.
function readPlaces(steps) {
  let place = 0;
  return steps.split(" ").map((step) => (place += Number(step)));
}

// The seats of the list, with their places on the drawing.
function readSeats(hall) {
  const title = hall.querySelector("[data-name]").dataset.name;
  return [...hall.querySelectorAll("[data-row]")].flatMap((row) => {
    const across = readPlaces(row.dataset.x), down = readPlaces(row.dataset.y);
    return [...row.querySelectorAll("input")].map((box, place) => {
      const [, label, number] = box.value.split("-");
      const name = title.replace("{section}", hall.dataset.hall).replace("{row}", label).replace("{seat}", number);
      return {
        box, name, row, x: across[place], y: down.length > 1 ? down[place] : down[0],
        colour: box.dataset.colour || "0", look: box.dataset.look || "type-0",
        isNear: box.parentElement.classList.contains("is-near"), isTaken: () => box.disabled, isChosen: () => box.checked,
      };
    });
  });
}

// The free seat nearest to one, of the same ticket type and kind; rather in its row.
function nearestTo(seats, lost, without) {
  const far = (seat) => Math.hypot(seat.x - lost.x, seat.y - lost.y) + (seat.row === lost.row ? 0 : 1000);
  const free = seats.filter((seat) => !seat.isTaken() && !seat.isChosen() && !without.includes(seat)
    && seat.colour === lost.colour && seat.look === lost.look);
  return free.reduce((best, seat) => (best && far(best) <= far(seat) ? best : seat), null);
}

// Follows which seats are taken: by server-sent events, or by asking again where there are too many streams.
function followSeats(hall, take) {
  let offset = Number(hall.dataset.offset), stream = null, timer = null;
  const read = (seats) => {
    if (String(seats.plan) !== hall.dataset.plan) return location.reload();
    seats.sections.forEach(take);
    offset = seats.offset;
  };
  const poll = async () => {
    try {
      const answer = await fetch(`${hall.dataset.seats}?since=${offset}`);
      if (answer.ok) read(await answer.json());
    } catch { /* The next one may get through. */ }
    if (timer !== null) timer = setTimeout(poll, POLL_MS);
  };
  const stop = () => {
    if (stream) stream.close();
    clearTimeout(timer);
    stream = timer = null;
  };
  const start = () => {
    stop();
    if (document.hidden) return;
    stream = new EventSource(`${hall.dataset.seats}/changes?since=${offset}`);
    stream.onmessage = (event) => read(JSON.parse(event.data));
    stream.onerror = () => {
      if (stream && stream.readyState === EventSource.CLOSED) { stop(); timer = setTimeout(poll, POLL_MS); }
    };
  };
  document.addEventListener("visibilitychange", start);
  window.addEventListener("pagehide", stop);
  start();
}

function prepareHall(hall) {
  const seats = readSeats(hall), status = hall.querySelector("[data-status]"), count = hall.querySelector("[data-count]");
  const elsewhere = [...hall.querySelectorAll("[data-elsewhere] input")], byBox = new Map(seats.map((seat) => [seat.box, seat]));
  const show = drawHall(hall.querySelector("[data-drawing]"), seats, (seat) => seat.box.click());
  const chosen = () => hall.querySelectorAll("[name=seat]:checked").length;
  const showCount = () => {
    if (!count) return;
    count.hidden = chosen() === 0;
    count.textContent = count.dataset.count.replace("{number}", chosen());
  };
  const say = (text, tone, others = []) => {
    const notice = document.createElement("p");
    notice.className = `notice ${tone}`;
    notice.append(`${text} `);
    if (others.length) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button plain small";
      button.textContent = status.dataset.instead.replace("{seats}", others.map((seat) => seat.name).join("; "));
      button.addEventListener("click", () => {
        others.filter((seat) => !seat.isTaken() && !seat.isChosen()).forEach((seat) => seat.box.click());
        status.replaceChildren();
      });
      notice.append(button);
    }
    status.replaceChildren(notice);
  };
  const mark = (box, isTaken) => {
    const wasChosen = isTaken && box.checked;
    box.disabled = isTaken;
    if (wasChosen) box.checked = false;
    const known = box.parentElement.querySelector("[data-gone]");
    if (isTaken && !known) {
      const gone = document.createElement("span");
      gone.className = "small";
      gone.dataset.gone = "";
      gone.textContent = ` ${hall.querySelector("[data-drawing]").dataset.taken}`;
      box.parentElement.append(gone);
    } else if (!isTaken && known) known.remove();
    return wasChosen;
  };
  const take = (section) => {
    const bits = Uint8Array.from(atob(section.taken), (letter) => letter.charCodeAt(0));
    const isTaken = (bit) => Boolean(bits[bit >> 3] & (1 << (bit & 7)));
    const lost = [], names = [];
    if (section.name === hall.dataset.hall) {
      seats.forEach((seat, bit) => {
        if (seat.isTaken() === isTaken(bit)) return;
        if (mark(seat.box, isTaken(bit))) { lost.push(seat); names.push(seat.name); }
        show(seat);
      });
    }
    for (const box of elsewhere.filter((each) => each.dataset.section === section.name)) {
      const isGone = isTaken(Number(box.dataset.bit));
      if (box.disabled !== isGone && mark(box, isGone)) names.push(box.parentElement.querySelector("bdi").textContent);
    }
    showCount();
    if (!names.length) return;
    const others = lost.reduce((found, seat) => [...found, nearestTo(seats, seat, found)].filter(Boolean), []);
    say(status.dataset.lost.replace("{seats}", names.join("; ")), "bad", others);
  };

  hall.addEventListener("change", (event) => {
    if (event.target.type !== "checkbox") return;
    if (chosen() > Number(hall.dataset.most)) {
      event.target.checked = false;
      say(status.dataset.most, "warn");
    }
    if (byBox.has(event.target)) show(byBox.get(event.target));
    showCount();
  });
  seats.forEach(show);
  showCount();
  if (hall.dataset.seats) followSeats(hall, take);
}

// After going back, browsers restore the choice of a form only then.
window.addEventListener("load", () => document.querySelectorAll("[data-hall]").forEach(prepareHall));
