// The controls and what they do.

// openDetail shows the picture at the cursor.
function openDetail() {
  const picture = state.shown[state.cursor];
  if (!picture) return;
  byId("detail-title").textContent = picture.path;
  const stage = byId("stage");
  stage.replaceChildren(picture.file ? enlarged(picture) : element("p", "", picture.error || "no picture was drawn"));
  const facts = [["picture", `${state.cursor + 1} of ${state.shown.length}`], ["class", picture.class]];
  if (picture.width) facts.push(["size", `${picture.width} × ${picture.height} pixels`]);
  if (scored(picture)) {
    facts.push(["score", figure(picture.score)]);
    facts.push(["verdict", state.threshold === null ? "none: there is no threshold" : `${anomalous(picture) ? "anomalous" : "not anomalous"} at ${figure(state.threshold)}`]);
    if (head.labelled) facts.push(["label", picture.label ? "anomalous" : "normal"]);
    facts.push(["largest map value", figure(picture.map_max)]);
  }
  if (picture.regions !== null) facts.push(["regions", String(picture.regions)]);
  if (picture.area !== null) facts.push(["their area", percent(picture.area)]);
  if (picture.box) facts.push(["strongest at", `x y width height: ${picture.box}`]);
  if (picture.error) facts.push(["error", picture.error]);
  fillFacts(byId("detail-facts"), facts);
  if (!byId("detail").open) byId("detail").showModal();
}

// enlarged is the picture as large as the window allows.
function enlarged(picture) {
  const made = stack(picture, head.pictures), base = made.firstChild;
  base.addEventListener("load", () => {
    const ratio = base.naturalWidth / base.naturalHeight;
    made.style.aspectRatio = String(ratio);
    made.style.width = `min(100%, ${78 * ratio}vh)`;
  });
  return made;
}

function step(by) {
  moveTo(state.cursor + by);
  openDetail();
}

// setThreshold re-labels all pictures; null calls nothing anomalous.
function setThreshold(value) {
  state.threshold = value;
  const [low, high] = scoreRange();
  byId("threshold").value = value === null ? "" : figure(value);
  byId("slider").value = value === null ? 1000 : 1000 * (value - low) / (high - low);
  refresh();
}

let waiting = false;

// refresh draws what depends on the state, at most once a frame.
function refresh() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

function draw() {
  choose();
  drawHistogram();
  drawCurves();
  showCounts();
  drawGrid(true);
}

function showCounts() {
  const all = state.pictures, failed = all.filter((p) => !scored(p)).length, marked = all.filter(anomalous).length;
  const parts = [];
  if (state.threshold === null) parts.push("no threshold: nothing is called anomalous");
  else parts.push(`${marked} anomalous`, `${all.length - failed - marked} not anomalous`);
  if (failed) parts.push(`${failed} failed`);
  if (head.labelled && state.threshold !== null) {
    const bad = all.filter((p) => scored(p) && p.label).length, good = all.length - failed - bad;
    const missed = all.filter((p) => p.label && wrong(p)).length, alarms = all.filter((p) => !p.label && wrong(p)).length;
    if (bad) parts.push(`${missed} of ${bad} missed`);
    if (good) parts.push(`${alarms} false alarms in ${good}`);
  }
  if (state.shown.length !== all.length) parts.push(`${state.shown.length} shown`);
  byId("counts").textContent = parts.join(", ");
}

function fillSelect(select, options) {
  select.replaceChildren(...options.map(([value, text]) => {
    const option = element("option", "", text);
    option.value = value;
    return option;
  }));
}

// chooseSet shows another result.
function chooseSet(index) {
  const set = head.sets[index];
  state.set = index;
  state.class = "";
  const classes = [...new Set(pictures.filter((p) => p.set === index).map((p) => p.class))].sort();
  byId("class-label").hidden = classes.length < 2;
  fillSelect(byId("class"), [["", "all"], ...classes.map((name) => [name, name])]);
  fillFacts(byId("facts"), [...head.facts, ...set.facts]);
  byId("low").textContent = figure(set.low);
  byId("high").textContent = figure(set.high);
  byId("metrics").hidden = !set.table;
  if (set.table) byId("metrics").replaceChildren(metricsTable(set.table));
  choosePictures();
  setThreshold(set.threshold);
}

