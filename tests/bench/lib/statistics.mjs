// Numbers from samples, and rounds in which two contestants alternate.

export function sorted(values) {
  return Float64Array.from(values).sort();
}

// Linear between the nearest ranks, p from 0 to 1.
export function percentile(values, p) {
  const list = sorted(values);
  const at = (list.length - 1) * p;
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return list[low] + (list[high] - list[low]) * (at - low);
}

export function median(values) {
  return percentile(values, 0.5);
}

export function spread(values) {
  const list = sorted(values);
  return { median: median(list), min: list[0], max: list[list.length - 1] };
}

// Runs both contestants once a round, in an order that is drawn for each round: the machine's
// drift hits both alike. Gives [{[name]: result, order: [names]}, ...].
export async function alternate(rounds, contestants) {
  const names = Object.keys(contestants);
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const order = Math.random() < 0.5 ? names : [...names].reverse();
    const result = { order };
    for (const name of order) result[name] = await contestants[name](round);
    results.push(result);
  }
  return results;
}

// The ratio of each pair, then the middle and the ends of them.
export function ratios(results, of, to, value = (result) => result) {
  return spread(results.map((result) => value(result[of]) / value(result[to])));
}
