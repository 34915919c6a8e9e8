// Waiting for a condition, with a deadline and a sentence for when it does not come.
// Nothing in these tests sleeps for a guess: what must happen is looked for until it has.

let patience = 1;

// Stretches every deadline, for slow builds (sanitizers) and busy machines.
export function setPatience(factor) {
  patience = factor;
}

export function patient(milliseconds) {
  return milliseconds * patience;
}

// How long the product waits for others before it gives them up or takes their work: a slow build
// needs as much more as its tests are patient. A duration as the configuration has it.
const STRETCHED = new Set(['place_timeout', 'lookup_deadline', 'lease_grace']);

export function stretched(settings) {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      const [, number, unit] = /^(\d+)(ms|s|m)$/.exec(value) ?? [];
      return [name, STRETCHED.has(name) && number ? `${Math.ceil(Number(number) * patience)}${unit}` : value];
    }),
  );
}

export class TookTooLong extends Error {}

// The pause between two looks; nothing else may use it as a wait.
function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

// Calls look() until it gives something truthy, and returns that. `seen` is put into the message
// when the deadline passes: a function that says what there was instead.
export async function until(what, look, { within = 10_000, every = 15, seen } = {}) {
  const limit = patient(within);
  const start = performance.now();
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() - start > limit) {
      const instead = seen ? `; instead: ${describe(await seen())}` : '';
      throw new TookTooLong(`waited ${Math.round(limit)} ms for ${what}${instead}`);
    }
    await pause(every);
  }
}

// A promise that must settle in time.
export async function inTime(what, promise, { within = 10_000 } = {}) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(
      () => fail(new TookTooLong(`waited ${Math.round(patient(within))} ms for ${what}`)),
      patient(within),
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// A promise with its two ends outside.
export function deferred() {
  const d = {};
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }));
  return d;
}

// Runs work(item) for every item, at most `width` at once; results in the items' order.
export async function inParallel(width, items, work) {
  const list = [...items];
  const results = new Array(list.length);
  let next = 0;
  const lane = async () => {
    while (next < list.length) {
      const i = next++;
      results[i] = await work(list[i], i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, lane));
  return results;
}

function describe(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === undefined ? String(value) : text.slice(0, 2000);
}
