// The picture of one arm: counters, roads and steps, laid out for a width, and the tokens on them at a moment.

const INK = "#1a1a1a", PALE = "#5f6670", RULE = "#c9ced6", PANEL = "#f4f6f9", CLOSED = "#e3e6eb", MARKED = "#c40000";
const COLOURS = ["#0072b2", "#d98200", "#009e73", "#cc3311", "#aa4499", "#33a6dd", "#7a5c1e", "#5b4bb0", "#8f9a00"];
const GREY = "#8a8f98";
const FACE = 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans", sans-serif';
const MOST_SLOTS = 400;
const GAP = 8, HEAD = 20, PAD = 8;

function mostUnits(counters) {
  return Math.max(0, ...counters.filter(Boolean).flatMap((each) => each.units.map((pair) => pair[1])));
}

// Boxes for a width in px: the same for both arms, so that they can be compared at a glance.
function laidOut(doc, arms, width) {
  const columns = width < 300 ? 1 : 2;
  const wide = (width - GAP * (columns - 1)) / columns;
  const cards = [];
  let y = 0, zone = -1, column = 0, tall = 0;
  const titles = [];
  doc.counters.forEach((each, place) => {
    if (each.zone !== zone) {
      if (column) y += tall + GAP;
      zone = each.zone;
      column = tall = 0;
      if (doc.zones.length > 1) {
        titles.push({ zone, y: y + 14 });
        y += 22;
      }
    }
    const most = mostUnits(arms.map((arm) => arm.counters[place]));
    const size = most <= 8 ? 20 : most <= 24 ? 14 : most <= 120 ? 10 : 6;
    const pitch = size + (size > 6 ? 2 : 1);
    const across = Math.max(1, Math.floor((wide - 2 * PAD + pitch - size) / pitch));
    const slots = most <= MOST_SLOTS ? most : 0;
    const rows = slots ? Math.ceil(slots / across) : 1;
    const high = HEAD + rows * (slots ? pitch : 14) + 6 + 20 + PAD;
    cards.push({ place, x: column * (wide + GAP), y, wide, high, size, pitch, across, slots });
    tall = Math.max(tall, high);
    column += 1;
    if (column === columns) {
      y += tall + GAP;
      column = tall = 0;
    }
  });
  if (column) y += tall + GAP;
  let top = 0;
  for (const card of cards) {  // cards beside each other are equally tall
    const row = cards.filter((other) => other.y === card.y);
    top = Math.max(...row.map((other) => other.high));
    row.forEach((other) => (other.high = top));
  }
  const roads = doc.roads.map((_, place) => ({ place, y: y + 22 + place * 36, wide: width }));
  const roadsTop = y;
  if (roads.length) y += 22 + roads.length * 36 + 4;
  const groupsTop = y;
  const groups = doc.groups.map((_, place) => ({ place, y: y + 22 + place * 19 }));
  y += 22 + groups.length * 19 + 6;
  return { width, high: y, cards, titles, roads, roadsTop, groups, groupsTop };
}

// Tokens at a moment with where each is: a slot or a place in line at a counter, a part of a road, a line of a step.
function castAt(arm, doc, time, slots) {
  const atCounter = doc.counters.map(() => ({ held: [], line: [] }));
  const onRoad = doc.roads.map(() => []);
  const inGroup = doc.groups.map(() => []);
  for (const token of arm.tokens) {
    const row = visitAt(arm, token, time);
    if (row < 0) continue;
    const step = arm.steps[arm.step[row]];
    if (step.counter >= 0) {
      (inLine(arm, row, time) ? atCounter[step.counter].line : atCounter[step.counter].held).push({ token, row, step });
    } else if (arm.road[row] >= 0) {
      onRoad[arm.road[row]].push({ token, row });
    } else if (step.group !== undefined) {
      inGroup[step.group].push({ token, row });
    }
  }
  atCounter.forEach((own, place) => {
    own.line.sort((one, other) => arm.queued[one.row] - arm.queued[other.row] || one.token.key - other.token.key);
    own.held.sort((one, other) => arm.started[one.row] - arm.started[other.row] || one.token.key - other.token.key);
    const before = slots[place] || new Map();
    const now = new Map();
    const taken = new Set();
    for (const each of own.held) {
      if (before.has(each.token.key)) {
        now.set(each.token.key, before.get(each.token.key));
        taken.add(before.get(each.token.key));
      }
    }
    let free = 0;
    for (const each of own.held) {
      if (now.has(each.token.key)) continue;
      while (taken.has(free)) free += 1;
      now.set(each.token.key, free);
      taken.add(free);
    }
    slots[place] = now;
  });
  return { atCounter, onRoad, inGroup };
}

