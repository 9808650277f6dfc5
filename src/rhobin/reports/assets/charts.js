"use strict";
document.querySelectorAll("figure[data-chart]").forEach((figure) => {
  const chart = JSON.parse(figure.dataset.chart), svg = figure.querySelector("svg");
  const cursor = svg.querySelector(".cursor"), read = figure.querySelector(".read");
  const number = (v) => v === null ? "–" : Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 1 ? v.toFixed(1) : v.toPrecision(2);
  const row = (text, style) => {
    const line = document.createElement("div");
    line.textContent = text;
    if (style) line.className = style.split(" ").map((name) => `key-${name}`).join(" ");
    return line;
  };
  const show = (event) => {
    const box = svg.getBoundingClientRect(), at = (event.clientX - box.left) / box.width * chart.width;
    const pixels = chart.pixels;
    let best = 0;
    for (let i = 1; i < pixels.length; i++) if (Math.abs(pixels[i] - at) < Math.abs(pixels[best] - at)) best = i;
    cursor.setAttribute("x1", pixels[best]);
    cursor.setAttribute("x2", pixels[best]);
    cursor.style.visibility = "visible";
    const rows = chart.series.map((s) => row(`${s.name}: ${number(s.y[best])}`, s.style));
    read.replaceChildren(row(`${chart.unit}: ${chart.x[best]}`), ...rows);
    read.classList.toggle("left", at > chart.width / 2);
    read.hidden = false;
  };
  svg.addEventListener("pointerdown", show);
  svg.addEventListener("pointermove", show);
  svg.addEventListener("pointerleave", () => { cursor.style.visibility = "hidden"; read.hidden = true; });
});
