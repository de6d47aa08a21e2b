"use strict";

// The results in this page. Texts come from file names, so they reach the document as text
// alone, never as markup.
const head = JSON.parse(document.getElementById("head").textContent);
const pictures = JSON.parse(document.getElementById("rows").textContent).map((values, order) => {
  const picture = { order };
  head.columns.forEach((name, i) => { picture[name] = values[i]; });
  return picture;
});

const byId = (id) => document.getElementById(id);

// element makes an element with a class and a text.
function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function fillFacts(list, facts) {
  list.replaceChildren();
  for (const [name, value] of facts) list.append(element("dt", "", name), element("dd", "", value));
}

const state = {
  set: 0,
  threshold: null, // nothing is called anomalous while it is null
  show: "all",
  class: "",
  sort: "score",
  find: "",
  pictures: [], // of the result and class that are chosen
  shown: [], // of these, those that match what is asked for, in order
  cursor: 0, // index in shown
};

const scored = (picture) => picture.score !== null;
const anomalous = (picture) => scored(picture) && state.threshold !== null && picture.score >= state.threshold;
const wrong = (picture) => scored(picture) && state.threshold !== null && anomalous(picture) !== picture.label;

// filters are what "Show" offers, by name.
const filters = {
  all: ["all", () => true],
  anomalous: ["anomalous", anomalous],
  normal: ["not anomalous", (p) => scored(p) && !anomalous(p)],
  failed: ["failed", (p) => !scored(p)],
};
if (head.labelled) {
  filters.bad = ["labelled anomalous", (p) => p.label];
  filters.good = ["labelled normal", (p) => !p.label];
  filters.missed = ["missed", (p) => p.label && wrong(p)];
  filters.alarms = ["false alarms", (p) => !p.label && wrong(p)];
}

const last = (value) => (value === null ? -Infinity : value);
const orders = {
  score: (a, b) => last(b.score) - last(a.score),
  low: (a, b) => (scored(a) ? a.score : Infinity) - (scored(b) ? b.score : Infinity),
  near: (a, b) => distance(a) - distance(b),
  area: (a, b) => last(b.area) - last(a.area),
  path: (a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0),
  order: () => 0,
};

function distance(picture) {
  if (!scored(picture)) return Infinity;
  return Math.abs(picture.score - (state.threshold ?? 0));
}

// choosePictures takes those of the chosen result and class.
function choosePictures() {
  state.pictures = pictures.filter((p) => p.set === state.set && (state.class === "" || p.class === state.class));
}

// choose finds what is shown, and in which order.
function choose() {
  const matches = filters[state.show][1], find = state.find.toLowerCase();
  state.shown = state.pictures.filter((p) => matches(p) && p.path.toLowerCase().includes(find));
  const order = orders[state.sort];
  state.shown.sort((a, b) => order(a, b) || a.order - b.order); // -Infinity - -Infinity is NaN: the input's order decides
  state.cursor = Math.min(state.cursor, Math.max(0, state.shown.length - 1));
}

// figure writes a score with enough digits to tell neighbours apart.
const figure = (value) => (value === null || value === undefined ? "" : String(Number(value.toPrecision(5))));
const percent = (share) => `${(100 * share).toFixed(1)} %`;
