"use strict";
// The page: reads its data, lets workers run replications of both arms under the same luck, and tells what they found.

(() => {
const $ = (id) => document.getElementById(id);
const HIGH = 4294967296, MINUTE = 60000, HOUR = 3600000, STARTS = [8, 16, 32, 64, 128];
const SVG = "http://www.w3.org/2000/svg";

const inflate = async (id) => {
  const text = atob($(id).textContent.trim()), deflated = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) deflated[at] = text.charCodeAt(at);
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

let about, pool, language, state, workers = [], turn = 0, paused = false, notice = "", same = null, knee = null;
const known = new Map();          // results by arm and replication
const asking = new Map();         // what a worker has been asked, by number
let every = false, asked = 0, started = 0, timings = { first: 0, eight: 0 };

const say = (word, facts = {}) => {
  const text = about.words[word][language];
  return text.replace(/\{(\w+)\}/g, (_, name) => (name in facts ? facts[name] : ""));
};

// --- plans

let groups = null;
function table(number) {
  if (!groups) {
    groups = [];
    let place = 0;
    about.index.forEach(([rows, width, group], each) => {
      groups[group] ||= { width, rows: 0, members: [] };
      groups[group].members[each] = groups[group].rows;
      groups[group].rows += rows;
    });
    for (const group of groups) { group.place = place; place += group.rows * group.width * 4; }
  }
  const [rows, width, group] = about.index[number], own = groups[group];
  const view = new DataView(pool.buffer), found = new Uint32Array(rows * width);
  for (let column = 0; column < width; column++) {
    let at = own.place + 4 * (column * own.rows + own.members[number]), above = 0;
    for (let row = 0; row < rows; row++, at += 4) {
      above = (above + view.getUint32(at, true)) >>> 0;
      found[row * width + column] = above;
    }
  }
  return found;
}

const bytes = (found) => new Uint8Array(found.buffer, found.byteOffset, found.byteLength);

// The tables of a combination of measures with levers at some levels.
function composed(plan, levels) {
  const found = {};
  for (const [name, number] of Object.entries(plan.tables)) found[name] = table(number);
  for (const [key, level] of Object.entries(levels)) {
    for (const [name, change] of Object.entries((plan.levers[key] || [])[level] || {})) {
      if (Array.isArray(change)) {
        const places = table(change[0]), words = table(change[1]);
        places.forEach((place, each) => { found[name][place] = words[each]; });
      } else found[name] = table(change);
    }
  }
  return found;
}

function image(plan, levels) {
  const found = composed(plan, levels), tables = {};
  const part = (name) => Object.keys(found).filter((each) => each.startsWith(name + "/"))
    .sort((one, other) => one.split("/")[1] - other.split("/")[1]).map((each) => found[each]);
  // Changes of capacity, by time and resource.
  const changes = part("changes").flatMap((own) => {
    const rows = [];
    for (let at = 0; at < own.length; at += 6) rows.push(own.subarray(at, at + 6));
    return rows;
  });
  const time = (row) => row[0] + row[1] * HIGH;
  changes.sort((one, other) => time(one) - time(other) || one[2] - other[2]);
  const merged = new Uint32Array(6 * changes.length);
  changes.forEach((row, each) => merged.set(row, 6 * each));
  tables["resources.changes"] = bytes(merged);
  found.state[about.layout.state.changes / 4] = changes.length;
  // Rates, with what is expected before each row.
  const doubles = (own) => new Float64Array(own.slice().buffer);
  const begins = doubles(found["rates/begins"]), rate = doubles(found["rates/rate"]);
  const given = found["rates/expected"] && doubles(found["rates/expected"]), rates = new Float64Array(3 * rate.length);
  for (let row = 0; row < rate.length; row++) rates.set([begins[row], rate[row], given ? given[row] : 0], 3 * row);
  if (!given) {
    for (const [first, count] of plan.rates) {
      let expected = 0;
      for (let row = first + 1; row < first + count; row++) {
        expected += (begins[row] - begins[row - 1]) * rate[row - 1];
        rates[3 * row + 2] = expected;
      }
    }
  }
  tables["arrivals.rates"] = bytes(rates);
  const numbers = part("numbers"), all = new Uint32Array(numbers.reduce((sum, own) => sum + own.length, 0));
  let place = 0;
  for (const own of numbers) { all.set(own, place); place += own.length; }
  tables["draws.numbers"] = bytes(all);
  for (const [name, own] of Object.entries(found)) if (!name.includes("/")) tables[name] = bytes(own);
  return {
    tables,
    window: plan.window,
    members: plan.members,
    sources: plan.rates.length,
    steps: about.steps[plan.steps].length,
    asked: {
      marks: new Int32Array(table(plan.marks).buffer),
      steps: new Int32Array(table(plan.rows).buffer),
      kpis: about.kpis[plan.kpis],
      directions: plan.directions,
      milestones: plan.milestones,
    },
  };
}

const planOf = (measures) => {
  const wanted = about.measures.map((each) => each.name).filter((name) => measures.includes(name));
  if (about.server) return { ...about.plans[0], measures: wanted };
  return about.plans.find((plan) => plan.measures.join() === wanted.join());
};

// --- the two arms of a state

function arms() {
  const base = planOf([]), other = planOf(state.measures), both = {}, own = {};
  about.levers.forEach((lever) => {
    const level = state.levels[lever.key];
    if (level === lever.usual) return;
    if (lever.everywhere) both[lever.key] = level;
    if (lever.everywhere || !lever.needs || state.measures.includes(lever.needs)) own[lever.key] = level;
  });
  const arm = (plan, levels) => ({ plan, levels, key: plan.measures.join("+") + "|" + JSON.stringify(levels) });
  return [arm(base, both), arm(other, own)];
}

// Levers that are moved and do not compose in an arm; null: none.
function clash(arm) {
  for (const [key, others] of Object.entries(arm.plan.apart)) {
    const moved = others.filter((other) => other in arm.levels);
    if (key in arm.levels && moved.length) return [key, moved];
  }
  return null;
}

// --- workers

async function hire() {
  if (about.server) {
    workers = Array.from({ length: about.workers }, () => ({ busy: 0, worker: { postMessage: () => {} } }));
    return;
  }
  const module = await WebAssembly.compile(await inflate("data-module"));
  const url = URL.createObjectURL(new Blob([$("data-worker").textContent], { type: "text/javascript" }));
  const count = Math.max(1, Math.min(navigator.hardwareConcurrency || 2, 8));
  await Promise.all(Array.from({ length: count }, () => new Promise((ready) => {
    const worker = new Worker(url), own = { worker, busy: 0, images: new Set() };
    worker.onmessage = ({ data }) => {
      if (data.what === "ready") { workers.push(own); ready(); return; }
      own.busy--;
      const { done } = asking.get(data.id);
      asking.delete(data.id);
      done(data);
    };
    worker.postMessage({ what: "open", module, layout: about.layout });
  })));
}

const images = new Map();
function imageOf(arm) {
  if (!images.has(arm.key)) {
    if (images.size > 24) images.delete(images.keys().next().value);
    images.set(arm.key, image(arm.plan, arm.levels));
  }
  return images.get(arm.key);
}

// Ask the worker with least to do; it gets an image that it has not had lately.
function ask(own, arm, replication, trace = null) {
  if (about.server) return askServer(own, arm, replication);
  const id = asked++, message = { what: "run", id, key: arm.key, seed: about.seed, replication, trace, turn };
  if (!own.images.has(arm.key)) {
    message.image = imageOf(arm);
    own.images.add(arm.key);
    if (own.images.size > 24) own.images.delete(own.images.keys().next().value);
  }
  own.busy++;
  return new Promise((done) => { asking.set(id, { done }); own.worker.postMessage(message); });
}

// The server runs the replication with its own engine.
async function askServer(own, arm, replication) {
  own.busy++;
  const mine = turn;
  try {
    const answer = await fetch(about.server + location.search, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ measures: arm.plan.measures, levels: arm.levels, replication }),
    });
    const found = answer.ok ? await answer.json() : { fault: await answer.text() };
    if (found.fault) return found;
    found.values = found.values.map((value) => (value === null ? NaN : value));
    found.queue = found.queue.map((day) => day.map((value) => (value === null ? NaN : value)));
    return { found };
  } catch (fault) {
    return mine === turn ? { fault: String(fault) } : { found: null };
  } finally {
    own.busy--;
  }
}

