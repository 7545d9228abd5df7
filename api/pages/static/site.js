// The pages work without this script. It marks forms that were sent, counts down, and adds buttons to number fields.
"use strict";

document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) event.target.classList.add("is-sent");
});
// After going back the form is usable again.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form.is-sent").forEach((form) => form.classList.remove("is-sent"));
});

// Counts from the time since the page was loaded, since the reader's clock may be wrong.
function countDown(place) {
  const ends = performance.now() + 1000 * Number(place.dataset.countdown);
  const clock = place.querySelector("[data-clock]");
  const tick = () => {
    if (!place.isConnected) return;
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    place.classList.toggle("is-short", left <= 60);
    if (left > 0) setTimeout(tick, 250);
    else setTimeout(() => location.replace(place.dataset.afterwards), 1500);
  };
  tick();
}

function makeStepper(stepper) {
  const input = stepper.querySelector("input");
  const show = () => {
    stepper.querySelectorAll("[data-step]").forEach((button) => {
      const next = Number(input.value) + Number(button.dataset.step);
      button.disabled = next < Number(input.min) || next > Number(input.max);
    });
  };
  stepper.querySelectorAll("[data-step]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      input.value = Number(input.value) + Number(button.dataset.step);
      show();
    });
  });
  input.addEventListener("input", show);
  show();
}

function prepare(root) {
  for (const [mark, make] of [["countdown", countDown], ["stepper", makeStepper]]) {
    const found = [...root.querySelectorAll(`[data-${mark}]`)];
    if (root.matches && root.matches(`[data-${mark}]`)) found.push(root);
    found.forEach((each) => {
      if (each.isPrepared) return;
      each.isPrepared = true;
      make(each);
    });
  }
}

// Going back reloads the page; its form keeps the key of the order that was sent from it.
function keepOrder() {
  const key = document.querySelector("[name=order_key]");
  if (!key) return;
  const [visit] = performance.getEntriesByType("navigation");
  const known = visit && visit.type === "back_forward" && history.state && history.state.order;
  if (known) key.value = known;
  else history.replaceState({ ...history.state, order: key.value }, "");
}

// The search changes the page's URL; its links to other languages follow.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-language]");
  if (!link || new URL(link.href).pathname !== location.pathname) return;
  const here = new URL(location);
  here.searchParams.set("language", link.dataset.language);
  link.href = here;
});

document.addEventListener("DOMContentLoaded", () => {
  prepare(document.body);
  keepOrder();
});
document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
// If polling fails, reload the whole page.
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.target.id === "main") location.reload();
});
