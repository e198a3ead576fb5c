// What the page reads from its data: words, plans, and the two arms of a state of all levers.

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
let every = false, asked = 0, started = 0, hired = false, failure = "", timings = { first: 0, eight: 0 };

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

// The tables of a combination of measures with levers at some levels: whole tables and words first, then units, which
// change in whatever rows there are.
function composed(plan, levels) {
  const found = {}, units = [];
  for (const [name, number] of Object.entries(plan.tables)) found[name] = table(number);
  for (const [key, level] of Object.entries(levels)) {
    for (const [name, change] of Object.entries((plan.levers[key] || [])[level] || {})) {
      if (Array.isArray(change)) {
        const places = table(change[0]), words = table(change[1]);
        places.forEach((place, each) => { found[name][place] = words[each]; });
      } else if (change.units) units.push([name, new Map(change.units)]);
      else found[name] = table(change);
    }
  }
  for (const [name, becomes] of units) {
    const own = found[name];
    for (let at = 4; at < own.length; at += 6) if (becomes.has(own[at])) own[at] = becomes.get(own[at]);
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
