"use strict";
(() => {
  document.documentElement.classList.add("script");
  const data = JSON.parse(document.getElementById("data").textContent);
  const tip = document.getElementById("tip");

  // Another histogram into a plot that is there: bars, ticks and text.
  const SVG = "http://www.w3.org/2000/svg";
  const element = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const redraw = (svg, [text, bars, across, upward]) => {
    const x = svg.querySelector("g.x");
    const y = svg.querySelector("g.y");
    // The places that do not change, of the axes themselves.
    const axis = svg.querySelector("path.axis").getBBox();
    svg.setAttribute("aria-label", text);
    svg.querySelector("path.bars").setAttribute("d", bars);
    x.replaceChildren(...across.map(([at, words]) =>
      element("text", { x: at, y: axis.y + 18, "text-anchor": "middle" }, words)));
    y.replaceChildren(...upward.flatMap(([at, words]) => [
      element("path", { class: "grid", d: `M${axis.x} ${at}H${axis.x + axis.width}` }),
      element("text", { x: axis.x - 8, y: at + 4, "text-anchor": "end" }, words),
    ]));
  };
  for (const select of document.querySelectorAll("select[data-tensor]")) {
    select.addEventListener("change", () => {
      const [label, errors, codes] = data[select.dataset.tensor][select.value];
      const panels = document.querySelector(`.panels[data-tensor="${select.dataset.tensor}"]`);
      redraw(panels.querySelector("svg.errors"), errors);
      redraw(panels.querySelector("svg.codes"), codes);
      for (const which of panels.querySelectorAll(".which")) which.textContent = label;
    });
  }

  // Tooltips, for the pointer and for the keyboard.
  const hide = () => { tip.hidden = true; };
  const show = (mark, text) => {
    tip.textContent = text;
    tip.hidden = false;
    const at = mark.getBoundingClientRect();
    const page = document.documentElement;
    const left = at.left + at.width / 2 - tip.offsetWidth / 2;
    const most = page.clientWidth - tip.offsetWidth - 8;
    const above = at.top - tip.offsetHeight - 8;
    tip.style.left = `${Math.max(8, Math.min(left, most)) + scrollX}px`;
    tip.style.top = `${(above > 0 ? above : at.bottom + 8) + scrollY}px`;
  };
  for (const title of document.querySelectorAll("svg title")) {
    const mark = title.parentNode;
    const text = title.textContent;
    title.remove();
    mark.addEventListener("pointerenter", () => show(mark, text));
    mark.addEventListener("pointerleave", hide);
    mark.addEventListener("focus", () => show(mark, text));
    mark.addEventListener("blur", hide);
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // One stop of the Tab key for all points of a plot; the arrow keys go from one to the next.
  for (const svg of document.querySelectorAll("svg.plot")) {
    const place = (point) => point.transform.baseVal[0].matrix.e;
    const points = [...svg.querySelectorAll("g.point")].sort((a, b) => place(a) - place(b));
    points.forEach((point, index) => {
      point.setAttribute("tabindex", index === 0 ? "0" : "-1");
      point.addEventListener("keydown", (event) => {
        const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
        const ends = { Home: 0, End: points.length - 1 };
        const next = points[ends[event.key] ?? index + steps[event.key]];
        if (!(event.key in steps || event.key in ends) || !next) return;
        event.preventDefault();
        point.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
      });
    });
  }

  // On paper nothing can be opened.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const closed of opened) closed.open = true;
  });
  addEventListener("afterprint", () => { for (const it of opened) it.open = false; });
})();
