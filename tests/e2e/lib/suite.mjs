// What a suite is: a subject, where it runs, the system it wants, and named claims.
//
//   export default suite('idempotency', { runs: 'core' }, (test) => {
//     test('the same key and body give the first call again', async ({ system }) => { ... });
//   });
//
// runs: 'core' (on every web server, on one system that the core suites share) or 'faults' (once,
//   on a system of its own).
// wire: true for a core suite about what a web server hands over and gives back (see --wire).
// system: what System.start() takes: {server, settings, dispatcher}; null: no system at all.
// width: how many of its tests run at once (default 1); {alone: true} keeps a test by itself.
// within: a test's own time limit in milliseconds (default 60 s).

export function suite(subject, options, define) {
  const tests = [];
  define((claim, ...rest) => {
    const body = rest.pop();
    tests.push({ claim, body, ...rest[0] });
  });
  const names = tests.map(({ claim }) => claim);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new Error(`${subject}: two tests are named "${twice}"`);
  return { subject, system: {}, width: 1, ...options, tests };
}
