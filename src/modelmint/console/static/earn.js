// The figures follow the sliders; every figure is the server's. Without this the button asks for them.
"use strict";

{
  const form = document.querySelector("form[data-figures]");
  const figures = document.querySelector("#figures");
  const heard = document.querySelector("#heard");
  let waiting = 0;
  let asking = new AbortController();

  const query = () => new URLSearchParams(new FormData(form)).toString();

  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    const wanted = query();
    try {
      const answer = await fetch(`${form.dataset.figures}?${wanted}`, { signal: asking.signal, credentials: "same-origin" });
      if (answer.redirected) { location.reload(); return; }
      // 422 says, in the figures' place, what is wrong with the form; any other error is a page of its own.
      if (!answer.ok && answer.status !== 422) throw new Error(`${answer.status}`);
      figures.innerHTML = await answer.text();
      const said = figures.querySelector("#say");
      heard.textContent = said ? said.textContent : "";
      history.replaceState(null, "", `${location.pathname}?${wanted}`);
      figures.dataset.shows = wanted;
    } catch (error) {
      if (error.name !== "AbortError") form.querySelector("button").hidden = false;
    }
  };
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(ask, 120); };

  // Three digits of a demand say enough; a position of the slider is its power of ten.
  const fromPlace = (slider) => slider.dataset.log ? Number((10 ** slider.valueAsNumber).toPrecision(3)) : slider.valueAsNumber;
  const toPlace = (slider, value) => slider.dataset.log ? Math.log10(Math.max(value, 1)) : value;

  for (const slider of form?.querySelectorAll("input[type=range]") ?? []) {
    const typed = document.getElementById(slider.dataset.for);
    const name = () => slider.setAttribute("aria-valuetext", typed.value ? `${typed.value} ${slider.dataset.unit}` : typed.placeholder);
    slider.hidden = false;
    slider.value = typed.value === "" ? slider.min : toPlace(slider, typed.valueAsNumber);
    name();
    slider.addEventListener("input", () => { typed.value = String(fromPlace(slider)); name(); soon(); });
    typed.addEventListener("input", () => { if (typed.value !== "") slider.value = toPlace(slider, typed.valueAsNumber); name(); soon(); });
  }
  for (const choice of form?.querySelectorAll("select") ?? []) choice.addEventListener("change", () => form.requestSubmit());
  if (form) form.querySelector("button").hidden = true;
}
