// The fields of the payment are frames of Stripe's host: what is typed there never reaches this page.
const card = document.getElementById("card");
const error = document.getElementById("card-error");
const button = card.querySelector("button");

if (typeof Stripe === "undefined") {
  error.textContent = card.dataset.failed;
  button.disabled = true;
} else {
  const stripe = Stripe(card.dataset.key);
  const elements = stripe.elements({ clientSecret: card.dataset.secret });
  elements.create("payment").mount("#card-fields");
  card.addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    button.disabled = true;
    const target = new URL("payment", location.href).href;
    const answer = await stripe.confirmPayment({ elements, confirmParams: { return_url: target } });
    error.textContent = answer.error.message;
    button.disabled = false;
  });
}
