// What is shown beside the figures.

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
  const clashing = pair.map(clash).find(Boolean), wrong = fault(), ended = done < state.n && (clashing || wrong);
  $("progress").value = done / state.n;
  $("status").textContent = say(done >= state.n ? "done" : ended ? "ended" : "running", { done, wanted: state.n });
  $("pause").textContent = say(paused ? "resume" : "pause");
  $("notes").textContent = [
    ...(clashing ? [say("apart", { one: leverName(clashing[0]), others: clashing[1].map(leverName).join(", ") })] : []),
    ...(pair[0].key === pair[1].key ? [say("same_arms")] : []),
    ...full(found),
    ...(notice ? [notice] : []),
    ...(wrong ? [say("fault", { why: wrong })] : []),
  ].join(" ");
  numbers(found);
  gains(found);
  control(found);
  queue(found);
  distribution(found);
  sameOne();
  kneeFigure();
  $("command").textContent = command(done);
  document.body.dataset.done = done;
  document.body.dataset.complete = done >= state.n ? "yes" : "no";
  document.body.dataset.ended = done >= state.n || ended ? "yes" : "no";   // nothing more will come
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

// By flow whose goods come sooner, or later, and of which nobody can say.
function gains(found) {
  const groups = { gains: [], waits_longer: [], unsure: [], of_unknown: [] };
  kpis().forEach((kpi, place) => {
    if (kpi.kind !== "time" || !kpi.main) return;
    const told = judged(place, found), { value, low, high, n } = told.difference, { by, name: unit } = unitOf(kpi);
    const name = kpi[language].split(/: |：/)[0];
    if (told.withheld) groups.of_unknown.push(say("not_by_flow", { name, share: percent(told.withheld) }));
    else if (!Number.isNaN(low)) {
      const facts = { name, unit, n, mean: digits(by * value), low: digits(by * low, by * value), high: digits(by * high, by * value) };
      groups[high < 0 ? "gains" : low > 0 ? "waits_longer" : "unsure"].push(say("by_flow", facts));
    }
  });
  const parts = Object.entries(groups).filter(([word, own]) => own.length || word === "gains" || word === "waits_longer");
  $("gains").replaceChildren(...(found[0].length < 2 ? [] : parts.flatMap(([word, own]) => [
    node("dt", { text: say(word) }), ...(own.length ? own : [say("nobody")]).map((text) => node("dd", { text })),
  ])));
}

// Levers that change nothing but rates, hours and units leave who is checked as it is.
const keepsControl = (name) => /^(changes|rates)\/|^most_units$/.test(name);
function controlOf(arm, runs) {
  if (about.server) return runs.length ? runs[0].control : {};
  const kept = Object.entries(arm.levels).every(([key, level]) => Object.keys((arm.plan.levers[key] || [])[level] || {}).every(keepsControl));
  return kept ? arm.plan.control : {};
}

function band(low, high, by, unit) {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return say("unknown");
  const text = digits(by * low) === digits(by * high) ? digits(by * low) : `${digits(by * low)} … ${digits(by * high)}`;
  return `${text} ${unit}`;
}

function control(found) {
  const own = arms().map((arm, each) => controlOf(arm, found[each])), rows = Object.entries(about.control);
  $("control_part").hidden = !rows.length;
  const head = node("thead", {}, node("tr", {}, ...["kpi", "today", "changed", "difference"].map((word) => node("th", { scope: "col", text: say(word) }))));
  const body = node("tbody");
  for (const [key, told] of rows) {
    if (!every && !told.main) continue;
    const { by, name: unit } = unitOf(told), bands = own.map((arm) => arm[key] || [[null], [null]]);
    const [one, other] = bands, known = bands.flat(2).every((value) => value !== null), cases = Math.max(one[0].length, other[0].length);
    const at = (part, each) => part[part.length === 1 ? 0 : each], numbers = Array.from({ length: cases }, (_, each) => each);
    const low = Math.min(...numbers.map((each) => at(other[0], each) - at(one[1], each)));
    const high = Math.max(...numbers.map((each) => at(other[1], each) - at(one[0], each)));
    body.append(node("tr", { "data-control": key }, node("th", { scope: "row", text: told[language] }),
      ...bands.map(([least, most]) => node("td", { text: least.includes(null) || most.includes(null) ? say("unknown") : band(Math.min(...least), Math.max(...most), by, unit) })),
      node("td", { text: known ? band(low, high, by, unit) : say("unknown") })));
  }
  $("control").replaceChildren(head, body);
}
