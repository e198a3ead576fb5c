"use strict";
// A worker: runs replications of plans with the compiled kernel, and folds their records into numbers.
// It does what zonesim/engine/compiled_engine.py and zonesim/kpi do, for the KPIs of zonesim/kpi/asked.py.

const HOUR = 3600000, DAY = 24 * HOUR, NEVER = -1, HIGH = 4294967296, PAGE = 65536;
const SLICE = 40000;            // timed events until the worker looks whether it is still wanted
const MOST_MISSING = 0.01;      // largest share of cases not known with which a number is still given
const BINS = 48;                // of the distribution of times: from a minute on, eight to a factor of ten

let exported, memory, L, heap, bytes, words, top;
let wanted = 0;

function views() { bytes = new Uint8Array(memory.buffer); words = new Uint32Array(memory.buffer); }

async function open(module, layout) {
  L = layout;
  memory = new WebAssembly.Memory({ initial: 256, maximum: 32768 });
  exported = (await WebAssembly.instantiate(module, { env: { memory } })).exports;
  heap = Math.ceil(exported.__heap_base.value / 64) * 64;
  views();
}

function room(size) {
  const place = top;
  top = Math.ceil((top + Math.max(size, 8)) / 64) * 64;
  if (top > memory.buffer.byteLength) {
    memory.grow(Math.ceil((top - memory.buffer.byteLength) / PAGE) + 64);
    views();
  }
  return place;
}

const put = (place, value) => { words[place >> 2] = value >>> 0; words[(place >> 2) + 1] = Math.floor(value / HIGH) | 0; };
const get = (place) => words[place >> 2] + (words[(place >> 2) + 1] | 0) * HIGH;

function copy(table) {
  const place = room(table.byteLength);
  bytes.set(table, place);
  return place;
}

// --- a replication

class Run {
  constructor(image, seed, replication) {
    this.image = image;
    top = heap;
    this.words = room(8 * 64);             // of a small call
    this.result = room(8);
    this.key = this.call("key", [seed, replication]);
    this.at = {};
    this.size = {};
    this.slots = 2048; this.events = 4096; this.batches = 256;
    this.rows = L.block + 64; this.reserve = L.reserve;
    const tables = image.tables;
    this.state = copy(tables.state);
    for (const [name, item] of L.arguments) {
      if (name.startsWith("tokens.")) this.makeSlots(name.slice(7), item);
      else if (name === "events") this.make(name, this.events * item);
      else if (name === "batches.batches") this.make(name, this.batches * item);
      else if (name === "output.visits") this.make(name, this.rows * item);
      else if (name === "output.marks") this.make(name, L.block * item);
      else if (name === "output.arrivals") this.make(name, L.block * item);
      else if (name === "output.at_step") this.make(name, image.steps * 8);
      else if (name === "arrivals.member_flags") this.make(name, 8 * (image.members + 1));
      else if (name === "arrivals.raised") this.make(name, (tables["arrivals.shares"].byteLength / 8 + 1) * image.members);
      else if (name === "ahead.numbers") { this.at[name] = this.at["draws.numbers"]; this.size[name] = this.size["draws.numbers"]; }
      else { this.at[name] = copy(tables[name]); this.size[name] = tables[name].byteLength; }
    }
    this.adopt();
    this.multiply();
    words[(this.state + L.state.key) >> 2] = this.key[0];
    words[((this.state + L.state.key) >> 2) + 1] = this.key[1];
    this.set("free_slots", this.slots - 1);
    this.set("batch_limit", this.batches);
    this.set("events_limit", this.events - this.reserve);
    this.set("marks_limit", L.block - L.reserve);
    this.set("arrivals_limit", L.block - L.reserve);
    this.set("visits_limit", L.block);
    if (this.get("clocks")) {
      const of = (bundle) => L.arguments.filter(([name]) => name.startsWith(bundle));
      this.call("start_clocks", null, [...of("draws."), ...of("ahead."), ...of("resources.")]);
    }
    this.arguments = room(8 * 8 * 64);
  }

  set(name, value) { put(this.state + L.state[name], value); }
  get(name) { return get(this.state + L.state[name]); }

  make(name, size) {
    this.at[name] = room(size);
    this.size[name] = size;
    bytes.fill(0, this.at[name], this.at[name] + size);
  }

