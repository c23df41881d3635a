// The pages work without this: it adds copying and dropping, and keeps a form from being sent twice.
"use strict";

for (const button of document.querySelectorAll("button.copy")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const words = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.closest(".code").querySelector("code").textContent);
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    // A page that comes back from the browser's memory can be used again.
    window.addEventListener("pageshow", () => { delete form.dataset.sent; }, { once: true });
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });
}

for (const choice of document.querySelectorAll("select[data-go]")) {
  choice.addEventListener("change", () => choice.form.requestSubmit());
}

// Pictures can be dropped; without this the file field does the same.
for (const zone of document.querySelectorAll("[data-dropzone]")) {
  const field = zone.querySelector("input[type=file]");
  const words = zone.querySelector(".drop-words");
  const asked = words.textContent;
  const show = () => { words.textContent = field.files.length ? field.files[0].name : asked; };
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) { field.files = event.dataTransfer.files; show(); }
  });
  field.addEventListener("change", show);
  window.addEventListener("pageshow", show);
}