const free = () => workers.find((own) => own.busy < 1);

// The next replication that is wanted: both arms of one, then both of the next.
function next() {
  const pair = arms();
  if (pair.some(clash)) return null;
  for (let replication = 0; replication < state.n; replication++) {
    for (const arm of pair) if (!known.has(`${arm.key}#${replication}`)) return [arm, replication];
  }
  return null;
}

function work() {
  if (paused || document.hidden) return;
  for (let own = free(); own; own = free()) {
    const wanted = next();
    if (!wanted) break;
    const [arm, replication] = wanted, name = `${arm.key}#${replication}`;
    known.set(name, null);
    ask(own, arm, replication).then((data) => {
      if (data.fault) { known.set(name, { fault: data.fault }); notice = about.server ? data.fault : say("fault"); }
      else if (data.found) known.set(name, data.found);
      else known.delete(name);
      work();
      soon();
    });
  }
}

// Show what has been found, not more often than people can see.
let drawing = false;
function soon() {
  const [one] = finished();
  if (!timings.first && one.length) timings.first = performance.now() - started;
  if (!timings.eight && one.length >= Math.min(8, state.n)) timings.eight = performance.now() - started;
  if (drawing) return;
  drawing = true;
  setTimeout(() => { drawing = false; show(); }, one.length < 2 || one.length >= state.n ? 0 : 120);
}

