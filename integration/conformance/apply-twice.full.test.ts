import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { sniff } from "#provisioner/userdata/user-data-format.ts";
import { qemuQ35 } from "../machines/qemu-q35.ts";
import { writeMachine } from "../machines/write-machine.ts";
import { writeSeed } from "../machines/write-seed.ts";
import { absent, networkConfigs, type RecordedDocument, readLines } from "./cloud-config-set.ts";

t.setTimeout(600_000);

const documents = "cloud-config/documents.jsonl";
const program = path.resolve(import.meta.dirname, "../../dist/firstlight.js");
/** So that a system is judged at once. */
const health = "firstlight: { health: { passes: 1, interval: 1ms, timeout: 1s } }\n";

/**
 * Exit codes: the system is what was asked, with or without findings; it was taken back, because what it is
 * judged by is not on this machine; the input has errors.
 */
const [done, degraded, rolledBack, invalid] = [0, 2, 3, 4];

/** What came of a seed on a machine of its own. */
type Applied = "applied" | "refused" | "unhealthy";

interface Seed {
  readonly userData: string;
  readonly networkConfig?: string;
}

function applyTwice(t: Test, id: string, { userData, networkConfig }: Seed): Applied {
  const root = path.join(t.testdir(), id.replace(/[^A-Za-z0-9]+/g, "-"));
  mkdirSync(root);
  writeMachine(root, qemuQ35);
  writeSeed(root, "i-1", userData, networkConfig);
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [program, ...args, "--root", root], {
      encoding: "utf8",
      timeout: 60_000,
    });
  const first = run("boot", "-q", "--driver", "dry");
  t.ok(
    [done, degraded, rolledBack, invalid].includes(first.status ?? -1),
    `${id}: ${first.stderr}`,
  );
  if (first.status === invalid) {
    t.match(first.stderr, / error /, id);
    return "refused";
  }
  if (first.status === rolledBack) return "unhealthy";
  const plan = run("plan", "--json");
  t.match(JSON.parse(plan.stdout), { unchanged: true, text: ["nothing would change"] }, id);
  return "applied";
}

t.test(
  "what was applied once changes nothing the second time",
  { skip: absent(documents) },
  async (t) => {
    const counts = { applied: 0, refused: 0, unhealthy: 0 };
    for (const { id, text, parses, pyyaml } of readLines<RecordedDocument>(documents)) {
      const isMapping = typeof pyyaml === "object" && pyyaml !== null && !Array.isArray(pyyaml);
      if (!parses || !isMapping || sniff(text) !== "cloud-config") continue;
      const came = applyTwice(t, id, { userData: `${text.trimEnd()}\n${health}` });
      counts[came] += 1;
      if (came === "unhealthy") t.match(text, "readinessprobe", id);
    }
    t.ok(counts.applied > 80, JSON.stringify(counts));
    t.comment(JSON.stringify(counts));
  },
);

t.test("nor does a network config", { skip: absent("network") }, async (t) => {
  const counts = { applied: 0, refused: 0, unhealthy: 0 };
  for (const [name, networkConfig] of networkConfigs())
    counts[applyTwice(t, name, { userData: `#cloud-config\n${health}`, networkConfig })] += 1;
  t.ok(counts.applied > 20 && counts.unhealthy === 0, JSON.stringify(counts));
  t.comment(JSON.stringify(counts));
});

t.test(
  "a document of another format than cloud-config ends so, or in findings at their places",
  { skip: absent(documents) },
  async (t) => {
    let seen = 0;
    for (const { id, text } of readLines<RecordedDocument>(documents)) {
      const format = sniff(text);
      if (format === "cloud-config" || format === "unknown") continue;
      seen += 1;
      applyTwice(t, id, { userData: text });
    }
    t.ok(seen >= 5, `${seen}`);
  },
);