  // The slots of tokens, all blank from `first` on.
  makeSlots(name, item, first = 0) {
    const blank = this.image.tables["blank." + name], size = blank.byteLength * this.slots, full = "tokens." + name;
    const before = this.at[full], had = this.size[full] || 0;
    this.at[full] = room(size);
    this.size[full] = size;
    if (!blank.byteLength) return;
    if (first) bytes.copyWithin(this.at[full], before, before + had);
    let done = first * blank.byteLength;
    bytes.set(blank, this.at[full] + done);
    for (done += blank.byteLength; done < size;) {       // in doubling steps
      const from = first * blank.byteLength, more = Math.min(done - from, size - done);
      bytes.copyWithin(this.at[full] + done, this.at[full] + from, this.at[full] + from + more);
      done += more;
    }
  }

  grow(name) {
    const before = this.at[name], had = this.size[name];
    this.make(name, 2 * had);
    bytes.copyWithin(this.at[name], before, before + had);
  }

  // Who has which flags in this replication: members follow in an order that is drawn.
  adopt() {
    const rows = this.image.tables.adoptions, members = this.image.members, size = L.itemsize.adoption;
    if (!rows.byteLength || !members) return;
    const of = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
    const streams = new Uint32Array(this.image.tables.adoption_streams.slice().buffer);
    const shares = new Float64Array(this.image.tables.adoption_shares.slice().buffer);
    const volume = new Float64Array(this.image.tables.member_shares.slice().buffer);
    const flags = Array(members).fill(0n);
    for (let row = 0; row * size < rows.byteLength; row++) {
      const field = (name) => Number(of.getBigInt64(row * size + L.adoption[name], true));
      if (field("by") === L.byToken) continue;
      const drawn = [];
      for (let member = 0; member < members; member++) {
        const found = this.call("uniform", [this.key, [streams[2 * row], streams[2 * row + 1]], member, 0, 0]);
        drawn.push(new Float64Array(new Uint32Array(found).buffer)[0]);
      }
      const order = drawn.map((_, member) => member).sort((a, b) => drawn[a] - drawn[b] || a - b);
      let begun = 0;
      for (const member of order) {
        const weight = field("by") === L.byMembers ? 1 / members : volume[member];
        if (begun + weight / 2 <= shares[row]) {
          bytes[this.at["arrivals.raised"] + row * members + member] = 1;
          if (field("source") < 0) flags[member] |= 1n << BigInt(field("flag"));
        }
        begun += weight;
      }
    }
    const place = this.at["arrivals.member_flags"];
    flags.forEach((own, member) => {
      words[(place >> 2) + 2 * member] = Number(own & 0xffffffffn);
      words[(place >> 2) + 2 * member + 1] = Number((own >> 32n) & 0xffffffffn);
    });
  }

  // Rates as they are in this replication, where random factors multiply them: behind those of the plan.
  multiply() {
    const factors = this.image.tables.factors, size = L.itemsize.factor;
    if (!factors.byteLength) return;
    const of = new DataView(factors.buffer, factors.byteOffset, factors.byteLength);
    const streams = new Uint32Array(this.image.tables.factor_streams.slice().buffer);
    const field = (row, name) => Number(of.getBigInt64(row * size + L.factor[name], true));
    const horizon = this.image.window[2], draws = Math.ceil(horizon / DAY);
    const all = Array.from(new Float64Array(this.image.tables["arrivals.rates"].slice().buffer));
    const bySource = new Map();
    for (let row = 0; row * size < factors.byteLength; row++) {
      const source = field(row, "source");
      bySource.set(source, [...(bySource.get(source) || []), row]);
    }
    for (const source of [...bySource.keys()].sort((one, other) => one - other)) {
      const own = this.at["arrivals.sources"] + source * L.itemsize.source;
      const first = get(own + L.source.first), count = get(own + L.source.count), begins = [], written = [];
      for (let row = first; row < first + count; row++) {
        if (all[3 * row] < horizon) { begins.push(all[3 * row]); written.push(all[3 * row + 1]); }
      }
      const rows = bySource.get(source), daily = rows.some((row) => field(row, "each"));
      const days = daily ? Array.from({ length: draws }, (_, day) => day * DAY) : [];
      const times = [...new Set([...begins, ...days])].sort((one, other) => one - other);
      let at = 0;
      const rates = times.map((time) => {
        while (at + 1 < begins.length && begins[at + 1] <= time) at++;
        return written[at];
      });
      for (const row of rows) {
        const each = field(row, "each"), stream = [streams[2 * row], streams[2 * row + 1]];
        const drawn = Array.from({ length: each ? draws : 1 }, (_, day) => this.quantile(field(row, "distribution"),
          this.call("uniform", [this.key, stream, day, 0, 0])));
        times.forEach((time, place) => { rates[place] *= drawn[Math.floor(time / DAY) * each]; });
      }
      put(own + L.source.first, all.length / 3);
      put(own + L.source.count, times.length);
      let expected = 0;
      times.forEach((time, place) => {
        if (place) expected += (time - times[place - 1]) * rates[place - 1];
        all.push(time, rates[place], expected);
      });
    }
    const table = new Uint8Array(Float64Array.from(all).buffer);
    this.at["arrivals.rates"] = copy(table);
    this.size["arrivals.rates"] = table.byteLength;
  }

