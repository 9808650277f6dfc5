"use strict";
document.querySelectorAll("figure[data-chart]").forEach((figure) => {
  const chart = JSON.parse(figure.dataset.chart), svg = figure.querySelector("svg");
  const cursor = svg.querySelector(".cursor"), read = figure.querySelector(".read");
  const idle = read.textContent;
  const number = (v) => v === null ? "–" : Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 1 ? v.toFixed(1) : v.toPrecision(2);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), at = (event.clientX - box.left) / box.width * chart.width;
    const pixels = chart.pixels;
    let best = 0;
    for (let i = 1; i < pixels.length; i++) if (Math.abs(pixels[i] - at) < Math.abs(pixels[best] - at)) best = i;
    cursor.setAttribute("x1", pixels[best]);
    cursor.setAttribute("x2", pixels[best]);
    cursor.style.visibility = "visible";
    read.textContent = `${chart.unit} ${chart.x[best]}: ` +
      chart.series.filter((s) => s.y[best] !== null).map((s) => `${s.name} ${number(s.y[best])}`).join(" · ");
  });
  svg.addEventListener("pointerleave", () => { cursor.style.visibility = "hidden"; read.textContent = idle; });
});
