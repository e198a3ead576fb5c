// Workers run replications; the page asks them for those that the state wants.

const DEEP = 2;                   // what a worker is asked for at a time, so that it need not wait for the page

async function hire() {
  if (about.server) {
    workers = Array.from({ length: about.workers }, () => ({ asked: new Set(), worker: { postMessage: () => {} } }));
    return;
  }
  const module = await WebAssembly.compile(await inflate("data-module"));
  const url = URL.createObjectURL(new Blob([$("data-worker").textContent], { type: "text/javascript" }));
  const count = Math.max(1, Math.min(navigator.hardwareConcurrency || 2, 8));
  await Promise.all(Array.from({ length: count }, () => new Promise((ready) => {
    const worker = new Worker(url), own = { worker, asked: new Set(), images: new Set() };
    worker.onmessage = ({ data }) => {
      if (data.what === "ready") { workers.push(own); ready(); return; }
      if (data.what === "broken") { lost(own, data.fault); ready(); return; }
      answered(own, data.id, data);
    };
    // What a worker does not tell itself: code that cannot be read, an answer that cannot be passed on.
    worker.onerror = worker.onmessageerror = (event) => {
      lost(own, event.message || "a worker has ended");
      ready();
    };
    worker.postMessage({ what: "open", module, layout: about.layout });
  })));
}

function answered(own, id, data) {
  own.asked.delete(id);
  const done = asking.get(id);
  asking.delete(id);
  if (done) done(data);
}

// A worker that has ended answers no more: what it was asked is told to have failed.
function lost(own, fault) {
  failure = fault;
  workers = workers.filter((other) => other !== own);
  for (const id of [...own.asked]) answered(own, id, { fault });
}

const images = new Map();
function imageOf(arm) {
  if (!images.has(arm.key)) {
    if (images.size > 24) images.delete(images.keys().next().value);
    images.set(arm.key, image(arm.plan, arm.levels));
  }
  return images.get(arm.key);
}

// Ask a worker for a replication; it gets an image that it has not had lately. Answers with what is found, or a fault.
async function ask(own, arm, replication, trace = null) {
  const id = asked++;
  own.asked.add(id);
  if (about.server) return askServer(own, id, arm, replication, trace);
  try {
    const message = { what: "run", id, key: arm.key, seed: about.seed, replication, trace, turn };
    if (!own.images.has(arm.key)) {
      message.image = imageOf(arm);
      own.images.add(arm.key);
      if (own.images.size > 24) own.images.delete(own.images.keys().next().value);
    }
    return await new Promise((done) => { asking.set(id, done); own.worker.postMessage(message); });
  } catch (fault) {
    answered(own, id, {});
    return { fault: String(fault && fault.message || fault) };
  }
}

// The server runs the replication with its own engine.
async function askServer(own, id, arm, replication, trace) {
  const mine = turn;
  try {
    const answer = await fetch(about.server + location.search, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ measures: arm.plan.measures, levels: arm.levels, replication, trace }),
    });
    const found = answer.ok ? await answer.json() : { fault: await answer.text() };
    if (found.fault || trace) return found.fault ? found : { found };
    found.values = found.values.map((value) => (value === null ? NaN : value));
    found.queue = found.queue.map((day) => day.map((value) => (value === null ? NaN : value)));
    return { found };
  } catch (fault) {
    return mine === turn ? { fault: String(fault) } : { found: null };
  } finally {
    own.asked.delete(id);
  }
}

const idlest = () => workers.reduce((one, other) => (one && one.asked.size <= other.asked.size ? one : other), null);
const named = (arm, replication) => `${arm.key}#${replication}`;

// The next replication that is wanted: both arms of one, then both of the next; none after one that cannot go on.
function next(pair) {
  if (pair.some(clash)) return null;
  for (let replication = 0; replication < state.n; replication++) {
    for (const arm of pair) {
      const own = known.get(named(arm, replication));
      if (own && own.fault) return null;
      if (own === undefined) return [arm, replication];
    }
  }
  return null;
}

function work() {
  if (paused || document.hidden) return;
  const pair = arms();
  for (let own = idlest(); own && own.asked.size < DEEP; own = idlest()) {
    const wanted = next(pair);
    if (!wanted) break;
    const [arm, replication] = wanted, name = named(arm, replication), mine = turn;
    known.set(name, null);
    ask(own, arm, replication).then((data) => {
      if (data.fault) known.set(name, { fault: data.fault });
      else if (data.found) known.set(name, data.found);
      else if (mine === turn) known.delete(name);
      work();
      soon();
    });
  }
}

// Show what has been found, not more often than people can see.
let drawing = false;
function soon() {
  const [one] = finished();
  if (!timings.first && one.length) timings.first = performance.now() - started;
  if (!timings.eight && one.length >= Math.min(8, state.n)) timings.eight = performance.now() - started;
  if (drawing) return;
  drawing = true;
  setTimeout(() => { drawing = false; show(); }, one.length < 2 || one.length >= state.n ? 0 : 120);
}

// Replications that both arms have finished, without a gap.
function finished() {
  const pair = arms(), found = [[], []];
  for (let replication = 0; replication < state.n; replication++) {
    const both = pair.map((arm) => known.get(named(arm, replication)));
    if (!both[0] || !both[1] || both[0].fault || both[1].fault) break;
    both.forEach((own, arm) => found[arm].push(own));
  }
  return found;
}

// Why the question ends without an answer: what a replication of either arm could not go on for, or no worker is left.
function fault() {
  if (hired && !workers.length) return failure || "no worker is left";
  for (const arm of arms()) {
    for (let replication = 0; replication < state.n; replication++) {
      const own = known.get(named(arm, replication));
      if (own && own.fault) return own.fault;
    }
  }
  return "";
}

function stop() {
  turn++;
  for (const own of workers) own.worker.postMessage({ what: "wanted", turn });
  for (const [name, own] of known) if (own === null) known.delete(name);
}

function moved() {
  stop();
  for (const arm of arms()) {            // a fault is asked again
    for (let replication = 0; replication < state.n; replication++) {
      const name = named(arm, replication);
      if (known.get(name) && known.get(name).fault) known.delete(name);
    }
  }
  notice = ""; same = null;
  started = performance.now(); timings = { first: 0, eight: 0 };
  if (knee && knee.state !== kneeState()) knee = null;
  link();
  setLevers();
  work();
  show();
}
