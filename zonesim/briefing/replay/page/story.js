// The story of one consignment on both sides, as tables of text.

const DAY = 86400000, HOUR = 3600000, MINUTE = 60000, SECOND = 1000;

function make(tag, text, attributes = {}) {
  const found = document.createElement(tag);
  if (text !== undefined) found.textContent = text;
  for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
  return found;
}

// A duration to the second: the two largest units that are not 0, as `zonesim trace` tells it.
function spanOf(ms, say) {
  if (ms < SECOND) return ms ? say("story.ms", { n: ms }) : say("story.s", { n: 0 });
  const units = [["d", DAY], ["h", HOUR], ["min", MINUTE], ["s", SECOND]];
  let left = Math.round(ms / SECOND) * SECOND;
  const first = units.findIndex(([, size]) => left >= size);
  const parts = [];
  for (const [unit, size] of units.slice(first, first + 2)) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) parts.push(say(`story.${unit}`, { n: count }));
  }
  return parts.join(say.language() === "en" ? " " : "");
}

class Stories {
  constructor(doc, arms, view, say, clock) {
    Object.assign(this, { doc, arms, view, say, clock });
  }

  // Lines of a consignment in an arm in the order of time: arrival, visits, marks, leaving.
  lines(arm, who) {
    const found = [];
    for (const token of arm.byWho.get(who) || []) {
      for (let row = token.first; row < token.end; row++) {
        const step = arm.steps[arm.step[row]];
        if (step.leave) {
          found.push({ time: arm.queued[row], rank: 0, child: token.child, kind: token.kind, word: token.child ? "story.begins" : "story.arrived" });
          if (!arm.never[row]) {
            found.push({ time: arm.ended[row], rank: 4, child: token.child, kind: token.kind, word: token.child ? "story.leaves" : "story.left" });
          }
        } else {
          found.push({ time: arm.queued[row], rank: 2, child: token.child, kind: token.kind, row });
        }
      }
    }
    for (let mark = placeAt(arm.marks.who, who - 1) + 1; arm.marks.who[mark] === who; mark++) {
      const child = arm.marks.child[mark];
      const kin = (arm.byWho.get(who) || []).find((token) => token.child === child);
      const line = { time: arm.marks.time[mark], rank: 1, child, kind: kin ? kin.kind : "", marks: [arm.marks.mark[mark]] };
      const same = found.find((other) => other.marks && other.time === line.time && other.child === child);
      if (same) same.marks.push(...line.marks);
      else found.push(line);
    }
    return found.sort((one, other) => one.time - other.time || one.rank - other.rank || one.child - other.child);
  }

  fill(panel, who, now) {
    const { doc, say, view } = this, language = view.language;
    panel.replaceChildren();
    const entry = doc.consignments.entry[who], flow = doc.consignments.flow[entry];
    const name = view.nameOf({ who, child: 0 });
    panel.append(make("h3", say("story_head", { token: name, flow: doc.flows[flow] ? `${flow} ${doc.flows[flow][language]}` : flow })));
    const sides = make("div", undefined, { class: "sides" });
    this.arms.forEach((arm, number) => sides.append(this.side(arm, number, who, now)));
    panel.append(sides);
  }

  side(arm, number, who, now) {
    const { say, view } = this;
    const side = make("div", undefined, { class: "side" });
    side.append(make("h4", view.armTitle(number)));
    const lines = this.lines(arm, who);
    if (!lines.length) {
      side.append(make("p", say("story_none")));
      return side;
    }
    const own = arm.byWho.get(who).find((token) => token.child === 0);
    const klass = arm.classes[who];
    if (klass && this.doc.classes[klass]) side.append(make("p", say("story_class", { name: this.doc.classes[klass][view.language] })));
    let waited = 0;
    for (const line of lines) if (line.row !== undefined && !arm.steps[arm.step[line.row]].stopped) waited += this.waited(arm, line.row);
    const left = lines.find((line) => line.word === "story.left");
    const from = this.clock(lines[0].time, true);
    side.append(make("p", left
      ? say("story_stay", { from, to: this.clock(left.time, true), stay: spanOf(left.time - lines[0].time, say), waited: spanOf(waited, say) })
      : say("story_inside", { from, waited: spanOf(waited, say) })));
    const drawn = arm.byWho.get(who).some((token) => visitAt(arm, token, now) >= 0);
    if (!drawn) {
      const word = left && now >= left.time ? "gone" : now < own.from ? "not_yet" : "undrawn_now";
      side.append(make("p", say(word), { class: "note" }));
    }
    side.append(this.table(arm, lines, now));
    return side;
  }

  waited(arm, row) {
    return (arm.started[row] === NEVER ? arm.ended[row] : arm.started[row]) - arm.queued[row];
  }

  table(arm, lines, now) {
    const { say, view } = this, language = view.language;
    const table = make("table"), head = make("tr"), body = make("tbody");
    const heads = ["time", "step", "waited", "took", "happened"].map((column) => say(`story.column.${column}`));
    for (const text of heads) head.append(make("th", text, { scope: "col" }));
    const top = make("thead");
    top.append(head);
    for (const line of lines) {
      const row = make("tr");
      const kind = line.child && this.doc.kinds[line.kind] ? `${this.doc.kinds[line.kind][language]} ${line.child}: ` : "";
      const cells = [this.clock(line.time, true), "", "", "", ""];
      if (line.word) {
        cells[1] = kind;
        cells[4] = say(line.word);
      } else if (line.marks) {
        cells[1] = kind;
        cells[4] = [...new Set(line.marks)].map((mark) => arm.markNames[mark][language]).join(language === "zh" ? "；" : "; ");
      } else {
        const step = arm.steps[arm.step[line.row]], wait = this.waited(arm, line.row);
        cells[1] = kind + step[language].split(" › ").slice(-2).join(" › ");
        cells[2] = wait ? spanOf(wait, say) : "";
        if (arm.started[line.row] === NEVER) cells[3] = arm.never[line.row] ? say("story.goes_on") : say("story.gave_up");
        else if (arm.never[line.row]) cells[3] = say("story.goes_on");
        else if (!step.stopped) cells[3] = spanOf(arm.ended[line.row] - arm.started[line.row], say);
        if (arm.waits.has(line.row)) cells[4] = arm.told[language][arm.waits.get(line.row)];
        if (line.time <= now && now < arm.ended[line.row]) {
          row.className = "now";
          cells[0] += ` (${say("story_now")})`;
        }
      }
      cells.forEach((cell, place) => row.append(make("td", cell, cell && [2, 3].includes(place) ? { "data-label": `${heads[place]} ` } : {})));
      body.append(row);
    }
    table.append(top, body);
    const scroll = make("div", undefined, { class: "scroll", tabindex: "0" });
    scroll.append(table);
    return scroll;
  }
}
