// The page: the clock, controls and keys, the table of numbers, and frames that are saved.

const SPEEDS = [1, 5, 10, 20, 60];
const byId = (id) => document.getElementById(id);

class Page {
  constructor(doc) {
    this.doc = doc;
    this.arms = doc.arms.map(armOf);
    doc.arms = null;
    this.view = {
      language: document.body.dataset.language, marked: -1, colour: "flow",
      colourOf: (arm, token) => this.colourOf(arm, token), nameOf: (token) => this.nameOf(token), armTitle: (number) => this.armTitle(number),
    };
    this.say = Object.assign((word, values = {}) => this.words(word, values), { language: () => this.view.language });
    this.painter = new Painter(doc, this.arms, this.view, this.say);
    this.stories = new Stories(doc, this.arms, this.view, this.say, (time, day) => this.clock(time, day));
    this.time = doc.day.begin;
    this.speed = 10;
    this.playing = false;
    this.counter = this.busiest();
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.rankFlows();
    this.bind();
    this.layout = laidOut(doc, this.arms, 300);
    this.translate();
    this.resize();
    const worst = this.worstOf();
    this.go(worst ? worst.time : doc.day.begin);
    requestAnimationFrame((now) => this.tick(now));
  }

  // --- words

  words(word, values) {
    let text = this.doc.words[this.view.language][word];
    if (Array.isArray(text)) text = text[values.n === 1 ? 0 : 1];
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  }

  clock(time, withDay) {
    const date = new Date(Date.parse(this.doc.start + "T00:00:00Z") + time);
    const two = (number) => String(number).padStart(2, "0");
    const hour = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
    if (!withDay) return hour;
    const day = this.say(`day.${(date.getUTCDay() + 6) % 7}`);
    return `${day} ${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())} ${hour}`;
  }

  nameOf(token) {
    const own = this.doc.consignments;
    return `${own.entries[own.entry[token.who]]}#${own.ordinal[token.who]}${token.child ? `/${token.child}` : ""}`;
  }

  armTitle(number) {
    const own = this.doc.arm_names[number], language = this.view.language;
    return this.say("arm", { name: own.name[language], title: own.title[language] });
  }

  armShort(number) {
    return this.doc.arm_names[number].name[this.view.language];
  }

  counterTitle(place) {
    const own = this.doc.counters[place], language = this.view.language;
    const zone = this.doc.zones.length > 1 ? `${this.doc.zones[own.zone][language]} · ` : "";
    return zone + own.label[language];
  }

  // --- colours

  rankFlows() {
    const own = this.doc.consignments, counts = new Map();
    for (const entry of own.entry) counts.set(own.flow[entry], (counts.get(own.flow[entry]) || 0) + 1);
    const ranked = [...counts.keys()].sort((one, other) => counts.get(other) - counts.get(one) || (one < other ? -1 : 1));
    this.flowColour = new Map(ranked.slice(0, COLOURS.length).map((flow, place) => [flow, COLOURS[place]]));
    this.otherFlows = ranked.length > COLOURS.length;
    this.classColour = new Map(Object.keys(this.doc.classes).slice(0, COLOURS.length).map((name, place) => [name, COLOURS[place]]));
  }

  colourOf(arm, token) {
    if (this.view.colour === "class") return this.classColour.get(arm.classes[token.who]) || GREY;
    return this.flowColour.get(this.doc.consignments.flow[this.doc.consignments.entry[token.who]]) || GREY;
  }

  legendEntries() {
    const language = this.view.language;
    if (this.view.colour === "class") {
      const named = [...this.classColour].map(([name, colour]) => [colour, this.doc.classes[name][language]]);
      return [...named, [GREY, this.say("no_class")]];
    }
    const named = [...this.flowColour].map(([flow, colour]) => [colour, `${flow} ${this.doc.flows[flow] ? this.doc.flows[flow][language] : ""}`]);
    return this.otherFlows ? [...named, [GREY, this.say("other_flows")]] : named;
  }

