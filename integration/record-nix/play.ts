import { recordedPaths as paths, recordedLines } from "#provisioner/system/recorded-lines.ts";
import { buildable, local, nixos, wrong } from "./configurations.ts";
import type { Recorder } from "./recorder.ts";

const txn = "20260101T000000-00000000";
const cache = `${paths.state}/cache`;
const strangersCache = `${paths.state}/strangers-cache`;
const absent = `${paths.store}/${"0".repeat(32)}-absent-1.0`;

const alone = recordedLines([]);
const withCache = recordedLines([`file://${cache}?trusted=1`]);
const withStrangers = recordedLines([`file://${strangersCache}`]);

/** Runs every line of firstlight whose output it reads, in an order in which each has what it needs. */
export async function playAll(nix: Recorder): Promise<void> {
  nix.write("nixpkgs/nixos/default.nix", nixos);
  for (const [name, text] of Object.entries({ ...buildable, ...wrong })) {
    nix.write(`sources/${name}/configuration.nix`, text);
  }
  nix.write("sources/nested/local.nix", local);
  const { code } = await nix.record("evaluate", alone.evaluate(evaluation("whole"), "root"));
  if (code !== 0) return; // too old for firstlight's lines
  await playEvaluations(nix);
  await playFailures(nix);
  const system = await playBuild(nix);
  await playQueries(nix, system);
  await playGenerations(nix, system);
  await playFetches(nix);
  await playDamage(nix, system);
  await playEnds(nix);
}

function evaluation(name: string) {
  return { sourcesDigest: name, txn, nixpkgs: `${paths.state}/nixpkgs`, repair: false };
}

async function instantiate(nix: Recorder, name: string): Promise<string> {
  const line = alone.instantiate(evaluation(name), "root");
  const { stdout, stderr } = await nix.record(`instantiate-${name}`, line);
  const root = stdout.trim();
  if (root === "") throw new Error(`${name}: ${stderr}`);
  return nix.prepare("readlink", root);
}

async function playEvaluations(nix: Recorder): Promise<void> {
  for (const name of Object.keys(wrong)) {
    await nix.record(`evaluation-${name}`, alone.instantiate(evaluation(name), "root"));
  }
  await nix.record("evaluate-undefined", alone.evaluate(evaluation("undefined-variable"), "root"));
}

async function playFailures(nix: Recorder): Promise<void> {
  for (const name of ["failed", "killed", "no-output", "full-disk", "hash-mismatch"]) {
    const derivation = await instantiate(nix, name);
    await nix.record(`build-${name}`, alone.build({ txn, derivation, repair: false }));
  }
}

/** Builds a whole system; the path of it. */
async function playBuild(nix: Recorder): Promise<string> {
  const derivation = await instantiate(nix, "whole");
  const inputs = await nix.prepare("nix-store", "--query", "--references", derivation);
  for (const [name, file] of [
    ["derivation-system", derivation],
    ["derivation-etc", named(inputs, "etc.drv")],
  ] as const) {
    // Which firstlight reads itself.
    await nix.record(name, { argv: ["cat", file], timeoutMs: 60_000 });
  }
  await nix.record("dry-run-builds", alone.dryRun(derivation));
  await nix.record("dry-run-unknown", alone.dryRun(`${absent}.drv`));
  await nix.record("build-whole", alone.build({ txn, derivation, repair: false }));
  await nix.record("build-again", alone.build({ txn, derivation, repair: false }));
  await nix.record("dry-run-nothing", alone.dryRun(derivation));
  return nix.prepare("readlink", `${paths.gcRoots}/${txn}`);
}

async function playQueries(nix: Recorder, system: string): Promise<void> {
  const closure = (await nix.record("requisites", alone.requisites(system))).stdout.trim();
  await nix.record("requisites-absent", alone.requisites(absent));
  await nix.record("sizes", alone.sizes(closure.split("\n")));
  await nix.record("valid", alone.checkValid(system));
  await nix.record("valid-not", alone.checkValid(absent));
  await nix.record("invalid-paths", alone.invalidPaths([system, absent]));
  await nix.record("invalid-paths-none", alone.invalidPaths(closure.split("\n")));
  await nix.record("store-info", alone.storeInfo(closure.split("\n")));
  await nix.record("store-info-absent", alone.storeInfo([absent]));
  await nix.record("closures", alone.closures([system]));
  await nix.record("verify-path", alone.verifyPaths([system]));
  await nix.record("verify-store", alone.verifyStore());
}

