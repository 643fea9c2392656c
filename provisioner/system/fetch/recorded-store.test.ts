import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import { nameOf } from "../fake-follower.ts";
import { recordedLines } from "../recorded-lines.ts";
import { type RecordedNix, recordedNixes } from "../recorded-nix.ts";
import { readStoreObjects } from "../store-objects.ts";
import { nixStore } from "./store-commands.ts";

const lines = recordedLines();
const system = ["unit-sshd.service", "etc", "nixos-system-edge-25.11"];

/** The store of a recorded Nix, which is asked for exactly what was recorded. */
function store(t: { testdir(): string }, nix: RecordedNix, ...names: readonly string[]) {
  return nixStore(
    nix.replay(...names),
    lines,
    hostFiles(t.testdir(), () => {}),
  );
}

/** The paths that a recorded line ends with. */
function paths(nix: RecordedNix, name: string): readonly string[] {
  return nix.recording(name).argv.filter((argument) => /^\/nix\/store\//.test(argument));
}

for (const nix of recordedNixes) {
  t.test(`Nix ${nix.version}: what the store says of its paths is read`, async (t) => {
    const infos = await store(t, nix, "invalid-paths-none", "store-info").storeInfo(
      paths(nix, "store-info"),
    );
    t.strictSame(
      infos.map(({ path, narSize, references }) => [nameOf(path), narSize, references.map(nameOf)]),
      [
        ["unit-sshd.service", 120, []],
        ["etc", 176, ["unit-sshd.service"]],
        ["nixos-system-edge-25.11", 160, ["etc"]],
      ],
    );
    t.ok(infos.every(({ narHash }) => /^sha256-[A-Za-z0-9+/]{43}=$/.test(narHash)));
  });

  t.test(`Nix ${nix.version}: closures and sizes are read`, async (t) => {
    const closure = await store(t, nix, "closures").closures(paths(nix, "closures"));
    t.strictSame(closure.map(nameOf), system);
    const [asked = ""] = paths(nix, "requisites");
    const run = nix.replay("requisites", "sizes");
    const [objects = []] = await readStoreObjects([asked], lines, run);
    t.strictSame(
      objects.map(({ path, bytes }) => [nameOf(path), bytes]),
      system.map((name, index) => [name, [120, 176, 160][index]]),
    );
  });

  t.test(`Nix ${nix.version}: a damaged path is found and mended`, async (t) => {
    const some = paths(nix, "verify-path-damaged");
    const [, etc = ""] = some;
    const found = store(
      t,
      nix,
      ...["verify-path-damaged", "verify-path-system", "verify-path-etc"],
    );
    t.strictSame(await found.corruptPaths(some), [etc]);
    t.strictSame(await store(t, nix, "verify-store-damaged").verifyStore(), [etc]);
    t.strictSame(await store(t, nix, "verify-store").verifyStore(), []);
    const repairing = { path: etc, from: "derivation" } as const;
    t.ok(await store(t, nix, "repair-path").repairPath(repairing));
    t.strictSame(await store(t, nix, "verify-path-repaired").corruptPaths(some), []);
  });

  t.test(`Nix ${nix.version}: what a repair did not mend is damaged still`, async (t) => {
    // Its exit code says nothing: later versions end with 0 where there is nothing to mend with.
    const [, etc = ""] = paths(nix, "verify-path-damaged");
    const left = store(t, nix, "verify-path-nowhere", "verify-path-nowhere");
    t.strictSame(await left.corruptPaths([etc]), [etc]);
  });

  t.test(`Nix ${nix.version}: paths are dropped where nothing needs them`, async (t) => {
    const [greet = ""] = paths(nix, "delete-paths-alive");
    const alive = store(t, nix, "referrers-alive", "delete-paths-alive");
    t.equal(await alive.deletePaths([greet]), false);
    const [library = ""] = paths(nix, "referrers");
    t.equal(await store(t, nix, "referrers", "delete-paths").deletePaths([library]), true);
  });
}
