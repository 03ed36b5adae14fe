"use strict";
(() => {
  const PRINTED_WIDTH = 670; // CSS pixels of A4 and Letter, within their margins
  const PRINTED_HEIGHT = 0.78; // of that on the screen
  const resize = (holder, height, change) => {
    holder.style.height = `${height}px`;
    Plotly.relayout(holder, { ...change, height });
  };
  const holders = [...document.querySelectorAll("[data-figure]")];
  const config = {
    responsive: true,
    displaylogo: false,
    // Named one by one: plotly's own set has a button that sends a figure away.
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
  };
  const drawn = new Set();
  const draw = (holder) => {
    if (drawn.has(holder)) return;
    drawn.add(holder);
    const { data, layout } = JSON.parse(document.getElementById(holder.dataset.figure).textContent);
    holder.dataset.height = layout.height;
    Plotly.newPlot(holder, data, layout, config);
  };
  // A figure in a closed fold has no width, and is drawn when the fold opens.
  for (const holder of holders) if (!holder.closest("details:not([open])")) draw(holder);
  for (const fold of document.querySelectorAll("details")) {
    fold.addEventListener("toggle", () => {
      if (fold.open) for (const holder of fold.querySelectorAll("[data-figure]")) draw(holder);
    });
  }
  addEventListener("beforeprint", () => {
    for (const holder of drawn) {
      resize(holder, PRINTED_HEIGHT * holder.dataset.height, { autosize: false, width: PRINTED_WIDTH });
    }
  });
  addEventListener("afterprint", () => {
    for (const holder of drawn) resize(holder, Number(holder.dataset.height), { autosize: true, width: null });
  });
})();