async function playGenerations(nix: Recorder, system: string): Promise<void> {
  const [first = ""] = (await nix.prepare("nix-store", "--query", "--references", system)).split(
    "\n",
  );
  await nix.record("add-root", alone.addRoot({ txn, toplevel: system, role: "previous" }));
  await nix.record("add-root-absent", alone.addRoot({ txn, toplevel: absent, role: "previous" }));
  await nix.record("set-profile", alone.setProfile(first));
  await nix.record("set-profile-next", alone.setProfile(system));
  await nix.record("set-profile-absent", alone.setProfile(absent));
  await nix.record("switch-generation", alone.switchGeneration(2));
  await nix.record("switch-generation-absent", alone.switchGeneration(77));
  await nix.record("delete-generations", alone.deleteGenerations([1]));
}

/** What lies in a cache, and in one that signs with a key nobody trusts. */
async function playFetches(nix: Recorder): Promise<void> {
  const derivation = await instantiate(nix, "fetched");
  const inputs = await nix.prepare("nix-store", "--query", "--references", derivation);
  const greet = await nix.prepare("nix-store", "--realise", named(inputs, "greet-1.2.drv"));
  await fillCaches(nix, greet);
  const closure = await nix.prepare("nix-store", "--query", "--requisites", greet);
  const forget = () => nix.prepare("nix-store", "--gc");
  await forget();
  await nix.record("dry-run-fetches", withCache.dryRun(derivation));
  const untrusted = { txn, toplevel: greet, role: "previous" } as const;
  await nix.record("add-root-untrusted", withStrangers.addRoot(untrusted));
  await nix.record("build-fetched", withCache.build({ txn, derivation, repair: false }));
  const needing = (await nix.record("referrers-alive", alone.referrers([greet]))).stdout.trim();
  await nix.record("delete-paths-alive", alone.deletePaths(needing.split("\n")));
  await nix.prepare("rm", `${paths.gcRoots}/${txn}`);
  await forget();
  const entries = closure.split("\n").map((path) => ({ path, ...nothingKnown }));
  const root = `${paths.gcRoots}/staged`;
  await nix.record("import-staged", alone.importStaged({ entries, staging: cache, root }));
  const library = alone.referrers([named(closure, "libgreet-1.0")]);
  const dropped = (await nix.record("referrers", library)).stdout.trim();
  await nix.prepare("sh", "-c", `rm ${root}*`);
  await nix.record("delete-paths", alone.deletePaths(dropped.split("\n")));
  await nix.record("build-untrusted", withStrangers.build({ txn, derivation, repair: false }));
}

/** Of what the lines do not look at. */
const nothingKnown = { narHash: "", narSize: 0, references: [] };

async function fillCaches(nix: Recorder, path: string): Promise<void> {
  const copy = ["env", "NIX_CONFIG=experimental-features = nix-command", "nix", "copy", "--to"];
  await nix.prepare(...copy, `file://${cache}`, path);
  const key = `${paths.state}/strangers-key`;
  await nix.prepare("nix-store", "--generate-binary-cache-key", "strangers-1", key, `${key}.pub`);
  await nix.prepare(...copy, `file://${strangersCache}?secret-key=${key}`, path);
}

/** Content that is not what the store says, found and put right. */
async function playDamage(nix: Recorder, system: string): Promise<void> {
  const closure = await nix.prepare("nix-store", "--query", "--requisites", system);
  const etc = named(closure, "etc");
  nix.damage(etc);
  await nix.record("verify-path-damaged", alone.verifyPaths([system, etc]));
  await nix.record("verify-path-system", alone.verifyPaths([system]));
  await nix.record("verify-path-etc", alone.verifyPaths([etc]));
  await nix.record("verify-store-damaged", alone.verifyStore());
  const nowhere = withStrangers.repairPath({ path: etc, from: "substituters" });
  await nix.record("repair-path-nowhere", nowhere);
  await nix.record("verify-path-nowhere", alone.verifyPaths([etc]));
  await nix.record("repair-path", alone.repairPath({ path: etc, from: "derivation" }));
  await nix.record("verify-path-repaired", alone.verifyPaths([system, etc]));
  nix.damage(etc);
  const again = { ...evaluation("whole"), repair: true };
  const { stdout } = await nix.record("instantiate-repair", alone.instantiate(again, "root"));
  const derivation = await nix.prepare("readlink", stdout.trim());
  await nix.record("build-repair", alone.build({ txn, derivation, repair: true }));
}

async function playEnds(nix: Recorder): Promise<void> {
  await nix.record("collect-garbage-part", alone.collectGarbage(1));
  await nix.record("collect-garbage", alone.collectGarbage(null));
  const line = alone.instantiate(evaluation("whole"), "root");
  // Without its daemon, the one thing that an environment decides.
  await nix.record("daemon-away", { ...line, env: { ...line.env, NIX_REMOTE: "daemon" } });
}

/** The path with that name among those of a list. */
function named(list: string, name: string): string {
  const found = list.split("\n").find((path) => path.endsWith(`-${name}`));
  if (found === undefined) throw new Error(`${name}: not among ${list}`);
  return found;
}
