// Randomness that can be played again: a test says its seed when it fails.

// Numbers in [0, 1) from a seed (mulberry32).
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function freshSeed() {
  return Number(process.env.HV_E2E_SEED ?? Math.floor(Math.random() * 2 ** 31));
}
