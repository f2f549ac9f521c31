// Charts of pages that have some: what went through and what failed, and how quickly, hour by hour.

const language = document.documentElement.lang.replace(/^en$/, "en-GB");
const hours = new Intl.DateTimeFormat(language, { weekday: "short", hour: "2-digit", minute: "2-digit" });
const drawn = new Map();

/** The page's own colours, light or dark. */
function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(["good", "bad", "soft", "line", "act"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;

function draw(canvas) {
  const data = JSON.parse(canvas.dataset.points);
  const colour = colours();
  const labels = data.hours.map((hour) => hours.format(new Date(hour)));
  const isFlow = canvas.dataset.chart === "flow";
  const series = isFlow
    ? [["done", data.done, colour.act], ["failed", data.failed, colour.bad]]
    : [["median", data.median, colour.act], ["slow", data.slow, colour.soft]];
  drawn.set(canvas, new Chart(canvas, {
    type: isFlow ? "bar" : "line",
    data: {
      labels,
      datasets: series.map(([name, points, paint]) => ({
        label: canvas.dataset[name], data: points, backgroundColor: paint, borderColor: paint, borderWidth: isFlow ? 0 : 2,
        pointRadius: isFlow ? 0 : 2, spanGaps: true, stack: isFlow ? "all" : undefined,
      })),
    },
    options: {
      animation: false, responsive: true, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
      plugins: { legend: { labels: { color: colour.soft, boxWidth: 12 } } },
      scales: {
        x: { stacked: isFlow, offset: true, ticks: { color: colour.soft, maxTicksLimit: canvas.clientWidth < 480 ? 4 : 8, maxRotation: 0 }, grid: { display: false } },
        // one delivery is no peak
        y: { stacked: isFlow, beginAtZero: true, suggestedMax: isFlow ? 5 : undefined, grace: "10%", ticks: { color: colour.soft, precision: 0, maxTicksLimit: 5 }, grid: { color: colour.line } },
      },
    },
  }));
}

function drawAll() {
  for (const [canvas, chart] of drawn) {
    if (!canvas.isConnected) { chart.destroy(); drawn.delete(canvas); }
  }
  for (const canvas of document.querySelectorAll("canvas[data-chart]")) if (!drawn.has(canvas)) draw(canvas);
}

drawAll();
// a page that stays open from day to evening
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of drawn.values()) chart.destroy();
  drawn.clear();
  drawAll();
});
// parts that are drawn anew bring canvases of their own
new MutationObserver(drawAll).observe(document.querySelector("main"), { childList: true, subtree: true });