function metricsTable(table) {
  const made = element("table");
  const row = (tag, className, values) => {
    const line = element("tr", className);
    line.append(...values.map((value) => element(tag, "", value)));
    made.append(line);
  };
  row("th", "", table.columns);
  table.rows.forEach((values, i) => row("td", table.mean && i === table.rows.length - 1 ? "mean" : "", values));
  return made;
}

function connect() {
  const on = (id, name, act) => byId(id).addEventListener(name, act);
  on("slider", "input", (event) => {
    const [low, high] = scoreRange(), share = Number(event.target.value) / 1000;
    setThreshold(low + share * (high - low));
  });
  on("threshold", "change", (event) => {
    const value = event.target.valueAsNumber;
    setThreshold(Number.isFinite(value) ? value : null);
  });
  on("reset", "click", () => setThreshold(head.sets[state.set].threshold));
  on("set", "change", (event) => chooseSet(Number(event.target.value)));
  on("class", "change", (event) => { state.class = event.target.value; choosePictures(); refresh(); });
  for (const id of ["show", "sort", "find"]) {
    on(id, "input", (event) => { state[id] = event.target.value; state.cursor = 0; refresh(); });
  }
  on("heat", "input", (event) => document.documentElement.style.setProperty("--heat", event.target.value / 100));
  on("outlines", "change", (event) => document.body.classList.toggle("plain", !event.target.checked));
  on("masks", "change", (event) => document.body.classList.toggle("unmasked", !event.target.checked));
  on("previous", "click", () => step(-1));
  on("next", "click", () => step(1));
  on("close", "click", () => byId("detail").close());
  on("detail", "click", (event) => { if (event.target === byId("detail")) byId("detail").close(); });
  window.addEventListener("scroll", () => drawGrid(false), { passive: true });
  window.addEventListener("resize", () => drawGrid(false));
  window.addEventListener("beforeprint", printGrid);
  window.addEventListener("afterprint", () => byId("printed").replaceChildren());
  document.addEventListener("keydown", pressKey);
}

// toggle presses a control as a click would.
const toggle = (id) => byId(id).click();
let heatBefore = 0;

function pressKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), select")) return;
  const open = byId("detail").open, across = columns(), last = state.shown.length - 1;
  const moves = {};
  const move = (key, to) => { if (to >= 0 && to <= last && to !== state.cursor) moves[key] = () => moveTo(to); };
  if (open) {
    moves.ArrowLeft = () => step(-1);
    moves.ArrowRight = () => step(1);
  } else { // at the ends of the grid, keys scroll as everywhere
    move("ArrowLeft", state.cursor - 1);
    move("ArrowRight", state.cursor + 1);
    move("ArrowUp", state.cursor - across);
    move("ArrowDown", state.cursor + across);
    move("Home", 0);
    move("End", last);
    if (!event.target.matches("button, summary")) moves.Enter = openDetail;
    moves["/"] = () => byId("find").focus();
  }
  moves.o = () => toggle("outlines");
  moves.m = () => toggle("masks");
  moves.h = () => {
    const heat = byId("heat"), now = Number(heat.value);
    heat.value = now > 0 ? 0 : heatBefore || 80;
    heatBefore = now;
    heat.dispatchEvent(new Event("input"));
  };
  const act = moves[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function begin() {
  document.title = byId("title").textContent = head.title;
  byId("summary").textContent = head.summary;
  fillSelect(byId("set"), head.sets.map((set, i) => [i, set.name]));
  byId("set-label").hidden = head.sets.length < 2;
  fillSelect(byId("show"), Object.entries(filters).map(([value, [text]]) => [value, text]));
  const masks = pictures.some((p) => p.mask), outlines = pictures.some((p) => p.regions);
  byId("masks-label").hidden = !masks;
  byId("outlines-label").hidden = !outlines;
  byId("keys").textContent = "Keys: arrows, Enter, / (find), h (heat map)" + (outlines ? ", o (outlines)" : "") + (masks ? ", m (masks)" : "");
  for (const color of head.colors) {
    const part = element("i");
    part.style.background = color;
    byId("bar").append(part);
  }
  connect();
  chooseSet(0);
  draw();
}

begin();
