// SPDX-License-Identifier: Apache-2.0
// stage_view.mjs -- what the Node suites see of the stage: its addresses, what the upstream saw, what the journal holds; and
// test(name, f), run() to count.
import { execFileSync } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import path from 'node:path';

export const { WEIR_URL: URL_V1, WEIR_OPEN_URL: OPEN_URL, WEIR_KEY: KEY, WEIR_KEY_FEW: FEW, E2E_SECRET: SECRET } = process.env;

// What the scripted upstream says; see upstream.py.
export const TEXT = 'Grüße, 世界! \u{1f30d}\n"quoted" \\ and a tab\t.';
export const CALLS = [
  ['call_Paris7', 'get_weather', '{"city": "Paris", "note": "a \\"b\\""}'],
  ['call_time2', 'get_time', '{"zone":"CET"}'],
];
export const VECTORS = [[0.5, -0.25, 0.125], [1, 0, -2]];

const suite = path.basename(process.argv[1], '.mjs') + (process.argv[2] ?? '');
let number = 0;

// The scenario under a name of its own: [model for weir, model as the upstream sees it].
export function tagged(scenario) {
  const model = `${scenario}/${suite}-${++number}`;
  return ['s/' + model, model];
}

export const user = (content) => [{ role: 'user', content }];
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function seen(model) {
  return (await fetch(process.env.SEEN_URL + model)).json();
}

export async function eventually(look, seconds = 5) {
  for (const end = Date.now() + seconds * 1000; ;) {
    const found = await look();
    if (found || Date.now() > end) return found;
    await sleep(20);
  }
}

// The journal's record of the request whose x-weir-request-id this is.
export async function record(id, kind = 'close') {
  const rows = await eventually(() => {
    const out = execFileSync(process.env.WEIR_BIN, ['journal', process.env.WEIR_STATE, '--json'], { maxBuffer: 1 << 28 }).toString();
    const found = out.split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((r) => r.id === id && r.kind === kind);
    return found.length ? found : null;
  });
  if (!rows) throw new Error(`no ${kind} record of ${id}`);
  return rows.at(-1);
}

// The upstream must see that its client left, and at once.
export async function goneAtOnce(asked, left) {
  const gone = await eventually(async () => (await seen(asked)).gone[0]);
  if (!gone) throw new Error('the upstream was never left');
  if (gone - left / 1000 > 1) throw new Error(`left ${gone - left / 1000} s late`);
}

// Connections that fetch opens to weir's port while f runs.
const connected = [];
subscribe('undici:client:connected', ({ connectParams }) => connected.push(connectParams.port));
export async function connects(url, f) {
  const before = connected.length;
  await f();
  return connected.slice(before).filter((port) => String(port) === new URL(url).port).length;
}

const all = [];
export const test = (name, f) => all.push([name, f]);

export async function run() {
  let passed = 0, failed = 0;
  for (const [name, f] of all) {
    const start = Date.now();
    try {
      await f();
      passed++;
      console.log(`ok   ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
    } catch (e) {
      failed++;
      console.log(`FAIL ${name}\n${e?.stack ?? e}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

