"use strict";
// The document unpacked: columns as arrays, tokens with their visits, and what is counted at a moment.

const NEVER = -1;

function summed(steps) {
  let sum = 0;
  return steps.map((step) => (sum += step));
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

// One arm. `tokens` are consignments and their children, each with the rows of its visits from `first` to `end`.
function armOf(told, number) {
  const own = told.visits;
  const who = summed(own.who);
  const queued = summed(own.queued);
  const started = queued.map((time, row) => (own.waited[row] === NEVER ? NEVER : time + own.waited[row]));
  const ended = queued.map((time, row) =>
    own.took[row] === NEVER ? told.horizon : (own.waited[row] === NEVER ? time : started[row]) + own.took[row]);
  const road = new Int32Array(who.length).fill(-1);
  summed(told.roads.visit).forEach((row, place) => (road[row] = told.roads.road[place]));
  const waits = new Map();
  summed(told.waits.visit).forEach((row, place) => waits.set(row, place));
  const tokens = [];
  const byWho = new Map();
  for (let row = 0; row < who.length; row++) {
    const last = tokens[tokens.length - 1];
    if (last && last.who === who[row] && last.child === own.child[row]) {
      last.end = row + 1;
    } else {
      const token = { who: who[row], child: own.child[row], first: row, end: row + 1, key: who[row] * 64 + own.child[row] };
      tokens.push(token);
      if (!byWho.has(who[row])) byWho.set(who[row], []);
      byWho.get(who[row]).push(token);
    }
  }
  for (const token of tokens) {
    token.from = Infinity;
    token.to = 0;
    for (let row = token.first; row < token.end; row++) {
      token.kind = told.steps[own.step[row]].kind;
      token.from = Math.min(token.from, queued[row]);
      token.to = Math.max(token.to, ended[row]);
    }
  }
  const marks = { who: summed(told.marks.who), time: summed(told.marks.time), child: told.marks.child, mark: told.marks.mark };
  const counters = told.counters.map((each) => each && {
    ...each, time: summed(each.time), served: summed(each.served), waited: summed(each.waited),
  });
  return {
    number, steps: told.steps, step: own.step, queued, started, ended, never: own.took.map((took) => took === NEVER),
    road, waits, told: told.waits, tokens, byWho, marks, markNames: told.marks.names, classes: told.class, counters,
  };
}

// The last place of an ascending array whose number is at most `value`, -1: none.
function placeAt(array, value) {
  let low = 0, high = array.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (array[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// What is counted at a counter at a moment: those in line, units in use and on duty, how many were served and their wait.
function countedAt(counter, time) {
  const row = Math.max(placeAt(counter.time, time), 0);
  const units = counter.units.filter((each) => each[0] <= time);
  return {
    queue: counter.queue[row], used: counter.used[row], served: counter.served[row], waited: counter.waited[row],
    units: (units.length ? units[units.length - 1] : counter.units[0])[1],
  };
}

// Where a token is at a moment: its visit there, the one at a counter before others, the latest before earlier ones.
function visitAt(arm, token, time) {
  if (time < token.from || time >= token.to) return -1;
  let found = -1, counter = false;
  for (let row = token.first; row < token.end && arm.queued[row] <= time; row++) {
    if (arm.ended[row] <= time) continue;
    const step = arm.steps[arm.step[row]];
    if (step.leave) continue;
    const own = step.counter >= 0;
    if (own || !counter) {
      found = row;
      counter = own;
    }
  }
  return found;
}

function inLine(arm, row, time) {
  const step = arm.steps[arm.step[row]];
  return Boolean(step.stopped) || arm.started[row] === NEVER || time < arm.started[row];
}
