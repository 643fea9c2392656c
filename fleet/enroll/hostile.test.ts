import { generateKeyPairSync } from "node:crypto";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { fc } from "#core/fast-check.ts";
import { Fault } from "#core/fault.ts";
import { makeAuthority, openAuthority } from "./authority.ts";
import { answerChallenge, answerClaim, type EnrolDeps } from "./enrol.ts";
import { fakeAmazon } from "./fake-clouds.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { proveByAzure } from "./ways/azure.ts";
import { proveByEc2 } from "./ways/ec2.ts";
import { proveByToken } from "./ways/token.ts";

const machine = { instanceId: "i-1", hardware: null, bootId: "one" };
const context = { machine, challenge: "", nowMs: Date.now() };

/** Whatever is thrown is a fault of enrolment, and nothing is proved. */
function isRefused(prove: () => unknown): boolean {
  try {
    prove();
    return false;
  } catch (error) {
    return error instanceof Fault && error.code.startsWith("enroll/");
  }
}

t.test("whatever stands for a token or a document proves nothing, and breaks nothing", (t) => {
  const { privateKey: key } = generateKeyPairSync("ed25519");
  const certificates = new Map([["eu-central-1", fakeAmazon(t).x509]]);
  const ec2 = { accounts: [], regions: [], certificates, freshnessMs: 0 };
  const azure = { subscriptions: [], authorities: [...certificates.values()], hosts: ["x"] };
  const parts = fc.array(fc.stringMatching(/^[A-Za-z0-9_-]{0,90}$/), { maxLength: 4 });
  const tokens = fc.oneof(
    fc.string(),
    parts.map((each) => ["fle1", ...each].join(".")),
  );
  fc.assert(
    fc.property(tokens, (text) =>
      isRefused(() => proveByToken(text, context, { key, fleet: "demo" })),
    ),
  );
  // Bytes, and bytes that begin as a signed message does.
  const head = Buffer.from("308006092a864886f70d010702a080", "hex");
  const bytes = fc.uint8Array({ maxLength: 400 });
  const documents = fc.oneof(
    bytes,
    bytes.map((each) => Buffer.concat([head, each])),
  );
  fc.assert(
    fc.property(documents, (each) => {
      const document = Buffer.from(each).toString("base64");
      return (
        isRefused(() => proveByEc2(document, context, ec2)) &&
        isRefused(() => proveByAzure(document, context, azure))
      );
    }),
  );
  t.end();
});

t.test("whatever is posted is malformed or refused, and enrols nobody", async (t) => {
  const io = fakeIo(t.testdir());
  makeAuthority(io, "/fleet", { fleet: "demo", kind: "p256" });
  const store = openSqliteStore(io.files.hostPath("/fleet/enroll.db"));
  t.teardown(() => store.close());
  const deps: EnrolDeps = {
    ...{ store, authority: openAuthority(io, "/fleet"), ways: { code: {} } },
    ...{ certificateDays: 30, renewExpiredMs: 0, now: () => 0 },
  };
  const answers = async (body: string) => {
    const settled = await Promise.allSettled([
      answerClaim(deps, body, "192.0.2.1"),
      answerChallenge(deps, body),
    ]);
    return settled.every((each) =>
      each.status === "fulfilled"
        ? !("kind" in each.value) || each.value.kind === "refused"
        : each.reason instanceof Fault && each.reason.code === "enroll/malformed",
    );
  };
  const values = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({ v: fc.constant(1), request: fc.json(), signature: fc.base64String() })
      .map((each) => JSON.stringify(each)),
  );
  await fc.assert(fc.asyncProperty(values, answers));
  t.strictSame(await store.nodes(), []);
  t.strictSame(await store.pending(0), []);
});
