// The drawing of a section: a mark for each seat, chosen by click, tap or keyboard; enlarged by buttons, keys or pinch.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
// Pixels between two seats: fewer are too small for a finger, and so many are shown after the first tap.
const FINGER_PX = 20, ENLARGED_PX = 34, SEAT_WIDTH = 10, DRAG_PX = 6, SMALLEST_WIDTH = 60;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// What is shown of the drawing. The whole of it is what the page came with.
function makeView(svg) {
  const whole = { ...toBox(svg.viewBox.baseVal) };
  let box = { ...whole };
  function toBox({ x, y, width, height }) { return { x, y, width, height }; }
  const show = (next) => {
    const width = Math.min(whole.width, Math.max(next.width, Math.min(whole.width, SMALLEST_WIDTH)));
    const height = whole.height * width / whole.width;
    const x = Math.min(Math.max(next.x, whole.x), whole.x + whole.width - width);
    const y = Math.min(Math.max(next.y, whole.y), whole.y + whole.height - height);
    box = { x, y, width, height };
    svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
    svg.classList.toggle("is-enlarged", width < whole.width);
  };
  const zoom = (factor, [x, y] = [box.x + box.width / 2, box.y + box.height / 2]) => show({
    x: x - (x - box.x) / factor, y: y - (y - box.y) / factor, width: box.width / factor,
  });
  return {
    zoom,
    isWhole: () => box.width === whole.width,
    reset: () => show(whole),
    move: (x, y) => show({ ...box, x: box.x + x, y: box.y + y }),
    // Moves by as much as is needed to show a place.
    reveal: ({ x, y }) => {
      const edge = SEAT_WIDTH;
      const next = { ...box };
      next.x = Math.min(Math.max(next.x, x + edge - box.width), x - edge);
      next.y = Math.min(Math.max(next.y, y + edge - box.height), y - edge);
      show(next);
    },
  };
}

// Fingers and mouse: dragging moves an enlarged drawing, two fingers enlarge it. Returns whether the last was a drag.
function watchPointers(svg, view, place) {
  const down = new Map();
  let travelled = 0;
  svg.addEventListener("pointerdown", (event) => {
    if (down.size === 0) travelled = 0;
    down.set(event.pointerId, event);
  });
  svg.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const [x, y] = place(event), [pastX, pastY] = place(before);
    travelled += Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY);
    const other = [...down.values()].find((each) => each.pointerId !== event.pointerId);
    down.set(event.pointerId, event);
    if (other) {
      const far = (each) => Math.max(1, Math.hypot(each.clientX - other.clientX, each.clientY - other.clientY));
      view.zoom(far(event) / far(before), place(other));
    } else if (travelled > DRAG_PX && !view.isWhole()) {
      if (!svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
      view.move(pastX - x, pastY - y);
    }
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
    svg.addEventListener(end, (event) => down.delete(event.pointerId));
  }
  return () => travelled > DRAG_PX;
}

// The seat that an arrow leads to: near, and rather straight on than aside.
function seatTowards(seats, from, [across, along]) {
  let best = null, least = Infinity;
  for (const seat of seats) {
    const ahead = (seat.x - from.x) * across + (seat.y - from.y) * along;
    const aside = Math.abs((seat.x - from.x) * along) + Math.abs((seat.y - from.y) * across);
    const far = ahead + 3 * aside;
    if (ahead > 0 && far < least) [best, least] = [seat, far];
  }
  return best;
}

// Draws seats ({ x, y, row, colour, look, name, isNear, isTaken(), isChosen() }); `choose` is called with one that is
// not taken. Returns a function that shows one anew.
function drawHall(drawing, seats, choose) {
  const svg = drawing.querySelector("svg"), view = makeView(svg), marks = new Map();
  const make = (name) => svg.appendChild(document.createElementNS(SVG, name));
  const place = (event) => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [x, y];
  };
  let current = seats.find((seat) => !seat.isTaken()) || seats[0];

  const label = (mark, seat) => {
    mark.setAttribute("aria-checked", String(seat.isChosen()));
    mark.setAttribute("aria-disabled", String(seat.isTaken()));
    mark.setAttribute("aria-label", seat.isTaken() ? `${seat.name}, ${drawing.dataset.taken}` : seat.name);
  };
  const show = (seat) => {
    const mark = marks.get(seat);
    mark.setAttribute("href", `#seat-${seat.isTaken() ? "taken" : seat.isChosen() ? "chosen" : seat.look}`);
    if (seat === current) label(mark, seat);
  };
  // One seat alone can have the focus; only it is more than a picture.
  const setCurrent = (seat) => {
    ["role", "tabindex", "aria-checked", "aria-disabled", "aria-label"].forEach((name) => marks.get(current).removeAttribute(name));
    current = seat;
    const mark = marks.get(seat);
    mark.setAttribute("role", "checkbox");
    mark.setAttribute("tabindex", "0");
    label(mark, seat);
    ring.setAttribute("x", seat.x);
    ring.setAttribute("y", seat.y);
  };
  const go = (seat) => {
    if (!seat) return;
    setCurrent(seat);
    view.reveal(seat);
    marks.get(seat).focus({ preventScroll: true });
  };

  svg.querySelector("[data-still]").remove();
  for (const seat of seats) {
    const mark = make("use");
    mark.setAttribute("x", seat.x);
    mark.setAttribute("y", seat.y);
    mark.setAttribute("class", `colour-${seat.colour}`);
    mark.seat = seat;
    marks.set(seat, mark);
    show(seat);
  }
  const makeRing = (name, { x = 0, y = 0 } = {}) => {
    const made = make("use");
    for (const [key, value] of Object.entries({ href: "#seat-near", class: name, x, y })) made.setAttribute(key, value);
    return made;
  };
  seats.filter((seat) => seat.isNear).forEach((seat) => makeRing("ring-near", seat));
  const ring = makeRing("ring-focus");
  setCurrent(current);
  svg.removeAttribute("aria-hidden");
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", drawing.dataset.label);
  const wasDragged = watchPointers(svg, view, place);

  svg.addEventListener("click", (event) => {
    if (wasDragged()) return;
    const scale = svg.getScreenCTM().a * SEAT_WIDTH;
    if (event.pointerType === "touch" && scale < FINGER_PX) return view.zoom(ENLARGED_PX / scale, place(event));
    const seat = event.target.seat;
    if (!seat || seat.isTaken()) return;
    setCurrent(seat);
    choose(seat);
  });
  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const row = seats.filter((seat) => seat.row === current.row);
    if (ARROWS[event.key]) go(seatTowards(seats, current, ARROWS[event.key]));
    else if (event.key === "Home") go(row[0]);
    else if (event.key === "End") go(row[row.length - 1]);
    else if (event.key === " " || event.key === "Enter") { if (!current.isTaken()) choose(current); }
    else if (event.key === "+") { view.zoom(1.6); view.reveal(current); }
    else if (event.key === "-") view.zoom(1 / 1.6);
    else return;
    event.preventDefault();
  });
  const zoom = drawing.querySelector("[data-zoom]");
  zoom.hidden = false;
  zoom.addEventListener("click", (event) => {
    const by = event.target.dataset.by;
    if (by === "0") view.reset();
    else if (by !== undefined) view.zoom(Number(by));
  });
  drawing.classList.add("is-live");
  return show;
}