  // --- what stands still until the language changes

  translate() {
    const { doc, say, view } = this, language = view.language;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.title = `${doc.scenario[language]} - ${say("title")}`;
    byId("title").textContent = `${doc.scenario[language]}: ${say("title")}`;
    const told = { weekday: say(`day.${doc.day.weekday}`), date: doc.day.date, number: doc.day.number, of: doc.day.of, replication: doc.replication, seed: doc.seed, run: doc.run };
    byId("facts").textContent = say("facts", told) + (doc.given.length ? ` ${say("given", { what: doc.given.join(language === "zh" ? "；" : "; ") })}` : "") + (doc.synthetic ? ` ${say("synthetic")}` : "");
    byId("luck").textContent = say("same_luck");
    byId("grows").textContent = this.arms.map((arm, number) => this.grown(arm, number)).join(" ");
    for (const each of document.querySelectorAll("[data-word]")) each.textContent = say(each.dataset.word);
    byId("language").textContent = say("language");
    byId("language").lang = language === "zh" ? "en" : "zh-CN";
    const example = this.nameOf({ who: 0, child: 0 });
    byId("find_label").textContent = say("find", { example });
    this.choices("speed", SPEEDS.map((n) => [n, say("speed_is", { n })]), this.speed);
    this.choices("colour", ["flow", "class"].map((name) => [name, say(`colour_${name}`)]), view.colour);
    this.choices("curve_of", doc.counters.map((_, place) => [place, this.counterTitle(place)]), this.counter);
    this.arms.forEach((_, number) => {
      byId(`arm${number}`).textContent = this.armTitle(number);
      byId(`stage${number}`).setAttribute("aria-label", say("stage_label", { arm: this.armTitle(number) }));
    });
    byId("numbers_note").textContent = say("numbers_note", { time: this.clock(doc.day.begin) });
    const what = ["scheme", "once", "parents", "units", "day"].map((word) => say(`what.${word}`));
    if (this.layout && this.layout.cards.some((card) => !card.slots)) what.splice(2, 0, say("what.many"));
    const untold = this.arms.reduce((sum, arm) => sum + arm.told.untold, 0);
    if (untold) what.push(say("what.waits", { n: untold }));
    if (doc.more_roads) what.push(say("what.roads", { n: doc.more_roads }));
    byId("what").replaceChildren(...what.map((text) => make("li", text)));
    byId("command").textContent = doc.command;
    byId("numbers_box").setAttribute("aria-label", say("numbers"));
    byId("told").textContent = "";
    this.legend();
    this.table();
    this.label();
  }

  // What is to be said where lines grow as long as the run lasts.
  grown(arm, number) {
    const places = this.doc.counters.map((_, place) => place).filter((place) => arm.counters[place] && arm.counters[place].grows);
    const counters = places.map((place) => this.counterTitle(place)).join(this.view.language === "zh" ? "、" : ", ");
    return counters && this.say("grows", { arm: this.armShort(number), counters });
  }

  choices(id, options, chosen) {
    byId(id).replaceChildren(...options.map(([value, text]) => make("option", text, { value })));
    byId(id).value = String(chosen);
  }

  legend() {
    const found = this.legendEntries().map(([colour, text]) => {
      const entry = make("span"), sample = make("i");
      sample.style.background = colour;
      entry.append(sample, document.createTextNode(text));
      return entry;
    });
    const shapes = ["truck", "consignment", "task"].filter((kind) => kind in this.doc.kinds || kind === "truck").map((kind) => make("span", this.say(`shape_${kind}`)));
    byId("legend").replaceChildren(...found, ...shapes);
  }

