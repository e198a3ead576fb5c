// From records to numbers.

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
    this.bits = Array.from({ length: image.sources }, () => new Map());     // by source: small numbers are found fast
    this.open = Array.from({ length: image.sources }, () => []);            // by source and gate
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
          const own = this.bits[source];
          own.set(words[at], (own.get(words[at]) || 0) | (1 << milestone));
        }
      }
      if (gate >= 0 && this.measured(source, ordinal)) {
        const own = this.passages[table[row + 4]], open = this.open[source][gate] ||= new Map();
        if (table[row + 3] === 0) {
          open.set(words[at], own.begun.length);
          own.begun.push(time);
          own.passed.push(NEVER);
          own.who.push(source * HIGH + words[at]);
        } else {
          const passage = open.get(words[at]);
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
    const missing = this.asked.steps[4 * step + 1] & ~(this.bits[source].get(low) || 0);
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
      } else if (kpi.kind === "inside") {
        found = [kpi.rows.reduce((sum, row) => sum + run.spent(row), 0) / HOUR / days, 0];
      } else if (kpi.kind === "cost") {
        found = [kpi.rows.reduce((sum, row, each) => sum + run.resource(row, kpi.of) * kpi.rates[each], 0) / HOUR / days, 0];
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
