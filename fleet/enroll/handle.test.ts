import t from "tap";
import { silentLog } from "#core/log.ts";
import { type HandleDeps, handleEnrolment } from "./handle.ts";

/** Fails as soon as anything of it is used. */
const untouched = new Proxy({} as HandleDeps["store"], {
  get(_target, name) {
    throw new Error(`the store was asked for ${String(name)}`);
  },
});

const deps: HandleDeps = {
  store: untouched,
  authority: {} as HandleDeps["authority"],
  ...{ ways: {}, certificateDays: 30, renewExpiredMs: 0, now: () => 0 },
  pace: { allows: (peer) => peer !== "192.0.2.1" },
  log: silentLog,
};
const ask = (path: string, more: object = {}) =>
  handleEnrolment(deps, { method: "POST", path, peer: "192.0.2.2", body: "{}", ...more });

t.test("what cannot be decided has a status of its own, and touches no database", async (t) => {
  const claim = "/enroll/1/claim";
  t.match(await ask("/"), { status: 404 });
  t.match(await ask("/enroll/2/claim"), { status: 404 });
  t.match(await ask(claim, { method: "GET" }), { status: 405 });
  t.match(await ask(claim, { peer: "192.0.2.1" }), { status: 429 });
  t.match(await ask(claim, { body: undefined }), { status: 413 });
  t.match(await ask(claim), { status: 400 });
  t.match(await ask("/enroll/1/challenge"), { status: 400 });
});

t.test("a database that fails is the server's fault, and says nothing of itself", async (t) => {
  const body = JSON.stringify({ v: 1, key: "0".repeat(64) });
  const answer = await ask("/enroll/1/challenge", { body });
  t.match(answer, { status: 500 });
  t.notMatch(JSON.stringify(answer), /store/);
});