  table() {
    const { say } = this, head = make("tr");
    for (const column of ["counter", "arm", "queue", "used", "mean", "worst"]) {
      head.append(make("th", say(`column.${column}`), { scope: "col", class: ["counter", "arm"].includes(column) ? "" : "number" }));
    }
    const table = byId("numbers");
    table.tHead.replaceChildren(head);
    for (const body of [...table.tBodies]) body.remove();
    this.cells = this.doc.counters.map((_, place) => {
      const body = make("tbody");
      const rows = this.arms.map((arm, number) => {
        const row = make("tr");
        if (!number) row.append(make("th", this.counterTitle(place), { scope: "rowgroup", rowspan: "2" }));
        row.append(make("td", this.armShort(number)));
        const cells = ["queue", "used", "mean"].map(() => make("td", "", { class: "number" }));
        const last = make("td", undefined, { class: "number" }), worst = arm.counters[place] && arm.counters[place].worst;
        if (worst) {
          const jump = make("button", this.clock(worst[0]), { type: "button", class: "link" });
          jump.setAttribute("aria-label", say("worst_is", { arm: this.armShort(number), counter: this.counterTitle(place), time: this.clock(worst[0]) }));
          jump.addEventListener("click", () => this.go(worst[0]));
          last.append(jump);
        } else {
          last.textContent = say("none");
        }
        row.append(...cells, last);
        body.append(row);
        return cells;
      });
      table.append(body);
      return rows;
    });
    this.count();
  }

  // --- what changes with the clock

  count() {
    this.cells.forEach((rows, place) => rows.forEach((cells, number) => {
      const counter = this.arms[number].counters[place];
      if (!counter) {
        cells.forEach((cell) => (cell.textContent = this.say("not_there")));
        return;
      }
      const own = countedAt(counter, this.time);
      cells[0].textContent = String(own.queue);
      cells[1].textContent = own.units ? this.say("used_of", own) : own.used ? `${this.say("used_of", own)} (${this.say("closed")})` : this.say("closed");
      cells[2].textContent = own.served ? spanOf(own.waited / own.served < SECOND ? Math.round(own.waited / own.served) : own.waited / own.served, this.say) : this.say("none");
    }));
  }

  label() {
    byId("clock").textContent = this.clock(this.time, true).split(" ").filter((_, part) => part !== 1).join(" ");
    byId("play").textContent = this.say(this.playing ? "pause" : "play");
    byId("slide").value = String(this.time);
    byId("slide").setAttribute("aria-valuetext", this.clock(this.time, true));
  }

  paint(ease) {
    this.arms.forEach((_, number) => this.painter.draw(this.contexts[number], number, this.layout, this.time, ease));
    this.curve();
  }

