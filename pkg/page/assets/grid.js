// The grid: only the cells in sight are in the document, so ten thousand pictures cost no
// more than thirty.

const cell = { width: 184, height: 206 }; // with the space between cells
const cells = new Map(); // the elements in the document, by index in state.shown

// stack lays the map, the outlines and the mask over a picture.
function stack(picture, base) {
  const made = element("div", "stack");
  const add = (className, source) => {
    const image = element("img", className);
    image.alt = "";
    image.decoding = "async";
    image.src = source;
    made.append(image);
  };
  add("base", base + picture.file + ".jpg");
  add("layer map", head.maps + picture.file + ".png");
  if (picture.regions) add("layer outline", head.outlines + picture.file + ".png");
  if (picture.mask) add("layer mask", head.masks + picture.file + ".png");
  return made;
}

function makeCell(picture) {
  const made = element("div", "cell");
  made.setAttribute("role", "listitem");
  const frame = element("div", "frame");
  if (picture.file) frame.append(stack(picture, head.thumbnails));
  else frame.textContent = picture.error || "no picture was drawn";
  const name = element("div", "name");
  name.append(element("bdi", "", picture.path));
  name.title = picture.path;
  const score = element("div", "score");
  score.append(element("span", "", scored(picture) ? figure(picture.score) : "failed"));
  if (head.labelled) score.append(element("span", picture.label ? "truth bad" : "truth good", picture.label ? "bad" : "good"));
  if (anomalous(picture)) score.append(element("span", "tag bad", "anomalous"));
  made.append(frame, name, score);
  return made;
}

const columns = () => Math.max(1, Math.floor(byId("grid").clientWidth / cell.width));

// drawGrid puts the cells in sight into the document. afresh makes all of them new.
function drawGrid(afresh) {
  const grid = byId("grid"), across = columns();
  grid.style.height = `${Math.ceil(state.shown.length / across) * cell.height}px`;
  byId("none").hidden = state.shown.length > 0;
  const top = -grid.getBoundingClientRect().top, beyond = 2;
  const first = Math.max(0, Math.floor(top / cell.height) - beyond) * across;
  const end = Math.min(state.shown.length, (Math.ceil((top + window.innerHeight) / cell.height) + beyond) * across);
  for (const [index, made] of cells) {
    if (afresh || index < first || index >= end) {
      made.remove();
      cells.delete(index);
    }
  }
  for (let index = first; index < end; index++) {
    let made = cells.get(index);
    if (!made) {
      made = makeCell(state.shown[index]);
      made.addEventListener("click", () => { moveTo(index); openDetail(); });
      cells.set(index, made);
      grid.append(made);
    }
    made.style.transform = `translate(${(index % across) * cell.width}px, ${Math.floor(index / across) * cell.height}px)`;
    made.classList.toggle("cursor", index === state.cursor);
  }
}

// moveTo sets the cursor and brings it into sight.
function moveTo(index) {
  if (state.shown.length === 0) return;
  state.cursor = Math.min(state.shown.length - 1, Math.max(0, index));
  const top = byId("grid").getBoundingClientRect().top + Math.floor(state.cursor / columns()) * cell.height;
  const above = document.querySelector("nav").offsetHeight;
  if (top < above) window.scrollBy(0, top - above - 8);
  else if (top + cell.height > window.innerHeight) window.scrollBy(0, top + cell.height - window.innerHeight + 8);
  drawGrid(false);
}

// printGrid lays out what is printed: the cells of the grid, up to a number that a printer
// and a reader can stand.
const mostPrinted = 200;
function printGrid() {
  const printed = byId("printed"), list = state.shown.slice(0, mostPrinted);
  printed.replaceChildren();
  const note = `${byId("counts").textContent}. ` + (list.length < state.shown.length ? `The first ${list.length} of ${state.shown.length} pictures:` : `${list.length} pictures:`);
  printed.append(element("p", "", note), ...list.map(makeCell));
}