  // The quantile of a law at a uniform number, which is two words.
  quantile(row, uniform) {
    const place = room(8 * 32), arrays = L.arguments.filter(([name]) => name === "draws.distributions" || name === "draws.numbers");
    this.describe(arrays, place);
    put(place + 8 * 16, row);
    words[(place >> 2) + 34] = uniform[0];
    words[(place >> 2) + 35] = uniform[1];
    exported.quantile(place, this.result);
    return new Float64Array(Uint32Array.of(words[this.result >> 2], words[(this.result >> 2) + 1]).buffer)[0];
  }

  // Call a function of the module; numbers that do not fit into 53 bits are pairs of words.
  call(name, given, arrays = null) {
    let place = this.words;
    if (arrays) {
      place = room(8 * 8 * (arrays.length + 1));
      put(place, this.state);
      this.describe(arrays, place + 8);
    } else {
      given.forEach((value, at) => {
        if (Array.isArray(value)) { words[(place >> 2) + 2 * at] = value[0]; words[(place >> 2) + 2 * at + 1] = value[1]; }
        else put(place + 8 * at, value);
      });
    }
    exported[name](place, this.result);
    return [words[this.result >> 2], words[(this.result >> 2) + 1]];
  }

  // Write what numba passes for arrays: seven words each, and a count and a stride for each further dimension.
  describe(arrays, place) {
    for (const [name, item, columns] of arrays) {
      const count = Math.floor(this.size[name] / item);
      const own = columns > 1
        ? [0, 0, count, item, this.at[name], count / columns, columns, columns * item, item]
        : [0, 0, count, item, this.at[name], count, item];
      for (const value of own) { put(place, value); place += 8; }
    }
  }

  // Go on for some events; return why the kernel has come back.
  advance() {
    this.set("budget", SLICE);
    put(this.arguments, this.state);
    this.describe(L.arguments, this.arguments + 8);
    exported.run(this.arguments, this.result);
    return get(this.result);
  }

  // Do what the kernel asks for; return false where it is done.
  answer(reason, fold) {
    const why = L.reasons;
    if (reason === why.done) return false;
    if (reason === why.full) this.flush(fold);
    else if (reason === why.slots) {
      const had = this.slots;
      this.slots *= 2;
      if (this.slots > 1 << 20) throw new Error("too large");
      for (const [name, item] of L.arguments) if (name.startsWith("tokens.")) this.makeSlots(name.slice(7), item, had);
      this.set("free_slots", this.get("free_slots") + had);
    } else if (reason === why.events) {
      this.set("events_limit", this.get("events_limit") + this.events);
      this.events *= 2;
      this.grow("events");
    } else if (reason === why.batches) {
      this.batches *= 2;
      this.set("batch_limit", this.batches);
      this.grow("batches.batches");
    } else if (reason !== why.yield) throw new Error("cannot go on");
    return true;
  }

  flush(fold) {
    const visits = this.get("visits"), marks = this.get("marks");
    for (const name of ["visits", "marks", "arrivals"]) this.set(name, 0);
    fold.marks(this.at["output.marks"], marks);
    fold.visits(this.at["output.visits"], visits);
    if (this.get("visits_limit") < this.rows / 2) {      // each interrupted token keeps a row for when it goes on
      this.set("visits_limit", this.get("visits_limit") + this.rows);
      this.rows *= 2;
      this.make("output.visits", this.rows * L.itemsize.row);
    }
  }

