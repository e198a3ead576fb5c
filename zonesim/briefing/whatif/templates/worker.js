// What the page asks a worker for.

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
    if (data.what === "open") {
      try {
        await open(data.module, data.layout);
        self.postMessage({ what: "ready" });
      } catch (fault) {
        self.postMessage({ what: "broken", fault: String(fault && fault.message || fault) });
      }
      return;
    }
    if (data.image) { images.set(data.key, data.image); if (images.size > 24) images.delete(images.keys().next().value); }
    const about = { what: "done", id: data.id };
    if (data.turn < wanted) { self.postMessage({ ...about, found: null }); return; }
    try {
      const answer = await replicate({ ...data, image: images.get(data.key) });
      self.postMessage({ ...about, found: answer });
    } catch (fault) {
      self.postMessage({ ...about, fault: String(fault && fault.message || fault) });
    }
  });
};