// Replications that both arms have finished, without a gap.
function finished() {
  const pair = arms(), found = [[], []];
  for (let replication = 0; replication < state.n; replication++) {
    const both = pair.map((arm) => known.get(`${arm.key}#${replication}`));
    if (!both[0] || !both[1] || both[0].fault || both[1].fault) break;
    both.forEach((own, arm) => found[arm].push(own));
  }
  return found;
}

function moved() {
  turn++;
  notice = ""; same = null;
  started = performance.now(); timings = { first: 0, eight: 0 };
  for (const own of workers) own.worker.postMessage({ what: "wanted", turn });
  for (const [name, own] of known) if (own === null) known.delete(name);
  if (knee && knee.state !== kneeState()) knee = null;
  link();
  levers();
  work();
  show();
}

// --- means and intervals, summed as numpy sums, so that the last digit agrees

function sum(values, from = 0, count = values.length) {
  if (count < 8) {
    let total = count ? values[from] : 0;
    for (let at = 1; at < count; at++) total += values[from + at];
    return total;
  }
  if (count <= 128) {
    const parts = values.slice(from, from + 8);
    let at = 8;
    for (; at + 8 <= count; at += 8) for (let each = 0; each < 8; each++) parts[each] += values[from + at + each];
    let total = ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
    for (; at < count; at++) total += values[from + at];
    return total;
  }
  let half = Math.floor(count / 2);
  half -= half % 8;
  return sum(values, from, half) + sum(values, from + half, count - half);
}

function interval(values) {
  const n = values.length;
  if (!n) return { value: NaN, low: NaN, high: NaN, n };
  const mean = sum(values) / n;
  if (n === 1) return { value: mean, low: NaN, high: NaN, n };
  const squares = values.map((value) => (value - mean) * (value - mean));
  const half = about.student[n - 2] * Math.sqrt(sum(squares) / (n - 1)) / Math.sqrt(n);
  return { value: mean, low: mean - half, high: mean + half, n };
}

// What a KPI says of both arms and of their difference; `withheld`: the largest share that is missing.
function judged(place, found) {
  const columns = found.map((runs) => runs.map((run) => run.values[place]));
  const withheld = Math.max(0, ...found.flatMap((runs) => runs.map((run) => run.withheld[place])));
  if (withheld) return { withheld, arms: [interval([]), interval([])], difference: interval([]) };
  const there = columns.map((own) => own.filter((value) => !Number.isNaN(value)));
  const both = columns[0].map((value, at) => columns[1][at] - value).filter((value) => !Number.isNaN(value));
  return { withheld: 0, arms: there.map(interval), difference: interval(both) };
}

// --- what is shown

const digits = (value, scale) => {
  if (Number.isNaN(value)) return "–";
  const size = Math.abs(scale || value);
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3);
};
const percent = (share) => `${digits(100 * share)} %`;
const unitOf = (kpi) => (kpi.unit === "share" ? { by: 100, name: "%" } : { by: 1, name: kpi.unit });