  // The open rows of whoever is still inside.
  close(fold) {
    this.flush(fold);
    this.checkDeadlock();
    const T = L.token, V = L.visit, P = L.program, size = L.itemsize, int = new Int32Array(memory.buffer);
    const open = this.get("open_visits"), last = this.get("fresh_slot"), interruptible = this.get("interruptible");
    const narrow = new Int8Array(memory.buffer);
    for (let slot = 1; slot < last; slot++) {
      const token = this.at["tokens.tokens"] + slot * size.tokens;
      if ((words[(token + T.number + 4) >> 2] | 0) < 0) continue;
      const low = words[(token + T.number) >> 2], source = words[(token + T.number + 4) >> 2];
      const step = (row) => int[(this.at["flow.program"] + row * size.program + P.step) >> 2];
      for (let each = 0; each < open; each++) {
        const visit = this.at["tokens.visits"] + (slot * open + each) * size.visit;
        const queued = get(visit + V.queued);
        if (queued !== L.empty) fold.visit(step(int[(visit + V.row) >> 2]), source, low, queued, get(visit + V.started), NEVER);
      }
      const delay = int[(token + T.delay_step) >> 2];
      if (delay >= 0) fold.visit(delay, source, low, get(token + T.delay_queued), get(token + T.delay_started), NEVER);
      if (interruptible && narrow[token + T.state] === L.interrupted) {
        const row = this.at["flow.program"] + (int[(token + T.pc) >> 2] - 1) * size.program;
        const stopped = get(this.at["tokens.works"] + slot * size.work + L.work.stopped);
        fold.visit(int[(row + P.delay_interrupted) >> 2], source, low, stopped, NEVER, NEVER);
      }
      const arrived = get(token + T.arrived);
      fold.visit(int[(token + T.leave_step) >> 2], source, low, arrived, arrived, NEVER);
    }
  }

  // Tokens that wait for each other for ever, as engine/inside.py finds them; whoever waits in a batch or for one of
  // several units is taken to go on.
  checkDeadlock() {
    const T = L.token, V = L.visit, P = L.program, size = L.itemsize, open = this.get("open_visits"), last = this.get("fresh_slot");
    const int = new Int32Array(memory.buffer), narrow = new Int8Array(memory.buffer);
    const most = new Float64Array(new BigInt64Array(this.image.tables.most_units.slice().buffer).length);
    new BigInt64Array(this.image.tables.most_units.slice().buffer).forEach((units, each) => { most[each] = Number(units); });
    const needs = (row, kept = 0) => {
      const at = this.at["flow.program"] + row * size.program, first = int[(at + P.seize_first_need) >> 2];
      return Array.from({ length: int[(at + P.seize_needs) >> 2] }, (_, each) => this.at["flow.needs"] + 16 * (first + each))
        .filter((_, each) => !(kept >> each & 1)).map((place) => [get(place), get(place + 8)]);
    };
    const isSeize = (row) => int[(this.at["flow.program"] + row * size.program + P.op) >> 2] === L.seize;
    let waiting = [];
    for (let slot = 1; slot < last; slot++) {
      const token = this.at["tokens.tokens"] + slot * size.tokens, state = narrow[token + T.state];
      if ((words[(token + T.number + 4) >> 2] | 0) < 0) continue;
      const row = int[(token + T.queue_row) >> 2], asks = state === L.queued && !narrow[token + T.gives_up];
      if (!(asks || state === L.interrupted || state === L.joining)) continue;
      if (state !== L.joining && !isSeize(row)) continue;
      const held = [];
      for (let each = 0; each < open; each++) {
        const visit = this.at["tokens.visits"] + (slot * open + each) * size.visit, began = int[(visit + V.row) >> 2];
        if (get(visit + V.queued) === L.empty || get(visit + V.started) === NEVER || !isSeize(began)) continue;
        if (state === L.interrupted && each === int[(this.at["flow.program"] + row * size.program + P.seize_slot) >> 2]) continue;
        held.push(...needs(began, int[(visit + V.kept) >> 2]));
      }
      waiting.push({
        slot, held, asked: state === L.joining ? null : needs(row), joins: int[(token + T.joins) >> 2],
        parent: int[(token + T.parent) >> 2], group: int[(token + T.group) >> 2],
      });
    }
    for (let before = -1; before !== waiting.length;) {
      before = waiting.length;
      const stuck = most.map(() => 0), awaited = new Set();
      for (const own of waiting) {
        for (const [resource, units] of own.held) stuck[resource] += units;
        if (own.parent) awaited.add(`${own.parent} ${own.group}`);
      }
      waiting = waiting.filter((own) => (own.asked
        ? own.asked.some(([resource, units]) => units + stuck[resource] > most[resource])
        : awaited.has(`${own.slot} ${own.joins}`)));
    }
    if (waiting.length) throw new Error("tokens wait for each other");
  }

