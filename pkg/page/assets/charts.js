// Charts, as SVG.

function svg(tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const chart = { width: 420, height: 150, left: 34, right: 10, top: 6, bottom: 20 };

// scoreRange is the range of the charts and of the slider: of all scores of the result.
function scoreRange() {
  let low = Infinity, high = -Infinity;
  for (const p of pictures) {
    if (p.set !== state.set || !scored(p)) continue;
    low = Math.min(low, p.score);
    high = Math.max(high, p.score);
  }
  if (low > high) return [0, 1];
  if (low === high) return [low - 0.01, high + 0.01];
  return [low, high];
}

const inChart = (share) => chart.left + share * (chart.width - chart.left - chart.right);

// drawHistogram counts scores in equal bins; with labels, normal and anomalous pictures apart.
function drawHistogram() {
  const bins = 60, [low, high] = scoreRange();
  const kinds = head.labelled ? ["good", "bad"] : ["plain"];
  const counts = kinds.map(() => new Array(bins).fill(0));
  for (const p of state.pictures) {
    if (!scored(p)) continue;
    const bin = Math.min(bins - 1, Math.floor(((p.score - low) / (high - low)) * bins));
    counts[head.labelled && p.label ? 1 : 0][bin]++;
  }
  const most = Math.max(1, ...counts.flat()), floor = chart.height - chart.bottom, tall = floor - chart.top;
  const drawn = svg("svg", { width: chart.width, height: chart.height, role: "img", "aria-label": "Histogram of scores" });
  const wide = (inChart(1) - inChart(0)) / bins;
  counts.forEach((list, kind) => list.forEach((count, bin) => {
    const part = wide / kinds.length, height = (count / most) * tall;
    if (count > 0) drawn.append(svg("rect", { class: kinds[kind], x: inChart(bin / bins) + kind * part, y: floor - height, width: Math.max(0.5, part - 0.5), height }));
  }));
  drawn.append(svg("path", { class: "axis", d: `M${inChart(0)} ${floor}H${inChart(1)}` }));
  drawn.append(svg("text", { x: 2, y: chart.top + 8 }, most));
  for (const share of [0, 0.5, 1]) {
    drawn.append(svg("text", { x: inChart(share), y: chart.height - 6, "text-anchor": ["start", "middle", "end"][2 * share] }, figure(low + share * (high - low))));
  }
  if (state.threshold !== null && state.threshold >= low && state.threshold <= high) {
    const x = inChart((state.threshold - low) / (high - low));
    drawn.append(svg("path", { class: "cut", d: `M${x} ${chart.top}V${floor}` }));
  }
  drawn.addEventListener("click", (event) => {
    const share = (event.clientX - drawn.getBoundingClientRect().left - chart.left) / (chart.width - chart.left - chart.right);
    setThreshold(low + Math.min(1, Math.max(0, share)) * (high - low));
  });
  byId("histogram").replaceChildren(drawn);
  byId("histogram-title").textContent = head.labelled ? "Scores of normal (left, green) and anomalous pictures (right, red); click to set the threshold" : "Scores; click to set the threshold";
}

// sweep counts, for each distinct score as the threshold, from the highest down, the anomalous
// (hits) and normal (alarms) pictures that reach it.
function sweep() {
  const list = state.pictures.filter(scored).sort((a, b) => b.score - a.score);
  const points = [{ hits: 0, alarms: 0, score: Infinity }];
  for (let i = 0; i < list.length; i++) {
    if (i === 0 || list[i].score !== list[i - 1].score) points.push({ ...points[points.length - 1], score: list[i].score });
    const point = points[points.length - 1];
    if (list[i].label) point.hits++; else point.alarms++;
  }
  return points;
}

// drawCurves draws ROC and precision-recall curves of pictures, if there are labels of both kinds.
function drawCurves() {
  const points = head.labelled ? sweep() : [];
  const end = points[points.length - 1], drawable = points.length > 1 && end.hits > 0 && end.alarms > 0;
  byId("roc-figure").hidden = byId("pr-figure").hidden = !drawable;
  if (!drawable) return;
  const roc = points.map((p) => [p.alarms / end.alarms, p.hits / end.hits]);
  const pr = points.slice(1).map((p) => [p.hits / end.hits, p.hits / (p.hits + p.alarms)]);
  let area = 0, average = 0;
  for (let i = 1; i < roc.length; i++) area += (roc[i][0] - roc[i - 1][0]) * (roc[i][1] + roc[i - 1][1]) / 2;
  for (let i = 0; i < pr.length; i++) average += (pr[i][0] - (i ? pr[i - 1][0] : 0)) * pr[i][1];
  const at = state.threshold === null ? -1 : points.findLastIndex((p) => p.score >= state.threshold);
  drawCurve("roc", roc, roc[at], "false-alarm rate", "recall");
  drawCurve("pr", [[0, pr[0][1]], ...pr], at > 0 ? pr[at - 1] : undefined, "recall", "precision");
  byId("roc-title").textContent = `ROC curve of pictures: AUROC ${percent(area)}`;
  byId("pr-title").textContent = `Precision and recall of pictures: AP ${percent(average)}`;
}

function drawCurve(id, points, dot, across, up) {
  const side = 150, margin = 24;
  const x = (share) => margin + share * side, y = (share) => 6 + (1 - share) * side;
  const drawn = svg("svg", { width: side + margin + 8, height: side + 30, role: "img", "aria-label": `${up} by ${across}` });
  drawn.append(svg("rect", { class: "axis", x: x(0), y: y(1), width: side, height: side }));
  drawn.append(svg("path", { class: "curve", d: "M" + points.map(([a, b]) => `${x(a).toFixed(2)} ${y(b).toFixed(2)}`).join("L") }));
  if (dot) drawn.append(svg("circle", { class: "dot", cx: x(dot[0]), cy: y(dot[1]), r: 3.5 }));
  drawn.append(svg("text", { x: x(0.5), y: side + 24, "text-anchor": "middle" }, across));
  drawn.append(svg("text", { x: 12, y: y(0.5), "text-anchor": "middle", transform: `rotate(-90 12 ${y(0.5)})` }, up));
  byId(id).replaceChildren(drawn);
}
