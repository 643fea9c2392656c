import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { canonicalJson } from "#core/canonical-json.ts";
import { backupOf } from "#fleet/registry/check-registry.ts";
import { openRegistry } from "#fleet/registry/open-registry.ts";
import { postgresPrograms, startPostgres } from "./postgres.ts";

t.setTimeout(900_000);

const child = join(import.meta.dirname, "rollout-child.ts");
const directory = mkdtempSync(join(tmpdir(), "firstlight-rollout-"));
t.teardown(() => rmSync(directory, { recursive: true }));

interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly effects: number;
}

function play(address: string, world: string, dieAt = 0): Promise<End> {
  const argv = [child, address, world, String(dieAt)];
  const process_ = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  process_.stdout.on("data", (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    process_.once("error", reject);
    process_.once("close", (code, signal) => resolve({ code, signal, effects: Number(said) }));
  });
}

/** All that a rollout leaves, but for times: its rows, and what each node was told, in order. */
async function outcomeOf(address: string, world: string): Promise<unknown> {
  const store = await openRegistry(address);
  const lines = await backupOf(store);
  await store.close();
  const told = readFileSync(world, "utf8").trim().split("\n");
  return {
    rows: lines
      .filter((line) => /"table":"(?:desired|rollout|rollout_node|rollout_event)"/.test(line))
      // How often the header was written differs.
      .map((line) => withoutTimes(line).replaceAll(/"revision":[0-9]+,,/g, "")),
    // Told twice is told once.
    told: [...new Set(told.map(withoutTimes))].sort(),
  };
}

function withoutTimes(line: string): string {
  return line.replaceAll(/\\?"[A-Za-z_]*(?:Ms|_ms)\\?":(?:[0-9]+|null)/g, "");
}

async function campaign(t: Tap, newAddress: () => Promise<string>, every: number): Promise<void> {
  let worlds = 0;
  const newWorld = () => join(directory, `${t.name}-${worlds++}.jsonl`);
  const [address, world] = [await newAddress(), newWorld()];
  const whole = await play(address, world);
  t.equal(whole.code, 0);
  const expected = await outcomeOf(address, world);
  t.match(canonicalJson(expected), /ROLLED_BACK/);
  t.ok(whole.effects > 20, `${whole.effects} effects`);
  let kills = 0;
  // The first twenty make the fleet; the kill among them stands for all.
  for (let at = 19; at <= whole.effects; at += every) {
    const [other, told] = [await newAddress(), newWorld()];
    const killed = await play(other, told, at);
    if (killed.signal !== "SIGKILL") break;
    kills++;
    // The next one takes over, and is killed a little later as well.
    await play(other, told, 7);
    t.match(await play(other, told), { code: 0 });
    t.strictSame(await outcomeOf(other, told), expected, `killed before effect ${at}`);
  }
  t.ok(kills >= Math.floor((whole.effects - 19) / every), `${kills} kills`);
}

type Tap = { readonly name: string } & Pick<typeof t, "equal" | "match" | "ok" | "strictSame">;

/** Each so many effects one is the last of a server; 1 for all of them. */
const every = Number(process.env["FIRSTLIGHT_KILL_EVERY"] ?? "10");
let files = 0;
t.test("sqlite", (t) => campaign(t, async () => join(directory, `${files++}.db`), every));

t.test("postgresql", { skip: postgresPrograms() === undefined && "not installed" }, async (t) => {
  const postgres = await startPostgres(t);
  await campaign(t, () => postgres.newAddress(), 3 * every);
});
