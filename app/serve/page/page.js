"use strict";
// Shows the sources of a run: a picture is asked for when the one before is on the screen, so a slow
// browser or network sees fewer pictures and never old ones.

const find = (id) => document.getElementById(id);
const tiles = new Map(); // by the numbers of their sources, which may come and go
let stats = { sources: [], controls: false };
let chosen = 0;      // number of a source, or "all"
let large = false;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const visible = () => document.visibilityState === "visible";

function make(tag, parts = {}, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, parts);
  element.append(...children);
  return element;
}

// Pictures

function addTile(number) {
  const image = make("img", { alt: `picture of source ${number}` });
  const name = make("span", { className: "name" });
  const figures = make("span", { className: "figures" });
  const told = make("span", { hidden: true });
  const figure = make("figure", { className: "tile", tabIndex: 0 }, image,
    make("div", { className: "told" }, told), make("figcaption", {}, name, figures));
  const tile = { number, image, name, figures, told, figure, picture: 0 };
  figure.addEventListener("click", () => enlarge(number, !(large && chosen === number)));
  figure.addEventListener("keydown", (event) => {
    if (event.key === "Enter") enlarge(number, true);
  });
  tiles.set(number, tile);
  find("grid").append(figure);
  follow(tile);
}

function removeTile(number) {
  tiles.get(number).figure.remove();
  tiles.delete(number);
  if (chosen !== number) return;
  enlarge(tiles.keys().next().value ?? 0, false);
}

async function follow(tile) {
  while (tile.figure.isConnected) {
    const seen = tile.figure.offsetParent !== null && visible();
    if (!seen) { await pause(200); continue; }
    try {
      const width = Math.ceil(tile.image.clientWidth * devicePixelRatio) || 640;
      const answer = await fetch(`/frame.jpg?source=${tile.number}&after=${tile.picture}&width=${width}`);
      if (answer.status === 401) { location.reload(); return; }
      if (answer.status !== 200) {
        tile.picture = 0; // nothing new for long: the program may have begun anew, and count from 1
        await pause(answer.status === 204 ? 0 : 1000);
        continue;
      }
      await show(tile, await answer.blob());
      tile.picture = Number(answer.headers.get("X-Picture"));
      tile.image.dataset.picture = tile.picture;
    } catch {
      await pause(1000); // the server is gone; it may come back
      tile.picture = 0;
    }
  }
}

async function show(tile, blob) {
  const before = tile.image.src;
  tile.image.src = URL.createObjectURL(blob);
  await tile.image.decode();
  if (before.startsWith("blob:")) URL.revokeObjectURL(before);
}

function enlarge(number, on) {
  if (on && tiles.size < 2) return;
  choose(number);
  large = on;
  document.body.classList.toggle("large", large);
}

function choose(number) {
  chosen = number;
  refresh();
}

// Figures

const one = () => stats.sources.find((source) => source.source === chosen) ?? stats.sources[0];

async function update() {
  try {
    const answer = await fetch("/stats.json");
    if (answer.status === 401) { location.reload(); return; }
    stats = await answer.json();
    const numbers = stats.sources.map((source) => source.source);
    numbers.filter((number) => !tiles.has(number)).forEach(addTile);
    [...tiles.keys()].filter((number) => !numbers.includes(number)).forEach(removeTile);
    layOut();
    refresh();
  } catch {
    find("state").textContent = "The program does not answer.";
  }
}

async function watch() {
  for (;;) {
    await update();
    await pause(visible() ? 500 : 3000);
  }
}

function layOut() {
  const count = tiles.size;
  document.body.classList.toggle("many", count > 1);
  find("grid").style.setProperty("--columns", Math.ceil(Math.sqrt(count)));
  find("grid").style.setProperty("--narrow", count > 2 ? 2 : 1);
}

function refresh() {
  stats.sources.forEach((source) => {
    const tile = tiles.get(source.source);
    if (!tile) return;
    tile.figure.classList.toggle("chosen", chosen === "all" || chosen === tile.number);
    tile.name.textContent = tiles.size > 1 ? `${tile.number + 1}  ${source.name}` : source.name;
    const dropped = Object.values(source.counters.dropped).reduce((sum, n) => sum + n, 0);
    const figures = [`${source.fps.toFixed(1)} fps`, `age ${age(source.age ?? 0)}`, `${dropped} dropped`];
    if (source.age === null) figures.splice(1, 1);
    tile.figures.textContent = figures.map((text) => text.replaceAll(" ", "\u00a0")).join(" · ");
    const words = source.offline !== null ? `no picture for ${Math.round(source.offline)} s`
      : source.state !== "playing" ? source.state : "";
    tile.told.textContent = words;
    tile.told.hidden = !words;
  });
  const source = one();
  if (!source) return;
  const network = source.network;
  find("state").textContent = network
    ? `${network.device}, ${network.precision}, ${network.size ? network.size.join("×") : network.input_size}`
    : source.loading ? `loading ${source.loading}…` : source.state;
  find("controls").hidden = find("keys").hidden = !stats.controls;
  showControls(source);
  showClasses(source);
}