function node(name, facts = {}, ...children) {
  const found = document.createElement(name);
  for (const [key, value] of Object.entries(facts)) {
    if (key === "text") found.textContent = value; else if (key.startsWith("on")) found[key] = value; else found.setAttribute(key, value);
  }
  found.append(...children);
  return found;
}

function shape(name, facts = {}, text = null) {
  const found = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(facts)) found.setAttribute(key, value);
  if (text !== null) found.textContent = text;
  return found;
}

function cell(told, kpi, sure = false) {
  const { by } = unitOf(kpi), found = node("td", sure ? { class: "sure" } : {});
  found.append(digits(by * told.value));
  if (!Number.isNaN(told.low)) found.append(node("small", { text: `${digits(by * told.low, by * told.value)} … ${digits(by * told.high, by * told.value)}` }));
  return found;
}

function show() {
  const found = finished(), done = found[0].length, pair = arms();
  if (done) timings.first ||= performance.now() - started;
  if (done >= Math.min(8, state.n)) timings.eight ||= performance.now() - started;
  const clashing = pair.map(clash).find(Boolean);
  $("progress").value = done / state.n;
  $("status").textContent = say(done >= state.n ? "done" : "running", { done, wanted: state.n });
  $("pause").textContent = say(paused ? "resume" : "pause");
  $("notes").textContent = [
    ...(clashing ? [say("apart", { one: leverName(clashing[0]), others: clashing[1].map(leverName).join(", ") })] : []),
    ...(pair[0].key === pair[1].key ? [say("same_arms")] : []),
    ...full(found),
    ...(notice ? [notice] : []),
  ].join(" ");
  numbers(found);
  queue(found);
  distribution(found);
  sameOne();
  kneeFigure();
  $("command").textContent = command(done);
  document.body.dataset.done = done;
  document.body.dataset.complete = done >= state.n ? "yes" : "no";
}

function full(found) {
  if (!found[0].length) return [];
  const told = [];
  kpis().forEach((kpi, place) => {
    if (kpi.kind !== "utilisation") return;
    const most = Math.max(...judged(place, found).arms.map((arm) => arm.value || 0));
    if (most > 0.97) told.push(say("full", { what: kpi[language].split(/[:：]/)[0], share: percent(most) }));
  });
  return told;
}

const kpis = () => about.kpis[planOf([]).kpis];

function numbers(found) {
  const head = node("thead", {}, node("tr", {},
    ...["kpi", "today", "changed", "difference", "n"].map((word) => node("th", { scope: "col", text: say(word) }))));
  const body = node("tbody");
  $("more").textContent = say(every ? "fewer" : "more");
  kpis().forEach((kpi, place) => {
    if (!every && !kpi.main) return;
    const told = judged(place, found), change = told.difference;
    const sure = change.low > 0 || change.high < 0;
    const row = node("tr", { "data-kpi": kpi.id }, node("th", { scope: "row", text: `${kpi[language]} (${unitOf(kpi).name})` }));
    if (told.withheld) {
      row.append(node("td", { colspan: 4, text: say("withheld", { share: percent(told.withheld) }) }));
    } else {
      row.append(cell(told.arms[0], kpi), cell(told.arms[1], kpi), cell(change, kpi, sure), node("td", { text: String(change.n) }));
    }
    body.append(row);
  });
  $("numbers").replaceChildren(head, body);
}

// --- figures

const BLUE = "#1b3a57", ORANGE = "#b35c00";

