"use strict";
(() => {
  const PRINTED_WIDTH = 670; // A4 and Letter, within their margins
  const holders = [...document.querySelectorAll("[data-figure]")];
  const config = {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  };
  for (const holder of holders) {
    const { data, layout } = JSON.parse(document.getElementById(holder.dataset.figure).textContent);
    Plotly.newPlot(holder, data, layout, config);
  }
  addEventListener("beforeprint", () => {
    for (const holder of holders) Plotly.relayout(holder, { autosize: false, width: PRINTED_WIDTH });
  });
  addEventListener("afterprint", () => {
    for (const holder of holders) Plotly.relayout(holder, { autosize: true, width: null });
  });
})();
