// Figures: lines of both arms, the same consignment in both, time by demand.

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
  const counts = found.map((runs) => runs.reduce((total, run) => total.map((own, bin) => own + ((run.shapes[name] || [])[bin] || 0)), Array(48).fill(0)));
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

// In the browser the slowest that this time was taken of; on a server the slowest of its flow, which it finds itself.
async function startSame() {
  const found = finished(), name = $("flow").value, pair = arms(), mine = turn;
  const slowest = about.server ? slowestOf(name) : found[0].length && found[0][0].slowest[name];
  if (!slowest) return;
  const first = await ask(idlest(), pair[0], 0, slowest);
  const second = first.fault || mine !== turn ? {} : await ask(idlest(), pair[1], 0, about.server ? first.found.token : slowest);
  if (mine !== turn) return;
  const told = [first, second];
  notice = told.filter((data) => data.fault).map((data) => say("fault", { why: data.fault })).join(" ");
  same = told.map((data, each) => ({ rows: data.found ? data.found.traced : [], steps: data.found && data.found.steps || about.steps[pair[each].plan.steps] }));
  for (const { found: own } of about.server ? told : []) {
    for (const [one, labels] of Object.entries(own ? own.labels : {})) Object.assign(about.labels[one], labels);
  }
  show();
  work();
}

const slowestOf = (shape) => {
  const kpi = kpis().find((each) => each.shape === shape);
  return kpi && kpi.flow ? `slowest:${kpi.flow}` : "slowest";
};

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
        const name = named(arm, replication);
        if (!known.get(name)) {
          const data = await ask(idlest(), arm, replication);
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