// Lines of both arms over x, each with an optional band of limits.
function chart(where, label, lines, axes) {
  const width = 560, height = 260, left = 52, right = 12, topEdge = 26, bottom = 40;
  const points = lines.flatMap((line) => line.points);
  const found = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const least = axes.from, most = axes.to, highest = Math.max(1e-9, ...points.map((point) => point[3] ?? point[1]).filter(Number.isFinite));
  const x = (value) => left + (value - least) / (most - least) * (width - left - right);
  const y = (value) => height - bottom - Math.min(value / highest, 1) * (height - topEdge - bottom);
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    found.append(shape("line", { x1: left, x2: width - right, y1: y(part * highest), y2: y(part * highest), stroke: "#ddd" }));
    found.append(shape("text", { x: left - 6, y: y(part * highest) + 4, "text-anchor": "end" }, digits(part * highest)));
  }
  for (const [value, text] of axes.ticks) found.append(shape("text", { x: x(value), y: height - bottom + 18, "text-anchor": "middle" }, text));
  found.append(shape("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, axes.x));
  found.append(shape("text", { x: 4, y: 14 }, axes.y));
  lines.forEach((line, each) => {
    const there = line.points.filter((point) => Number.isFinite(point[1]));
    const banded = there.filter((point) => Number.isFinite(point[2]));
    if (banded.length > 1) {
      const edge = [...banded.map((point) => [point[0], point[3]]), ...banded.reverse().map((point) => [point[0], Math.max(point[2], 0)])];
      found.append(shape("polygon", { points: edge.map((point) => `${x(point[0])},${y(point[1])}`).join(" "), fill: line.color, opacity: 0.15 }));
    }
    const dash = each ? {} : { "stroke-dasharray": "6 3" };
    found.append(shape("polyline", { points: there.map((point) => `${x(point[0])},${y(point[1])}`).join(" "), fill: "none", stroke: line.color, "stroke-width": 2, ...dash }));
    const at = width - right - 190 + 0 * each;
    found.append(shape("line", { x1: at, x2: at + 24, y1: 8 + 14 * each, y2: 8 + 14 * each, stroke: line.color, "stroke-width": 2, ...dash }));
    found.append(shape("text", { x: at + 30, y: 12 + 14 * each }, line.name));
  });
  where.replaceChildren(found);
}

const twoLines = (points) => [
  { name: say("today"), color: BLUE, points: points[0] },
  { name: say("changed"), color: ORANGE, points: points[1] },
];

function queue(found) {
  const lane = planOf([]).directions.indexOf($("gate").value);
  if (lane < 0 || !found[0].length) { $("queue").replaceChildren(); return; }
  const points = found.map((runs) => Array.from({ length: 24 }, (_, hour) => {
    const told = interval(runs.map((run) => run.queue[lane][hour]).filter((value) => !Number.isNaN(value)));
    return [hour + 0.5, told.value, told.low, told.high];
  }));
  const ticks = [0, 4, 8, 12, 16, 20, 24].map((hour) => [hour, String(hour)]);
  chart($("queue"), say("queue_title"), twoLines(points), { from: 0, to: 24, ticks, x: say("hour"), y: say("vehicles") });
}

function distribution(found) {
  const name = $("flow").value;
  if (!name || !found[0].length || !found[0][0].shapes[name]) { $("dwell").replaceChildren(); return; }
  const counts = found.map((runs) => runs.reduce((total, run) => total.map((own, bin) => own + run.shapes[name][bin]), Array(48).fill(0)));
  const there = counts[0].map((_, bin) => bin).filter((bin) => counts[0][bin] + counts[1][bin]);
  const from = Math.max(Math.min(...there) - 1, 0), to = Math.max(...there) + 2;
  const points = counts.map((own) => {
    const total = own.reduce((one, other) => one + other, 0) || 1;
    return own.map((count, bin) => [bin + 0.5, count / total]).filter(([bin]) => bin >= from && bin <= to);
  });
  const ticks = [[1, MINUTE], [9, 10 * MINUTE], [15.22, HOUR], [23.22, 10 * HOUR], [26.27, 24 * HOUR], [34.27, 240 * HOUR]]
    .filter(([bin]) => bin >= from && bin <= to).map(([bin, ms]) => [bin, ms < HOUR ? `${ms / MINUTE} min` : `${ms / HOUR} h`]);
  chart($("dwell"), say("dwell_title"), twoLines(points), { from, to, ticks, x: say("time"), y: say("share") });
}

// --- the same consignment in both arms

async function startSame() {
  const found = finished(), name = $("flow").value, slowest = found[0].length && found[0][0].slowest[name];
  if (!slowest) return;
  const pair = arms(), mine = turn;
  const told = await Promise.all(pair.map((arm, each) => ask(workers[each % workers.length], arm, 0, slowest)));
  if (mine !== turn) return;
  same = told.map((data, each) => ({ rows: data.found ? data.found.traced : [], steps: about.steps[pair[each].plan.steps] }));
  sameOne();
  work();
}

function sameOne() {
  if (!same) { $("same").replaceChildren(); return; }
  const rows = same.map((own) => own.rows.filter((row) => row[4] >= 0 && row[4] > row[2]).map((row) => ({
    name: about.labels[language][own.steps[row[0]]] || own.steps[row[0]], child: row[1], queued: row[2], started: row[3], ended: row[4],
  })).sort((one, other) => one.queued - other.queued || other.ended - one.ended));
  const first = Math.min(...rows.flat().map((row) => row.queued)), last = Math.max(...rows.flat().map((row) => row.ended));
  const width = 560, line = 16, left = 190, height = rows.reduce((total, own) => total + 24 + line * own.length, 30);
  const found = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": say("same_title") });
  const x = (time) => left + (time - first) / Math.max(last - first, 1) * (width - left - 10);
  let y = 16;
  rows.forEach((own, arm) => {
    found.append(shape("text", { x: 0, y, "font-weight": 600 }, `${say(arm ? "changed" : "today")}: ${digits((Math.max(first, ...own.map((row) => row.ended)) - first) / HOUR)} h`));
    y += 6;
    for (const row of own) {
      const start = row.started < 0 ? row.ended : row.started;
      const name = row.child ? `${row.name} (${say("child")} ${row.child})` : row.name;
      found.append(shape("text", { x: 0, y: y + 12 }, name.length > 27 ? name.slice(0, 26) + "…" : name));
      if (start > row.queued) found.append(shape("rect", { x: x(row.queued), y: y + 5, width: Math.max(x(start) - x(row.queued), 1), height: 6, fill: "#c9a0a0" }));
      if (row.ended > start) found.append(shape("rect", { x: x(start), y: y + 3, width: Math.max(x(row.ended) - x(start), 1), height: 10, fill: arm ? ORANGE : BLUE }));
      y += line;
    }
    y += 18;
  });
  found.append(shape("rect", { x: 0, y: y - 8, width: 14, height: 6, fill: "#c9a0a0" }), shape("text", { x: 20, y: y - 2 }, say("waits")));
  found.append(shape("rect", { x: 90, y: y - 10, width: 14, height: 10, fill: BLUE }), shape("text", { x: 110, y: y - 2 }, say("works")));
  $("same").replaceChildren(found);
}

// --- time by demand

const kneeState = () => JSON.stringify([state.measures, { ...state.levels, demand: 0 }]);

async function startKnee() {
  const demand = about.levers.find((lever) => lever.key === "demand"), mine = { state: kneeState(), found: [[], []] };
  knee = mine;
  for (let level = 0; level < demand.settings.length; level++) {
    const usual = state.levels.demand;
    state.levels.demand = level;
    const pair = arms();
    state.levels.demand = usual;
    if (pair.some(clash)) continue;
    for (const [each, arm] of pair.entries()) {
      const runs = [];
      for (let replication = 0; replication < 4; replication++) {
        const name = `${arm.key}#${replication}`;
        if (!known.get(name)) {
          const own = workers.reduce((one, other) => (other.busy < one.busy ? other : one));
          const data = await ask(own, arm, replication);
          if (knee !== mine) return;
          known.set(name, data.fault ? { fault: data.fault } : data.found);
          if (!data.found) known.delete(name);
        }
        const run = known.get(name);
        if (run && !run.fault) runs.push(run);
      }
      mine.found[each].push([Number(demand.texts[level].en.slice(1)), runs]);
      kneeFigure();
    }
  }
  work();
}

function kneeFigure() {
  if (!knee || !knee.found[0].length) { $("knee").replaceChildren(); return; }
  const lane = planOf([]).directions.indexOf($("gate").value);
  const place = kpis().findIndex((kpi) => (kpi.kind === "pass" && kpi.lane === lane && kpi.statistic === "quantile" && kpi.q > 0.9));
  if (place < 0) return;
  const kpi = kpis()[place];
  const points = knee.found.map((own) => own.map(([level, runs]) => {
    const values = runs.some((run) => run.withheld[place]) ? [] : runs.map((run) => run.values[place]).filter((value) => !Number.isNaN(value));
    const told = interval(values);
    return [level, told.value, told.low, told.high];
  }));
  const levels = about.levers.find((lever) => lever.key === "demand").texts.map((text) => [Number(text.en.slice(1)), text.en]);
  chart($("knee"), say("knee_title"), twoLines(points), { from: levels[0][0] - 0.05, to: levels.at(-1)[0] + 0.05, ticks: levels, x: say("knee_axis"), y: `${kpi[language]} (${kpi.unit})` });
}

// --- levers

const leverName = (key) => {
  const lever = about.levers.find((each) => each.key === key), { word, ...own } = lever.label;
  return word ? say(word, { what: own[language] || "", measure: own.measure || "" }) : own[language];
};
const levelText = (lever, level) => {
  const text = lever.texts[level];
  return text.word ? say(text.word) : text[language];
};

function levers() {
  const form = $("levers"), focus = document.activeElement && document.activeElement.id;
  const measures = node("fieldset", {}, node("legend", { text: say("measures") }));
  for (const each of about.measures) {
    const box = node("input", { type: "checkbox", id: `measure-${each.name}` });
    box.checked = state.measures.includes(each.name);
    box.onchange = () => {
      state.measures = about.measures.map((own) => own.name).filter((name) => (name === each.name ? box.checked : state.measures.includes(name)));
      moved();
    };
    measures.append(node("label", { class: "lever" }, box, ` ${each.number} ${each[language]}`));
  }
  const slider = (lever) => {
    const level = state.levels[lever.key], id = `lever-${lever.key}`, off = lever.needs && !state.measures.includes(lever.needs);
    const input = node("input", { type: "range", id, min: 0, max: lever.settings.length - 1, step: 1, "aria-valuetext": levelText(lever, level) });
    input.value = level;
    input.disabled = Boolean(off);
    input.oninput = () => { state.levels[lever.key] = Number(input.value); moved(); };
    const found = node("label", { class: "lever", for: id }, `${leverName(lever.key)}: `, node("output", { for: id, text: levelText(lever, level) }));
    if (lever.assumed) found.append(" ", node("span", { class: "tag", text: say("assumed") }));
    found.append(input);
    return found;
  };
  const group = (word, own) => (own.length ? [node("fieldset", {}, node("legend", { text: say(word) }), ...own.map(slider))] : []);
  const effort = node("select", { id: "effort" }, ...STARTS.map((n) => node("option", { value: n, text: String(n) })));
  effort.value = String(state.n);
  effort.onchange = () => { state.n = Number(effort.value); moved(); };
  form.replaceChildren(
    ...(about.measures.length ? [measures] : []),
    ...group("own", about.levers.filter((lever) => !lever.everywhere)),
    ...group("world", about.levers.filter((lever) => lever.everywhere)),
    node("label", { class: "lever" }, `${say("effort")}: `, effort),
  );
  if (focus && $(focus)) $(focus).focus();
}

// --- the command and the link

const quoted = (text) => (/^[\w@%+=:,.\/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function command(done) {
  const [base, other] = arms(), parts = ["zonesim", "compare", quoted(about.file)];
  const numbersOf = other.plan.measures.map((name) => about.measures.find((each) => each.name === name).number);
  parts.push("--measures", numbersOf.length ? numbersOf.join(",") : "none");
  const settings = (lever, level) => lever.settings[level].map(quoted);
  for (const text of about.given) parts.push("--set", quoted(text));
  for (const lever of about.levers) {
    const word = lever.everywhere ? "--set" : "--change";
    if (lever.key in other.levels) for (const text of settings(lever, other.levels[lever.key])) parts.push(word, text);
  }
  parts.push("--replications", String(Math.max(done, 1)), "--seed", String(about.seed));
  return parts.join(" ");
}

function link() {
  const found = new URLSearchParams({ v: about.version, m: state.measures.join("+"), n: state.n, lang: language });
  for (const lever of about.levers) if (state.levels[lever.key] !== lever.usual) found.set(lever.key, state.levels[lever.key]);
  history.replaceState(null, "", "#" + found.toString());
}

function fromLink() {
  const given = new URLSearchParams(location.hash.slice(1)), names = about.measures.map((each) => each.name);
  const wanted = given.has("m") ? given.get("m").split(/[+ ]/) : names;
  language = ["en", "zh"].includes(given.get("lang")) ? given.get("lang") : about.language;
  state = { measures: names.filter((name) => wanted.includes(name)), levels: {}, n: STARTS.includes(Number(given.get("n"))) ? Number(given.get("n")) : 8 };
  for (const lever of about.levers) {
    const level = given.has(lever.key) ? Number(given.get(lever.key)) : NaN;
    state.levels[lever.key] = Number.isInteger(level) && level >= 0 && level < lever.settings.length ? level : lever.usual;
  }
  return given.get("v") && given.get("v") !== about.version ? given.get("v") : "";
}

async function copy(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    $("copied").textContent = say("copied");
  } catch {
    getSelection().selectAllChildren(shown);
    $("copied").textContent = say("not_copied");
  }
}

// --- all that is text

function texts() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = about.title[language];
  $("title").textContent = about.title[language];
  const [warm, days, cool] = about.days.map((value) => Math.round(10 * value) / 10);
  $("about").textContent = say(about.server ? "about_server" : "about", { version: about.version, warm, days, cool, seed: about.seed, synthetic: about.synthetic ? say("synthetic") : "" });
  $("language").textContent = say("switch");
  for (const id of ["reset", "legend", "queue_title", "dwell_title", "knee_title", "knee_start", "same_title", "same_start", "again", "copy_command", "copy_link", "same_numbers"]) $(id).textContent = say(id);
  $("gate_label").textContent = say("gate");
  $("flow_label").textContent = say("flow");
  const chosen = [$("gate").value, $("flow").value], gates = new Map(), flows = new Map();
  const plan = planOf([]);
  for (const kpi of kpis()) {
    const name = kpi[language].split(/, |P9|均值|中位/)[0];
    if (kpi.kind === "wait" || kpi.kind === "pass") gates.set(plan.directions[kpi.lane], kpi[language].split(/[:：]/)[0]);
    if ((kpi.kind === "time" || kpi.kind === "pass") && !flows.has(kpi.shape)) flows.set(kpi.shape, name);
  }
  const options = (own) => [...own].map(([value, text]) => node("option", { value, text }));
  $("gate").replaceChildren(...options(gates));
  $("flow").replaceChildren(...options(flows));
  if (gates.has(chosen[0])) $("gate").value = chosen[0];
  if (flows.has(chosen[1])) $("flow").value = chosen[1];
  levers();
  show();
}

async function main() {
  about = JSON.parse(new TextDecoder().decode(await inflate("data-about")));
  pool = await inflate("data-pool");
  const other = fromLink();
  texts();
  if (about.server) $("same_start").closest("figure").hidden = true;
  await hire();
  $("language").onclick = () => { language = language === "en" ? "zh" : "en"; link(); texts(); };
  $("reset").onclick = () => {
    state.measures = about.measures.map((each) => each.name);
    for (const lever of about.levers) state.levels[lever.key] = lever.usual;
    moved();
  };
  $("pause").onclick = () => {
    paused = !paused;
    if (paused) {
      turn++;
      for (const own of workers) own.worker.postMessage({ what: "wanted", turn });
      for (const [name, own] of known) if (own === null) known.delete(name);
    } else work();
    show();
  };
  $("more").onclick = () => { every = !every; show(); };
  $("gate").onchange = $("flow").onchange = show;
  $("knee_start").onclick = startKnee;
  $("same_start").onclick = startSame;
  $("copy_command").onclick = () => copy($("command").textContent, $("command"));
  $("copy_link").onclick = () => copy(location.href, $("command"));
  $("levers").onsubmit = (event) => event.preventDefault();
  document.onvisibilitychange = work;
  window.onhashchange = () => { fromLink(); texts(); moved(); };
  moved();
  if (other) { notice = say("old_link", { other, version: about.version }); show(); }
}

// What a test asks: the exact numbers and how long they took.
window.whatif = {
  numbers: () => {
    const found = finished();
    return Object.fromEntries(kpis().map((kpi, place) => [kpi.id, judged(place, found)]));
  },
  values: () => finished().map((runs) => runs.map((run) => Object.fromEntries(kpis().map((kpi, place) => [kpi.id, run.values[place]])))),
  timings: () => timings,
};
main();
})();
