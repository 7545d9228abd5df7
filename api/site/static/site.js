// Turnstile's pages work without this; it shows that a form is on its way, and counts down.
"use strict";

document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) event.target.classList.add("is-sent");
});
// Whoever comes back finds the form as it was.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form.is-sent").forEach((form) => form.classList.remove("is-sent"));
});
