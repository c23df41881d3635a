// What a page owes to a reader who does not see it, or sees it badly. Returns sentences; none for a sound page.
() => {
  const found = [];
  const told = (what, node) => found.push(`${what}: ${node.outerHTML.slice(0, 90)}`);
  const named = (node) => (node.getAttribute("aria-label") || node.textContent || "").trim() !== "";
  const shown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });

  if (!document.querySelector("main")) return found;
  if (!document.documentElement.lang) found.push("no lang");
  if (!document.title.trim()) found.push("no title");
  const heads = document.querySelectorAll("h1").length;
  if (heads !== 1) found.push(`${heads} h1`);
  for (const node of document.querySelectorAll("img:not([alt])")) told("no alt", node);
  for (const node of document.querySelectorAll("svg[role=img]:not([aria-label])")) if (!node.querySelector("title")) told("no name", node);
  for (const node of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (node.hidden) continue;
    const labels = [...(node.labels ?? [])];
    if (!node.getAttribute("aria-label") && !labels.some(named)) told("no label", node);
  }
  for (const node of document.querySelectorAll("button, a[href], summary")) if (!named(node) && !node.querySelector("img[alt]:not([alt=''])")) told("nameless", node);
  for (const node of document.querySelectorAll("[tabindex]")) if (node.tabIndex > 0) told("a focus order of its own", node);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids.filter((one, place) => ids.indexOf(one) !== place))) found.push(`the id ${id} twice`);

  // WCAG 2.2, 1.4.3: 4.5 : 1, large text 3 : 1. A colour the browser does not write as rgb is passed over.
  const rgb = (text) => { const parts = /^rgba?\(([^)]+)\)$/.exec(text); return parts && parts[1].split(/[ ,/]+/).map(Number); };
  const light = (colour) => colour.slice(0, 3).map((one) => { const c = one / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; })
    .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const colour = rgb(getComputedStyle(one).backgroundColor);
      if (colour && (colour[3] ?? 1) === 1) return colour;
    }
    return [255, 255, 255];
  };
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !shown(node) || node.closest("svg, option, [disabled]")) continue;
    const style = getComputedStyle(node);
    const colour = rgb(style.color);
    if (!colour) continue;
    const [one, two] = [light(colour), light(behind(node))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5) - 0.005) told(`contrast ${ratio.toFixed(2)}`, node);
  }
  return found;
}