  resource(row, field) { return get(this.at["resources.states"] + row * L.itemsize.resource + L.resource[field]); }
}

// --- from records to numbers

class Growing {
  constructor() { this.own = new Float64Array(1024); this.length = 0; }
  set(place, value) {
    if (place >= this.own.length) {
      const more = new Float64Array(Math.max(2 * this.own.length, place + 1));
      more.set(this.own);
      this.own = more;
    }
    if (place >= this.length) this.length = place + 1;
    this.own[place] = value;
  }
  push(value) { this.set(this.length, value); }
  get(place) { return place < this.length ? this.own[place] : 0; }
  sorted() { return this.own.slice(0, this.length).sort(); }
}

class Fold {
  constructor(image, trace) {
    const { asked } = image;
    this.image = image; this.asked = asked;
    [this.begin, this.end, this.horizon] = image.window;
    this.arrived = Array.from({ length: image.sources }, () => new Growing());
    this.reached = Array.from({ length: image.sources }, () => Array.from({ length: asked.milestones }, () => new Growing()));
    this.first = Array(image.sources).fill(Infinity);
    this.after = Array(image.sources).fill(Infinity);
    this.bits = new Map();
    this.open = new Map();
    this.passages = asked.directions.map(() => ({ begun: new Growing(), passed: new Growing(), who: new Growing() }));
    this.lanes = asked.directions.map(() => ({
      started: 0, wait: 0, service: 0, open: 0, still: [], waits: new Growing(), day: new Float64Array(24),
    }));
    this.trace = trace;
    this.traced = [];
    const hours = this.hours = new Float64Array(24);
    spread(hours, this.begin, this.end);
    for (let hour = 0; hour < 24; hour++) hours[hour] /= HOUR;
  }

  measured(source, ordinal) { return this.first[source] <= ordinal && ordinal < this.after[source]; }

  marks(place, count) {
    const table = this.asked.marks, sources = (1 << L.sourceBits) - 1;
    for (let at = place >> 2, stop = at + 4 * count; at < stop; at += 4) {
      const high = words[at + 1], row = (high >>> L.sourceBits) * 5;
      const arrives = table[row], milestone = table[row + 1], gate = table[row + 2];
      if (!arrives && milestone < 0 && gate < 0) continue;
      const source = high & sources, ordinal = words[at] >>> 6, child = words[at] & 63;
      const time = words[at + 2] + (words[at + 3] | 0) * HIGH;
      if (arrives) {
        this.arrived[source].set(ordinal, time);
        if (this.first[source] === Infinity && time >= this.begin) this.first[source] = ordinal;
        if (this.after[source] === Infinity && time >= this.end) this.after[source] = ordinal;
      }
      if (milestone >= 0) {
        const cells = this.reached[source][milestone], span = time - this.arrived[source].get(ordinal) + 1;
        if (span > cells.get(ordinal)) cells.set(ordinal, span);
        if (child) {
          const number = source * HIGH + words[at];
          this.bits.set(number, (this.bits.get(number) || 0) | (1 << milestone));
        }
      }
      if (gate >= 0 && this.measured(source, ordinal)) {
        const own = this.passages[table[row + 4]], key = (source * HIGH + words[at]) * 64 + gate;
        if (table[row + 3] === 0) {
          this.open.set(key, own.begun.length);
          own.begun.push(time);
          own.passed.push(NEVER);
          own.who.push(source * HIGH + words[at]);
        } else {
          const passage = this.open.get(key);
          if (passage !== undefined) own.passed.set(passage, time);
        }
      }
    }
  }

  visits(place, count) {
    const table = this.asked.steps, traced = this.trace, sources = (1 << L.sourceBits) - 1;
    for (let at = place >> 2, stop = at + 8 * count; at < stop; at += 8) {
      const high = words[at + 1], step = high >>> L.sourceBits;
      if (table[4 * step + 2] >= 0 || traced) {
        this.visit(step, high & sources, words[at], words[at + 2] + (words[at + 3] | 0) * HIGH,
          words[at + 4] + (words[at + 5] | 0) * HIGH, words[at + 6] + (words[at + 7] | 0) * HIGH);
      }
    }
  }

