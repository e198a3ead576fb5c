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

  // The time that all have spent at a step within the window, in ms.
  spent(row) { return get(this.at["output.at_step"] + 8 * row); }

  resource(row, field) { return get(this.at["resources.states"] + row * L.itemsize.resource + L.resource[field]); }
}