const age = (seconds) => seconds < 10 ? `${Math.round(seconds * 1000)} ms` : `${Math.round(seconds)} s`;

function showControls(source) {
  press("skip", source.skip);
  press("record", source.recording !== null);
  find("record").textContent = source.recording ? `Stop (${Math.round(source.recording.seconds)} s)` : "Record";
  const playing = source.state === "playing";
  find("play").textContent = playing ? "Pause" : "Play";
  for (const id of ["view", "input_size"]) {
    const value = id === "view" ? source.view : source.network?.input_size;
    if (value && document.activeElement !== find(id)) find(id).value = value;
  }
  if (document.activeElement !== find("alpha")) find("alpha").value = Math.round(source.alpha * 100);
  const buttons = find("sources");
  buttons.hidden = stats.sources.length < 2;
  const names = ["all", ...tiles.keys()];
  if (buttons.dataset.names !== names.join()) {
    buttons.dataset.names = names.join();
    buttons.replaceChildren(...names.map((number) => make("button", {
      textContent: number === "all" ? "All" : String(number + 1),
      onclick: () => choose(number),
    })));
  }
  names.forEach((number, place) => buttons.children[place].setAttribute("aria-pressed", number === chosen));
}

const press = (id, on) => find(id).setAttribute("aria-pressed", on);

function showClasses(source) {
  const list = find("classes");
  const names = source.classes.map((each) => each.name).join();
  if (list.dataset.names !== names) {
    list.dataset.names = names;
    list.replaceChildren(...source.classes.map(classRow));
  }
  source.classes.forEach((each, number) => {
    const button = list.children[number].firstElementChild;
    const off = source.hidden.includes(each.name);
    button.disabled = !stats.controls;
    button.setAttribute("aria-pressed", !off);
    button.classList.toggle("off", off);
    button.querySelector(".bar rect").setAttribute("width", 100 * each.share);
    button.querySelector(".share").textContent = each.share < 0.0005 ? "–"
      : each.share < 0.01 ? "<1 %" : `${Math.round(100 * each.share)} %`;
  });
}

// Colours and widths as attributes of SVG: the page's policy allows no styles in its elements.
function box(className, color) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const rect = document.createElementNS(space, "rect");
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  rect.setAttribute("width", 100);
  rect.setAttribute("height", 100);
  if (color) rect.setAttribute("fill", color);
  svg.append(rect);
  return make("span", { className }, svg);
}

function classRow(each) {
  const button = make("button", {
    onclick: () => {
      const hidden = one().hidden;
      ask({ hidden: hidden.includes(each.name) ? hidden.filter((name) => name !== each.name)
        : [...hidden, each.name] });
    },
  }, box("swatch", each.color), each.name, box("bar"), make("span", { className: "share" }));
  return make("li", {}, button);
}

// Events

function listen() {
  const events = new EventSource("/events");
  events.addEventListener("message", (event) => {
    const said = JSON.parse(event.data);
    const alone = tiles.size < 2 || said.number === null; // or it is about what serves all
    const words = said.kind === "opened" ? `${said.text} is open` : said.text;
    const text = alone ? words : `${said.number + 1}: ${words}`;
    find("messages").prepend(make("li", { textContent: text, className: said.kind }));
    while (find("messages").childElementCount > 30) find("messages").lastElementChild.remove();
  });
  events.addEventListener("open", () => find("messages").replaceChildren());
  events.addEventListener("row", (event) => {
    const row = JSON.parse(event.data);
    stats.sources.find((source) => source.source === row.number)?.classes.forEach((each) => {
      each.share = row[`share_${each.name}`] ?? 0;
    });
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

// Controls

async function ask(commands) {
  const answer = await fetch("/control", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ source: chosen, ...commands }),
  }).catch(() => null);
  const wrong = find("wrong");
  wrong.hidden = answer?.ok === true;
  if (!wrong.hidden) wrong.textContent = answer ? await answer.text() : "The program does not answer.";
  await pause(100); // commands are carried out within that time
  await update();
}

const COMMANDS = {
  play: () => ask({ playing: one().state !== "playing" }),
  record: () => ask({ recording: one().recording === null }),
  skip: () => ask({ skip: !one().skip }),
};
for (const [id, command] of Object.entries(COMMANDS)) find(id).addEventListener("click", command);
for (const id of ["view", "input_size"]) {
  find(id).addEventListener("change", () => { ask({ [id]: find(id).value }); find(id).blur(); });
}
find("alpha").addEventListener("input", () => ask({ alpha: find("alpha").value / 100 }));

const KEYS = { " ": "play", r: "record", s: "skip" };
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { enlarge(chosen, false); return; }
  const busy = event.target.closest("select, input, button");
  if (!stats.controls || busy || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  const views = [...find("view").options].map((option) => option.value);
  if (KEYS[key]) COMMANDS[KEYS[key]]();
  else if (key === "v") ask({ view: views[(views.indexOf(one().view) + 1) % views.length] });
  else if ("1234".includes(key)) ask({ input_size: find("input_size").options[key - 1].value });
  else return;
  event.preventDefault();
});

update().then(listen); // whose messages name a source where there are several
watch();