function fitted(ctx, text, wide) {
  if (ctx.measureText(text).width <= wide) return text;
  let short = text;
  while (short.length > 1 && ctx.measureText(short + "…").width > wide) short = short.slice(0, -1);
  return short + "…";
}

class Painter {
  // `view`: what the page shows (language, colours, who is marked); `say`: words; `places`: where tokens were drawn last.
  constructor(doc, arms, view, say) {
    Object.assign(this, { doc, arms, view, say });
    this.slots = arms.map(() => []);
    this.drawn = arms.map(() => new Map());
  }

  forget() {
    this.slots = this.arms.map(() => []);
    this.drawn = this.arms.map(() => new Map());
  }

  // Draw an arm; `ease` from 0 (stay) to 1 (be there at once). Returns where tokens are, for clicks.
  draw(ctx, number, layout, time, ease) {
    const arm = this.arms[number], cast = castAt(arm, this.doc, time, this.slots[number]);
    const aims = [];
    ctx.clearRect(0, 0, layout.width, layout.high);
    ctx.textBaseline = "middle";
    this.titles(ctx, layout);
    for (const card of layout.cards) this.card(ctx, arm, card, cast.atCounter[card.place], time, aims);
    this.roads(ctx, arm, layout, cast.onRoad, time, aims);
    this.groups(ctx, layout, cast.inGroup, aims);
    const before = this.drawn[number], now = new Map();
    for (const aim of aims) {
      const old = before.get(aim.token.key);
      const x = old && ease < 1 ? old.x + (aim.x - old.x) * ease : aim.x;
      const y = old && ease < 1 ? old.y + (aim.y - old.y) * ease : aim.y;
      now.set(aim.token.key, { x, y, token: aim.token });
    }
    this.drawn[number] = now;
    const marked = [];
    for (const aim of aims) {
      const at = now.get(aim.token.key);
      this.token(ctx, arm, aim.token, at.x, at.y, aim.size);
      if (aim.token.who === this.view.marked) marked.push({ ...at, size: aim.size });
    }
    for (const each of marked) this.ring(ctx, each, layout);
    return now;
  }

  titles(ctx, layout) {
    ctx.fillStyle = INK;
    ctx.textAlign = "left";
    for (const title of layout.titles) {
      ctx.font = `600 14px ${FACE}`;
      ctx.fillText(this.doc.zones[title.zone][this.view.language], 0, title.y);
    }
  }

  card(ctx, arm, card, own, time, aims) {
    const counter = arm.counters[card.place], language = this.view.language;
    const counted = counter && countedAt(counter, time);
    const shut = !counted || counted.units === 0;
    ctx.fillStyle = shut ? CLOSED : PANEL;
    ctx.fillRect(card.x, card.y, card.wide, card.high);
    ctx.font = `12px ${FACE}`;
    ctx.textAlign = "right";
    ctx.fillStyle = counted && counted.queue ? MARKED : PALE;
    const right = !counter ? this.say("not_there") : (shut ? `${this.say("closed")} · ` : "") + this.say("in_line", { n: counted.queue });
    ctx.fillText(right, card.x + card.wide - PAD, card.y + 11);
    const taken = ctx.measureText(right).width;
    ctx.textAlign = "left";
    ctx.font = `600 12px ${FACE}`;
    ctx.fillStyle = INK;
    ctx.fillText(fitted(ctx, this.doc.counters[card.place].label[language], card.wide - 3 * PAD - taken), card.x + PAD, card.y + 11);
    if (!counter) return;
    const slotAt = (slot) => ({
      x: card.x + PAD + (slot % card.across) * card.pitch + card.size / 2,
      y: card.y + HEAD + Math.floor(slot / card.across) * card.pitch + card.size / 2,
    });
    ctx.lineWidth = 1;
    for (let slot = 0; slot < card.slots; slot++) {
      const at = slotAt(slot);
      ctx.strokeStyle = slot < counted.units ? "#8b94a1" : "#dde1e7";
      ctx.strokeRect(at.x - card.size / 2 + 0.5, at.y - card.size / 2 + 0.5, card.size - 1, card.size - 1);
    }
    if (!card.slots) {
      ctx.fillStyle = RULE;
      ctx.fillRect(card.x + PAD, card.y + HEAD, card.wide - 2 * PAD, 10);
      ctx.fillStyle = COLOURS[0];
      ctx.fillRect(card.x + PAD, card.y + HEAD, (card.wide - 2 * PAD) * Math.min(1, counted.used / (counted.units || 1)), 10);
    }
    const slots = this.slots[arm.number][card.place];
    const size = Math.min(9, card.size * (card.size > 6 ? 0.6 : 0.8));
    for (const each of own.held) {
      const slot = slots.get(each.token.key);
      if (slot < card.slots) aims.push({ token: each.token, size, ...slotAt(slot) });
    }
    const y = card.y + card.high - PAD - 8;
    const room = Math.floor((card.wide - 2 * PAD - 26) / 10);
    own.line.slice(0, room).forEach((each, place) => aims.push({ token: each.token, x: card.x + PAD + 5 + place * 10, y, size: 7 }));
    if (own.line.length > room) {
      ctx.font = `11px ${FACE}`;
      ctx.fillStyle = PALE;
      ctx.fillText(this.say("more", { n: own.line.length - room }), card.x + PAD + room * 10 + 2, y);
    }
  }

