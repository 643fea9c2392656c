import { inspect } from "node:util";
import t from "tap";
import { canonicalJson, prettyJson, sha256 } from "./canonical-json.ts";
import { codes } from "./codes.ts";
import { durationMs, parseDuration } from "./duration.ts";
import { describeFault, Fault, isFault } from "./fault.ts";
import { type Finding, findingPath, formatFinding, hasErrors } from "./finding.ts";
import { hostClock } from "./host-io.ts";
import { nearest } from "./nearest.ts";
import { isSecretRef, Secret } from "./secret.ts";

t.test("equal values have equal canonical JSON", async (t) => {
  t.equal(
    canonicalJson({ b: [1, { d: 1, c: null }], a: "x" }),
    '{"a":"x","b":[1,{"c":null,"d":1}]}',
  );
  t.equal(canonicalJson({ a: undefined }), "{}");
  t.equal(prettyJson({ b: 1, a: 2 }), '{\n  "a": 2,\n  "b": 1\n}\n');
  t.equal(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

t.test("a key like __proto__ is data", async (t) => {
  const value = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}') as object;
  t.equal(canonicalJson(value), '{"__proto__":{"polluted":true},"a":1}');
  t.equal(({} as { polluted?: boolean }).polluted, undefined);
});

t.test("a secret is not printed, serialised or interpolated", async (t) => {
  const secret = new Secret("canary");
  t.equal(`${secret}`, "[secret]");
  t.equal(inspect({ deep: [secret] }), "{ deep: [ [secret] ] }");
  t.throws(() => JSON.stringify({ secret }), { code: "secret/serialised" });
  t.throws(() => canonicalJson({ secret }), { code: "secret/serialised" });
  t.strictSame(Object.keys(secret), []);
  t.equal(secret.reveal(), "canary");
  t.equal(isSecretRef({ secretRef: "a" }), true);
  t.equal(isSecretRef({ secret: "a" }), false);
});

t.test("any thrown value is described, with its causes", async (t) => {
  const fault = new Fault("io/read-failed", "one", {
    cause: new Error("two", { cause: "three" }),
    hint: "do",
  });
  t.strictSame(describeFault(fault), {
    code: "io/read-failed",
    message: "one",
    hint: "do",
    causes: ["two", "three"],
  });
  t.match(describeFault("text"), { code: "cli/internal", message: "text" });
  t.equal(isFault(fault, "io/read-failed"), true);
  t.equal(isFault(fault, "io/too-large"), false);
});

t.test("every code is of the form area/what, and says what it means and what to do", async (t) => {
  for (const [code, { means, action }] of Object.entries(codes)) {
    t.match(code, /^[a-z-]+\/[a-z0-9-]+$/);
    t.match(means, /\.$/, code);
    t.match(action, /\.$/, code);
  }
});

t.test("a finding is one line for a person", async (t) => {
  const finding: Finding = {
    document: "user-data",
    path: "users.0",
    line: 5,
    column: 7,
    level: "error",
    code: "spec/invalid",
    message: "must be text",
    hint: "quote it",
  };
  t.equal(
    formatFinding(finding),
    "user-data:5:7 error users.0: must be text [spec/invalid]\n  quote it",
  );
  t.equal(
    formatFinding({ ...finding, line: null, column: null, path: "", hint: null }),
    "user-data error: must be text [spec/invalid]",
  );
  t.equal(hasErrors([finding]), true);
  t.equal(hasErrors([{ ...finding, level: "warning" }]), false);
});

t.test("durations", async (t) => {
  for (const [text, ms] of [
    ["250ms", 250],
    ["90s", 90_000],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
  ] as const) {
    t.equal(parseDuration(text), ms);
  }
  for (const text of ["", "5", "m", "5 m", "-1s", "1.5h"])
    t.equal(parseDuration(text), undefined, text);
  t.equal(durationMs(undefined, 7), 7);
});

t.test("a typing error finds the word that was meant, another word finds none", async (t) => {
  const words = ["runcmd", "bootcmd", "write_files", "packages"];
  t.equal(nearest("runcdm", words), "runcmd");
  t.equal(nearest("write-files", words), "write_files");
  t.equal(nearest("package", words), "packages");
  t.equal(nearest("banana", words), undefined);
  t.equal(nearest("x".repeat(10_000), words), undefined);
});

t.test("a wait ends with the reason of its signal, however long it was to be", async (t) => {
  for (const ms of [0, 1_000, 40 * 86_400_000]) {
    const controller = new AbortController();
    const wait = hostClock.sleep(ms, controller.signal);
    const early = await Promise.race([wait.then(() => "over"), Promise.resolve("waits")]);
    if (ms > 0) t.equal(early, "waits");
    const reason = new Fault("cli/interrupted", "ended by SIGINT");
    controller.abort(reason);
    await (ms > 0 ? t.rejects(wait, { code: "cli/interrupted" }) : wait);
    await t.rejects(hostClock.sleep(ms, controller.signal), { code: "cli/interrupted" });
  }
});

t.test("a path in a finding holds nothing that a terminal acts on, and ends", async (t) => {
  t.equal(findingPath([]), "");
  t.equal(findingPath(["users", 0, "name"]), "users.0.name");
  t.equal(findingPath(["a\u001b[2J\n\u202e\ud800"]), "a\ufffd[2J\ufffd\ufffd\ufffd");
  t.equal(findingPath(["k".repeat(1000)]).length, 100);
});

t.test("a cause that says what was said already is left out", async (t) => {
  const cause = new Error("disk full", { cause: new Error("ENOSPC: disk full") });
  const { causes } = describeFault(new Fault("io/write-failed", "/a: disk full", { cause }));
  t.strictSame(causes, ["ENOSPC: disk full"]);
});
