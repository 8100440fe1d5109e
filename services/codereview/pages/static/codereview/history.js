'use strict';
// Draws the table of days as a line. Days that the table lacks had no issue.
(() => {
  const DAY = 86_400;
  const figure = document.getElementById('chart');
  const table = document.getElementById('days');
  if (!figure || !table) return;

  const totals = new Map();
  for (const row of table.tBodies[0].rows) {
    const day = Date.parse(row.querySelector('time').dateTime) / 1000;
    totals.set(day, Number(row.querySelector('data').value));
  }
  const known = [...totals.keys()];
  const days = [];
  const last = Math.max(...known);
  for (let day = Math.min(...known); day <= last; day += DAY) days.push(day);
  const values = days.map((day) => totals.get(day) ?? 0);

  const nameOf = (day) => new Date(day * 1000).toISOString().slice(0, 10);
  const colour = (name) => getComputedStyle(figure).getPropertyValue(name).trim();
  const room = () => ({ width: figure.clientWidth - 32, height: 320 });

  function draw() {
    const axis = {
      stroke: colour('--soft'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1 },
      font: '12px system-ui, sans-serif',
    };
    const chart = new uPlot(
      {
        ...room(),
        tzDate: (moment) => uPlot.tzDate(new Date(moment * 1000), 'Etc/UTC'),
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.05)] } },
        axes: [
          {
            ...axis,
            incrs: [1, 2, 7, 14, 28, 56, 91, 182, 364].map((each) => each * DAY),
            space: 90,
            values: (_, splits) => splits.map(nameOf),
          },
          { ...axis, size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6] },
        ],
        series: [
          { label: 'Day', value: (_, day) => nameOf(day ?? last) },
          {
            label: 'Issues',
            stroke: colour('--accent'),
            fill: colour('--area'),
            width: 2,
            points: { show: days.length < 60, size: 6, fill: colour('--surface') },
            value: (_, total) => (total ?? values.at(-1)).toLocaleString('en'),
          },
        ],
      },
      [days, values],
      figure,
    );
    chart.root.setAttribute('role', 'img');
    chart.root.setAttribute('aria-label', 'Line chart of new issues a day, from ' +
      `${nameOf(days[0])} to ${nameOf(last)}, at most ${Math.max(...values)}`);
    return chart;
  }

  figure.hidden = false;
  let chart = draw();
  new ResizeObserver(() => chart.setSize(room())).observe(figure);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    chart.destroy();
    chart = draw();
  });
})();