  heading(ctx, word, y) {
    ctx.font = `600 12px ${FACE}`;
    ctx.fillStyle = INK;
    ctx.textAlign = "left";
    ctx.fillText(this.say(word), 0, y + 9);
  }

  roads(ctx, arm, layout, cast, time, aims) {
    if (!layout.roads.length) return;
    this.heading(ctx, "roads", layout.roadsTop);
    for (const road of layout.roads) {
      const { from, to } = this.doc.roads[road.place], language = this.view.language;
      ctx.font = `11px ${FACE}`;
      ctx.fillStyle = PALE;
      const told = { from: from[language], to: to[language], n: cast[road.place].length };
      const words = this.say(told.from === told.to ? "within" : "on_road", told);
      ctx.fillText(fitted(ctx, words, road.wide), 0, road.y + 5);
      ctx.fillStyle = "#e3e6eb";
      ctx.fillRect(0, road.y + 13, road.wide, 16);
      ctx.strokeStyle = "#aab1bc";
      ctx.setLineDash([6, 6]);
      ctx.beginPath();
      ctx.moveTo(0, road.y + 21);
      ctx.lineTo(road.wide, road.y + 21);
      ctx.stroke();
      ctx.setLineDash([]);
      for (const each of cast[road.place]) {
        const begin = arm.queued[each.row];
        const part = (time - begin) / Math.max(arm.ended[each.row] - begin, 1);
        aims.push({ token: each.token, x: 6 + part * (road.wide - 12), y: road.y + 17 + (each.token.who % 3) * 4, size: 8 });
      }
    }
  }

  groups(ctx, layout, cast, aims) {
    this.heading(ctx, "no_counter", layout.groupsTop);
    const left = Math.min(170, layout.width * 0.42);
    const room = Math.floor((layout.width - left - 34) / 7);
    for (const group of layout.groups) {
      const own = cast[group.place];
      ctx.font = `12px ${FACE}`;
      ctx.textAlign = "left";
      ctx.fillStyle = own.length ? INK : PALE;
      ctx.fillText(fitted(ctx, this.doc.groups[group.place][this.view.language], left - 8), 0, group.y + 9);
      own.slice(0, room).forEach((each, place) => aims.push({ token: each.token, x: left + 4 + place * 7, y: group.y + 9, size: 6 }));
      ctx.textAlign = "right";
      ctx.fillText(String(own.length), layout.width, group.y + 9);
      ctx.textAlign = "left";
    }
  }

  token(ctx, arm, token, x, y, size) {
    ctx.fillStyle = this.view.colourOf(arm, token);
    if (token.kind === "consignment") {
      ctx.beginPath();
      ctx.arc(x, y, size / 2, 0, 7);
      ctx.fill();
    } else if (token.kind === "task") {
      ctx.beginPath();
      ctx.moveTo(x, y - size / 2);
      ctx.lineTo(x + size / 2, y);
      ctx.lineTo(x, y + size / 2);
      ctx.lineTo(x - size / 2, y);
      ctx.fill();
    } else {
      ctx.fillRect(x - size * 0.6, y - size * 0.4, size * 1.2, size * 0.8);
    }
  }

  ring(ctx, at, layout) {
    for (const [colour, wide] of [["#ffffff", 5], [MARKED, 2.5]]) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = wide;
      ctx.beginPath();
      ctx.arc(at.x, at.y, 10, 0, 7);
      ctx.stroke();
    }
    ctx.font = `600 11px ${FACE}`;
    const text = this.view.nameOf(at.token), wide = ctx.measureText(text).width;
    const x = Math.min(Math.max(at.x + 14, 0), layout.width - wide - 6), y = at.y < 30 ? at.y + 20 : at.y - 14;
    ctx.fillStyle = "#ffffff";
    ctx.fillRect(x - 3, y - 8, wide + 6, 16);
    ctx.fillStyle = MARKED;
    ctx.textAlign = "left";
    ctx.fillText(text, x, y);
  }
}
