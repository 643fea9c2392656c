import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { ExecRequest } from "#core/io.ts";
import type { Commands } from "./commands.ts";
import { nameOf } from "./fake-follower.ts";
import { nixCommands } from "./nix-commands.ts";
import { recordedLines, recordedSettings } from "./recorded-lines.ts";
import { oldNix, type RecordedNix, recordedNixes } from "./recorded-nix.ts";

const txn = "20260101T000000-00000000";
const evaluation = {
  sourcesDigest: "whole",
  txn,
  nixpkgs: "/var/lib/firstlight/nixpkgs",
  repair: false,
};

/** The commands that firstlight works with, on a Nix that answers as it did for these names. */
function commands(t: { testdir(): string }, nix: RecordedNix, ...names: string[]) {
  const replay = nix.replay(...names);
  const program = (request: ExecRequest) => {
    const argv = [request.file, ...request.args] as const;
    return replay({ argv, timeoutMs: request.timeoutMs });
  };
  const programs = { "nix-env": program, "nix-instantiate": program, "nix-store": program };
  const io = fakeIo(t.testdir(), programs);
  const talk = { emit: () => {}, signal: new AbortController().signal };
  const settings = recordedSettings([]);
  const options = { io, storeFiles: io.files, settings, lines: recordedLines(), talk };
  return { files: io.files, commands: nixCommands(options) };
}

/** What a root leads to, as Nix has made it while it was recorded. */
function lastPath(nix: RecordedNix, name: string): string {
  return nix.recording(name).argv.findLast((argument) => argument.startsWith("/nix/store/")) ?? "";
}

for (const nix of recordedNixes) {
  const [system = "", first = ""] = [
    lastPath(nix, "set-profile-next"),
    lastPath(nix, "set-profile"),
  ];

  t.test(`Nix ${nix.version}: the system that sources evaluate to is read`, async (t) => {
    const { commands: nixes } = commands(t, nix, "evaluate");
    t.equal(await nixes.evaluatesTo(evaluation), system);
    const wrong = commands(t, nix, "evaluate-undefined").commands;
    const asked = { ...evaluation, sourcesDigest: "undefined-variable" };
    await t.rejects(wrong.evaluatesTo(asked), {
      code: "system/evaluation-failed",
      message: "configuration.nix:3: undefined variable 'frobnicate'",
    });
  });

  t.test(
    `Nix ${nix.version}: what evaluating and building made is found by its root`,
    async (t) => {
      const made = commands(t, nix, "instantiate-whole", "dry-run-builds", "build-whole");
      const derivation = lastPath(nix, "dry-run-builds");
      made.files.link(derivation, `/nix/var/nix/gcroots/firstlight/${txn}-drv`);
      made.files.link(system, `/nix/var/nix/gcroots/firstlight/${txn}`);
      t.equal(await made.commands.instantiate(evaluation), derivation);
      t.equal((await made.commands.dryRun(derivation))?.builds.length, 3);
      t.equal(await made.commands.build({ txn, derivation, repair: false }), system);
    },
  );

  t.test(`Nix ${nix.version}: generations are made, chosen, deleted and collected`, async (t) => {
    const names = ["set-profile", "set-profile-next", "switch-generation", "delete-generations"];
    const ends = ["collect-garbage-part", "collect-garbage"];
    const { commands: nixes } = commands(t, nix, ...names, ...ends);
    await nixes.setProfile(first);
    await nixes.setProfile(system);
    await nixes.switchGeneration(2);
    await nixes.deleteGenerations([1]);
    await nixes.collectGarbage(1);
    await nixes.collectGarbage(null);
    t.equal(nameOf(system), "nixos-system-edge-25.11");
  });

  const absent = lastPath(nix, "set-profile-absent");
  const refused: Readonly<Record<string, (nixes: Commands) => Promise<unknown>>> = {
    "set-profile-absent": (nixes) => nixes.setProfile(absent),
    "switch-generation-absent": (nixes) => nixes.switchGeneration(77),
    "add-root-absent": (nixes) => nixes.addRoot({ txn, toplevel: absent, role: "previous" }),
  };
  for (const [name, ask] of Object.entries(refused)) {
    t.test(`Nix ${nix.version}: ${name} is no success`, async (t) => {
      const { commands: nixes } = commands(t, nix, name);
      await t.rejects(ask(nixes), { message: /(-absent-1\.0|77)/ });
    });
  }
}

t.test(`Nix ${oldNix.version} is refused before anything is done`, async (t) => {
  const { commands: nixes } = commands(t, oldNix, "evaluate");
  await t.rejects(nixes.evaluatesTo(evaluation), { code: "system/nix-too-old" });
});