  visit(step, source, low, queued, started, ended) {
    const ordinal = low >>> 6, table = this.asked.steps;
    if (this.trace && !table[4 * step] && this.trace.source === source && this.trace.ordinal === ordinal) {
      this.traced.push([step, low & 63, queued, started, ended]);
    }
    if (ended === NEVER && table[4 * step] && (low & 63) && table[4 * step + 1]) this.takeBack(step, source, low);
    for (let at = 4 * step + 2; at < 4 * step + 4 && table[at] >= 0; at++) {
      this.lane(this.lanes[table[at]], this.measured(source, ordinal), queued, started, ended);
    }
  }

  lane(own, measured, queued, started, ended) {
    const { begin, end } = this, begun = started !== NEVER, over = ended !== NEVER;
    const clip = (time) => Math.min(Math.max(time, begin), end);
    const gone = clip(over ? ended : this.horizon);
    spread(own.day, clip(queued), begun ? clip(started) : gone);
    if (!measured) return;
    if (begun) {
      own.started++;
      own.wait += started - queued;
      if (started > queued) own.waits.push(started - queued);
      if (over) own.service += ended - started; else own.open++;
    } else if (!over) own.still.push(queued);
  }

  // What a child who is inside has yet to reach, its consignment has not reached.
  takeBack(step, source, low) {
    const missing = this.asked.steps[4 * step + 1] & ~(this.bits.get(source * HIGH + low) || 0);
    for (let milestone = 0; milestone < this.asked.milestones; milestone++) {
      if (missing >> milestone & 1 && this.reached[source][milestone].get(low >>> 6)) {
        this.reached[source][milestone].set(low >>> 6, 0);
      }
    }
  }

  // Times between two marks of the measured consignments: ended ones, and for how long the others were followed.
  times(kpi) {
    const spans = new Growing(), followed = [];
    let slowest = null;
    for (const source of kpi.sources) {
      const arrived = this.arrived[source], stop = Math.min(this.after[source], arrived.length);
      const to = this.reached[source][kpi.to], from = kpi.from < 0 ? null : this.reached[source][kpi.from];
      for (let ordinal = Math.min(this.first[source], stop); ordinal < stop; ordinal++) {
        const begun = from ? from.get(ordinal) : 1, ended = to.get(ordinal);
        if (begun > 0 && ended > 0) {
          const span = Math.max(ended - begun, 0);
          spans.push(span);
          if (!slowest || span > slowest.span) slowest = { source, ordinal, span };
        } else if (begun > 0) followed.push(this.horizon - arrived.get(ordinal) - (begun - 1));
      }
    }
    return { spans, followed, slowest };
  }

  passing(lane) {
    const own = this.passages[lane], spans = new Growing(), followed = [];
    let slowest = null;
    for (let each = 0; each < own.begun.length; each++) {
      const begun = own.begun.own[each], passed = own.passed.own[each];
      if (passed === NEVER) followed.push(this.horizon - begun);
      else {
        const span = Math.max(passed - begun, 0), who = own.who.own[each];
        spans.push(span);
        if (!slowest || span > slowest.span) {
          slowest = { source: Math.floor(who / HIGH), ordinal: (who % HIGH) >>> 6, span };
        }
      }
    }
    return { spans, followed, slowest };
  }