  curve() {
    const canvas = byId("curve"), ctx = this.curveContext, wide = canvas.clientWidth, high = 90;
    const { begin, end } = this.doc.day, own = this.arms.map((arm) => arm.counters[this.counter]);
    const most = Math.max(1, ...own.filter(Boolean).map((each) => Math.max(...each.queue)));
    const x = (time) => 30 + (wide - 38) * (time - begin) / (end - begin), y = (queue) => 64 - 44 * queue / most;
    ctx.clearRect(0, 0, wide, high);
    ctx.font = `11px ${FACE}`;
    ctx.fillStyle = PALE;
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    ctx.fillText(String(most), 26, y(most));
    ctx.fillText("0", 26, y(0));
    ctx.textAlign = "center";
    const apart = wide < 500 ? 6 : 3;
    for (let time = Math.ceil(begin / HOUR) * HOUR; time <= end; time += HOUR) {
      if ((time / HOUR) % apart === 0) ctx.fillText(time % DAY || time === begin ? this.clock(time) : "24:00", Math.min(x(time), wide - 16), 78);
    }
    own.forEach((each, number) => {
      if (!each) return;
      ctx.strokeStyle = COLOURS[number];
      ctx.lineWidth = 1.5;
      ctx.setLineDash(number ? [4, 2] : []);
      ctx.beginPath();
      each.time.forEach((time, row) => {
        if (row) ctx.lineTo(x(time), y(each.queue[row - 1]));
        ctx.lineTo(x(time), y(each.queue[row]));
      });
      ctx.lineTo(x(end), y(each.queue[each.queue.length - 1]));
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.textAlign = "left";
      ctx.fillStyle = COLOURS[number];
      ctx.fillText(`${number ? "- -" : "—"} ${this.armShort(number)}`, 36 + number * 90, 8);
    });
    ctx.strokeStyle = MARKED;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x(this.time), 4);
    ctx.lineTo(x(this.time), 66);
    ctx.stroke();
  }

  describeCurve() {
    const most = this.arms.map((arm) => (arm.counters[this.counter] ? Math.max(...arm.counters[this.counter].queue) : this.say("none")));
    byId("curve").setAttribute("aria-label", this.say("curve_label", { counter: this.counterTitle(this.counter), first: this.armShort(0), second: this.armShort(1), a: most[0], b: most[1] }));
  }

  // Go to a moment at once.
  go(time) {
    this.time = Math.min(Math.max(time, this.doc.day.begin), this.doc.day.end - 1);
    this.painter.forget();
    this.paint(1);
    this.count();
    this.label();
    if (this.view.marked >= 0) this.stories.fill(byId("story_text"), this.view.marked, this.time);
  }

  tick(now) {
    const passed = this.before === undefined ? 0 : Math.min((now - this.before) / 1000, 0.25);
    this.before = now;
    if (this.playing) {
      if (this.calm.matches) {  // no gliding: the picture changes once a second
        this.waiting = (this.waiting || 0) + passed;
        if (this.waiting >= 1) {
          this.waiting = 0;
          this.advance(this.speed * MINUTE, 1);
        }
      } else {
        this.advance(passed * this.speed * MINUTE, 1 - Math.exp(-passed * 14));
      }
    }
    requestAnimationFrame((next) => this.tick(next));
  }

  advance(ms, ease) {
    this.time = Math.min(this.time + ms, this.doc.day.end - 1);
    if (this.time >= this.doc.day.end - 1) this.setPlaying(false);
    this.paint(ease);
    this.label();
    this.frames = (this.frames || 0) + 1;
    if (this.frames % 15 === 0 || !this.playing) this.count();
  }

  setPlaying(playing) {
    if (playing && this.time >= this.doc.day.end - MINUTE) this.go(this.doc.day.begin);
    this.playing = playing;
    this.label();
    if (!playing) {
      this.count();
      this.paint(1);
      if (this.view.marked >= 0) this.stories.fill(byId("story_text"), this.view.marked, this.time);
    }
  }

  // --- places worth seeing

  busiest() {
    const waits = this.doc.counters.map((each, place) => ({
      place, lane: each.role === "lane",
      most: Math.max(...this.arms.map((arm) => (arm.counters[place] && arm.counters[place].worst ? arm.counters[place].worst[1] : 0))),
    }));
    const lanes = waits.filter((each) => each.lane && each.most);
    return (lanes.length ? lanes : waits).reduce((one, other) => (other.most > one.most ? other : one)).place;
  }

  // The hour of most waiting at the counter of the curve, in the arm where that is worse.
  worstOf() {
    const found = this.arms.map((arm, number) => ({ number, worst: arm.counters[this.counter] && arm.counters[this.counter].worst })).filter((each) => each.worst);
    if (!found.length) return null;
    const worst = found.reduce((one, other) => (other.worst[1] > one.worst[1] ? other : one));
    return { time: worst.worst[0], number: worst.number };
  }

  goWorst() {
    const found = this.worstOf();
    if (!found) return this.tell(this.say("worst_none"));
    this.setPlaying(false);
    this.go(found.time);
    return this.tell(this.say("worst_is", { arm: this.armShort(found.number), counter: this.counterTitle(this.counter), time: this.clock(found.time) }));
  }

  goLongest() {
    let found = null;
    for (const arm of this.arms) {
      for (const token of arm.tokens) {
        const row = visitAt(arm, token, this.time);
        if (row < 0 || arm.steps[arm.step[row]].counter < 0 || !inLine(arm, row, this.time)) continue;
        if (!found || arm.queued[row] < found.since) found = { since: arm.queued[row], who: token.who };
      }
      if (found) break;
    }
    if (found) this.choose(found.who);
    else this.tell(this.say("longest_none"));
  }

  tell(text) {
    byId("told").textContent = text;
  }

  describe() {
    const told = this.arms.map((arm, number) => this.say("moment", {
      arm: this.armShort(number), time: this.clock(this.time, true),
      counters: arm.counters.map((counter, place) => counter && this.say("moment_counter", { counter: this.counterTitle(place), ...countedAt(counter, this.time) })).filter(Boolean).join(this.view.language === "zh" ? "；" : "; "),
    }));
    this.tell(told.join(" "));
  }

  choose(who) {
    this.view.marked = who;
    byId("story").hidden = who < 0;
    byId("hint").hidden = who >= 0;
    if (who >= 0) {
      this.stories.fill(byId("story_text"), who, this.time);
      this.tell(byId("story_text").querySelector("h3").textContent);
    }
    this.paint(1);
  }

  find() {
    const name = byId("find").value.trim(), own = this.doc.consignments;
    const [, entry, ordinal] = /^(.*)#(\d+)(?:\/\d+)?$/.exec(name) || [];
    const who = own.entry.findIndex((each, place) => own.entries[each] === entry && own.ordinal[place] === Number(ordinal));
    if (who < 0) this.tell(this.say("find_none", { name }));
    else this.choose(who);
  }

  clicked(event, number) {
    const box = byId(`stage${number}`).getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    let near = null, least = event.pointerType === "touch" ? 22 : 13;
    for (const each of this.painter.drawn[number].values()) {
      const away = Math.hypot(each.x - x, each.y - y);
      if (away < least) [near, least] = [each.token.who, away];
    }
    if (near !== null) this.choose(near);
  }

  // --- a frame for a slide, 16 to 9

  frame() {
    const wide = 1920, high = 1080, canvas = make("canvas");
    [canvas.width, canvas.height] = [wide, high];
    const ctx = canvas.getContext("2d"), language = this.view.language;
    ctx.fillStyle = "#ffffff";
    ctx.fillRect(0, 0, wide, high);
    ctx.fillStyle = INK;
    ctx.textBaseline = "middle";
    ctx.font = `600 34px ${FACE}`;
    ctx.fillText(fitted(ctx, `${this.doc.scenario[language]}  ${this.clock(this.time, true)}`, wide - 120), 60, 50);
    let scale = 1.6, layout = null;
    for (let turn = 0; turn < 4; turn++) {  // as wide as there is room, and as large as the height allows
      layout = laidOut(this.doc, this.arms, 860 / scale);
      scale = Math.min(1.6, 850 / layout.high);
    }
    this.arms.forEach((_, number) => {
      const left = 60 + number * 940;
      ctx.font = `600 22px ${FACE}`;
      ctx.fillStyle = INK;
      ctx.fillText(fitted(ctx, this.armTitle(number), 860), left, 95);
      const own = make("canvas");
      [own.width, own.height] = [Math.ceil(layout.width * scale), Math.ceil(layout.high * scale)];
      const part = own.getContext("2d");
      part.scale(scale, scale);
      const painter = new Painter(this.doc, this.arms, this.view, this.say);
      painter.draw(part, number, layout, this.time, 1);
      ctx.drawImage(own, left, 120);
    });
    ctx.font = `16px ${FACE}`;
    let x = 60, y = 1000;
    for (const [colour, text] of this.legendEntries()) {
      const long = ctx.measureText(text).width + 44;
      if (x + long > wide - 60) [x, y] = [60, y + 24];
      ctx.fillStyle = colour;
      ctx.fillRect(x, y - 6, 14, 11);
      ctx.fillStyle = INK;
      ctx.fillText(text, x + 20, y);
      x += long;
    }
    ctx.fillStyle = PALE;
    ctx.fillText(fitted(ctx, `${byId("facts").textContent} ${this.say("one_day")}`, wide - 120), 60, 1058);
    return canvas;
  }

  save() {
    const name = `${this.doc.name}_${this.doc.run}_${this.doc.day.date}_${this.clock(this.time).replace(":", "")}.png`;
    this.frame().toBlob((blob) => {
      const link = make("a", undefined, { download: name, href: URL.createObjectURL(blob) });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }

  // --- hands on it

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const sized = (canvas, high) => {
      const wide = canvas.parentElement.clientWidth;
      canvas.style.height = `${high}px`;
      [canvas.width, canvas.height] = [Math.round(wide * ratio), Math.round(high * ratio)];
      const ctx = canvas.getContext("2d");
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      return ctx;
    };
    this.layout = laidOut(this.doc, this.arms, byId("stage0").parentElement.clientWidth);
    this.contexts = this.arms.map((_, number) => sized(byId(`stage${number}`), this.layout.high));
    this.curveContext = sized(byId("curve"), 90);
    this.painter.forget();
    this.paint(1);
  }

  setSpeed(speed) {
    this.speed = speed;
    byId("speed").value = String(speed);
  }

  switchLanguage() {
    this.view.language = this.view.language === "en" ? "zh" : "en";
    this.translate();
    this.describeCurve();
    this.go(this.time);
  }

  bind() {
    const { begin, end } = this.doc.day, on = (id, what, does) => byId(id).addEventListener(what, does);
    Object.assign(byId("slide"), { min: String(begin), max: String(end - 1) });
    on("play", "click", () => this.setPlaying(!this.playing));
    on("slide", "input", () => this.go(Number(byId("slide").value)));
    on("speed", "change", () => this.setSpeed(Number(byId("speed").value)));
    on("worst", "click", () => this.goWorst());
    on("longest", "click", () => this.goLongest());
    on("language", "click", () => this.switchLanguage());
    on("describe", "click", () => this.describe());
    on("save", "click", () => this.save());
    on("close", "click", () => this.choose(-1));
    on("find_go", "click", () => this.find());
    on("find", "keydown", (event) => event.key === "Enter" && this.find());
    on("colour", "change", () => {
      this.view.colour = byId("colour").value;
      this.legend();
      this.paint(1);
    });
    on("curve_of", "change", () => {
      this.counter = Number(byId("curve_of").value);
      this.describeCurve();
      this.paint(1);
    });
    on("curve", "click", (event) => {
      const box = byId("curve").getBoundingClientRect();
      this.go(begin + (end - begin) * (event.clientX - box.left - 30) / (box.width - 38));
    });
    this.arms.forEach((_, number) => on(`stage${number}`, "pointerup", (event) => this.clicked(event, number)));
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("resize", () => this.resize());
    this.describeCurve();
  }

  key(event) {
    const inside = event.target.tagName;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return this.choose(-1);
    if (["INPUT", "SELECT", "TEXTAREA"].includes(inside)) return;
    if (event.key === " " && inside === "BUTTON") return;
    const step = (event.shiftKey ? 10 : 1) * MINUTE, place = SPEEDS.indexOf(this.speed);
    const does = {
      " ": () => this.setPlaying(!this.playing),
      ArrowLeft: () => this.go(this.time - step), ArrowRight: () => this.go(this.time + step),
      Home: () => this.go(this.doc.day.begin), End: () => this.go(this.doc.day.end),
      "+": () => this.setSpeed(SPEEDS[Math.min(place + 1, SPEEDS.length - 1)]), "-": () => this.setSpeed(SPEEDS[Math.max(place - 1, 0)]),
      w: () => this.goWorst(), n: () => this.goLongest(), l: () => this.switchLanguage(), f: () => byId("find").focus(),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (does) {
      event.preventDefault();
      does();
    }
  }
}

(async () => {
  const status = byId("status");
  try {
    const doc = await unpacked(byId("data").textContent);
    byId("page").hidden = false;
    status.textContent = "";
    window.replay = new Page(doc);
  } catch (error) {
    status.textContent = typeof DecompressionStream === "undefined" ? status.dataset.old : String(error);
    throw error;
  }
})();
