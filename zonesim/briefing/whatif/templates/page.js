// All that is text, and how the page begins.

function texts() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = about.title[language];
  $("title").textContent = about.title[language];
  const [warm, days, cool] = about.days.map((value) => Math.round(10 * value) / 10);
  $("about").textContent = say(about.server ? "about_server" : "about", { version: about.version, warm, days, cool, seed: about.seed, synthetic: about.synthetic ? say("synthetic") : "" });
  $("language").textContent = say("switch");
  for (const id of ["reset", "legend", "gains_title", "control_title", "control_note", "queue_title", "dwell_title", "knee_title", "knee_start", "same_title", "same_start", "again", "copy_command", "copy_link", "same_numbers"]) $(id).textContent = say(id);
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
  try { await hire(); } catch (fault) { failure = String(fault && fault.message || fault); }
  hired = true;
  $("language").onclick = () => { language = language === "en" ? "zh" : "en"; link(); texts(); };
  $("reset").onclick = () => {
    state.measures = about.measures.map((each) => each.name);
    for (const lever of about.levers) state.levels[lever.key] = lever.usual;
    moved();
  };
  $("pause").onclick = () => {
    paused = !paused;
    if (paused) stop(); else work();
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
  drawn: () => finished().map((runs) => runs.map((run) => ({ queue: run.queue, shapes: run.shapes }))),
  timings: () => timings,
  everywhere: (id) => about.levers.some((lever) => lever.everywhere && `lever-${lever.key}` === id),
};
main().catch((fault) => { document.body.dataset.ended = "yes"; $("notes").textContent = String(fault && fault.message || fault); });