  // The values of all KPIs, nan where they are undefined or withheld, and then the share that is missing.
  numbers(run) {
    const values = [], withheld = [], shapes = {}, slowest = {}, days = (this.end - this.begin) / DAY, known = new Map();
    for (const kpi of this.asked.kpis) {
      let found = [NaN, 0];
      if (kpi.kind === "time" || kpi.kind === "pass") {
        const key = kpi.kind === "pass" ? `pass ${kpi.lane}` : `${kpi.sources} ${kpi.from} ${kpi.to}`;
        if (!known.has(key)) {
          const own = kpi.kind === "pass" ? this.passing(kpi.lane) : this.times(kpi);
          known.set(key, { ...own, sorted: own.spans.sorted() });
        }
        const own = known.get(key);
        found = told(kpi, own.sorted, 0, own.followed);
        if (!(kpi.shape in shapes)) shapes[kpi.shape] = bins(own.sorted);
        if (own.slowest) slowest[kpi.shape] = own.slowest;
      } else if (kpi.kind === "wait") {
        const own = this.lanes[kpi.lane];
        if (kpi.statistic === "mean") found = mean(own.wait, own.started, own.still.length, kpi.unit_ms);
        else {
          const sorted = own.waits.sorted(), followed = own.still.map((queued) => this.horizon - queued);
          if (own.started + followed.length) found = told(kpi, sorted, own.started - sorted.length, followed);
        }
      } else if (kpi.kind === "service") {
        const own = this.lanes[kpi.lane];
        found = mean(own.service, own.started - own.open, own.open + own.still.length, kpi.unit_ms);
      } else if (kpi.kind === "utilisation") {
        const opened = run.resource(kpi.rows[0], "open");
        found = [opened ? run.resource(kpi.rows[0], "busy") / opened : NaN, 0];
      } else if (kpi.kind === "hours") {
        found = [kpi.rows.reduce((sum, row) => sum + run.resource(row, kpi.of), 0) / HOUR / days, 0];
      }
      values.push(found[0]);
      withheld.push(found[1]);
    }
    const queue = this.lanes.map((own) => Array.from(own.day, (spent, hour) => spent / HOUR / this.hours[hour]));
    return { values, withheld, queue, shapes, slowest };
  }
}

// Add the time from `start` to `stop` to the hours of the day in which it lies.
function spread(day, start, stop) {
  while (start < stop) {
    const until = Math.min((Math.floor(start / HOUR) + 1) * HOUR, stop);
    day[Math.floor(start / HOUR) % 24] += until - start;
    start = until;
  }
}

const given = (value, unknown, count) => (unknown > MOST_MISSING * count ? [NaN, unknown / count] : [value, 0]);
const mean = (total, ended, missing, unit) => given(ended ? total / ended / unit : NaN, missing, ended + missing);

function told(kpi, sorted, zeros, followed) {
  if (kpi.statistic === "mean") {
    let total = 0;
    for (const span of sorted) total += span;
    return mean(total, zeros + sorted.length, followed.length, kpi.unit_ms);
  }
  const count = zeros + sorted.length + followed.length;
  const value = typeSeven(sorted, zeros, count, kpi.q);
  if (!followed.length) return [value / kpi.unit_ms, 0];
  const least = typeSeven(Float64Array.of(...sorted, ...followed).sort(), zeros, count, kpi.q);
  return value - least <= MOST_MISSING * value ? [value / kpi.unit_ms, 0] : [NaN, followed.length / count];
}

function typeSeven(sorted, zeros, count, q) {
  const place = q * (count - 1), low = Math.trunc(place), high = place > low ? Math.min(low + 1, count - 1) : low;
  const at = (rank) => (rank >= zeros ? sorted[rank - zeros] : 0);
  return count && high < zeros + sorted.length ? at(low) + (place - low) * (at(high) - at(low)) : NaN;
}

function bins(sorted) {
  const counts = Array(BINS).fill(0);
  for (const span of sorted) counts[Math.min(Math.max(Math.floor(8 * Math.log10(Math.max(span, 1) / 60000)) + 1, 0), BINS - 1)]++;
  return counts;
}

// --- what the page asks for

const images = new Map();
const channel = new MessageChannel();
let goOn = null;
channel.port1.onmessage = () => goOn();
const breath = () => new Promise((resolve) => { goOn = resolve; channel.port2.postMessage(0); });

async function replicate({ image, seed, replication, trace, turn }) {
  const run = new Run(image, seed, replication), fold = new Fold(image, trace);
  while (run.answer(run.advance(), fold)) {
    await breath();
    if (turn < wanted) return null;
  }
  run.close(fold);
  return { ...fold.numbers(run), events: run.get("event_count"), traced: fold.traced };
}

let busy = Promise.resolve();
self.onmessage = ({ data }) => {
  if (data.what === "wanted") { wanted = data.turn; return; }
  busy = busy.then(async () => {
    if (data.what === "open") { await open(data.module, data.layout); self.postMessage({ what: "ready" }); return; }
    if (data.image) { images.set(data.key, data.image); if (images.size > 24) images.delete(images.keys().next().value); }
    const about = { what: "done", id: data.id };
    if (data.turn < wanted) { self.postMessage({ ...about, found: null }); return; }
    try {
      self.postMessage({ ...about, found: await replicate({ ...data, image: images.get(data.key) }) });
    } catch (fault) {
      self.postMessage({ ...about, fault: String(fault && fault.message || fault) });
    }
  });
};
