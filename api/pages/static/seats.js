// The page of seats works without this script. It lets seats be chosen on the drawing, and shows which are taken now.
"use strict";

const POLL_MS = 4000;

function prepareHall(hall) {
  const boxes = new Map([...hall.querySelectorAll("[data-bit]")].map((box) => [box.dataset.bit, box]));
  const marks = new Map([...hall.querySelectorAll("[data-mark]")].map((mark) => [mark.dataset.mark, mark]));
  const status = hall.querySelector("[data-status]");
  let offset = Number(hall.dataset.offset);

  const show = (bit) => {
    const box = boxes.get(bit), mark = marks.get(bit);
    mark.setAttribute("href", box.disabled ? "#seat-taken" : box.checked ? "#seat-chosen" : mark.dataset.free);
  };
  const lose = (box) => {
    box.checked = false;
    status.textContent = status.dataset.lost.replace("{seat}", box.dataset.seat);
    status.hidden = false;
  };
  const take = (section) => {
    const taken = Uint8Array.from(atob(section.taken), (letter) => letter.charCodeAt(0));
    boxes.forEach((box, bit) => {
      const isTaken = Boolean(taken[bit >> 3] & (1 << (bit & 7)));
      if (box.disabled === isTaken) return;
      if (isTaken && box.checked) lose(box);
      box.disabled = isTaken;
      show(bit);
    });
  };
  const poll = async () => {
    if (!hall.isConnected) return;
    try {
      if (!document.hidden) {
        const answer = await fetch(`${hall.dataset.seats}?since=${offset}`);
        const seats = answer.ok ? await answer.json() : null;
        if (seats && String(seats.plan) !== hall.dataset.plan) return location.reload();
        if (seats) {
          seats.sections.filter((section) => section.name === hall.dataset.hall).forEach(take);
          offset = seats.offset;
        }
      }
    } catch { /* The next one may get through. */ }
    setTimeout(poll, POLL_MS);
  };

  hall.addEventListener("change", (event) => {
    const bit = event.target.dataset.bit;
    if (bit === undefined) return;
    if (hall.querySelectorAll("[data-bit]:checked").length > Number(hall.dataset.most)) event.target.checked = false;
    show(bit);
  });
  hall.querySelector("[data-drawing]").addEventListener("click", (event) => {
    const mark = event.target.closest("[data-mark]");
    const box = mark && boxes.get(mark.dataset.mark);
    if (!box || box.disabled) return;
    box.click();
  });
  boxes.forEach((box, bit) => show(bit));
  setTimeout(poll, POLL_MS);
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-hall]").forEach(prepareHall));
