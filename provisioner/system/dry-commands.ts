import { sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { generationFile, generationRecordFile } from "#provisioner/render/generation-record.ts";
import { printedRecord } from "#provisioner/render/printed-record.ts";
import { bootPlaces } from "./boot-places.ts";
import {
  buildUnits,
  type CommandLine,
  type CommandLines,
  type CommandSettings,
  derivationRoot,
  rootOf,
  shownArgv,
  systemRoot,
} from "./command-lines.ts";
import type { Commands, SwitchEnd, Talk } from "./commands.ts";
import { whoEvaluates } from "./evaluate-apart.ts";
import { dryStore } from "./fetch/store-commands.ts";
import { storeLines } from "./fetch/store-lines.ts";
import { readGenerations, readProfile } from "./generations.ts";
import { noNeed } from "./nix-dry-run.ts";
import { retryLines } from "./retry-lines.ts";

/** What commands that are only said work with. */
export interface DryCommandsOptions {
  /** The fake machine; its store and profiles lie below its root as well. */
  readonly files: Files;
  readonly settings: CommandSettings;
  readonly lines: CommandLines;
  readonly talk: Talk;
}

/** What a made-up derivation holds, before the digest of its sources. */
const madeUp = "made up of the sources ";

const done: SwitchEnd = { exitCode: 0, timedOut: false, relayed: false, output: "" };

/**
 * {@link Commands} that say what would run and start no process. The fake machine changes as a real
 * one would: a store with made-up paths that follow from the sources, generations, a running system.
 * Throws `system/dry-needs-root` on a real machine.
 */
export function dryCommands({ files, settings, lines, talk }: DryCommandsOptions): Commands {
  if (files.root === "/") {
    throw new Fault("system/dry-needs-root", "the dry driver needs a root other than /");
  }
  const { paths } = settings;
  const say = (line: CommandLine | undefined): void => {
    if (line !== undefined) talk.emit({ type: "command", argv: shownArgv(line), run: false });
  };

  /**
   * What the sources of a made-up derivation say of the system: where it reports, what changes it. No
   * scripts are among it: nothing runs them here, and who waits for their end would wait for ever.
   */
  const recordOf = (derivation: string): string | undefined => {
    const digest = files.readText(derivation)?.slice(madeUp.length).trim() ?? "";
    const module = files.readText(`${paths.sources}/${digest}/${generationFile}`);
    const record = module === undefined ? undefined : printedRecord(module);
    if (typeof record !== "object" || record === null) return undefined;
    return JSON.stringify({ ...record, commands: [] });
  };

  return {
    whoEvaluates: (sourcesDigest) => whoEvaluates(files, settings, sourcesDigest),
    async instantiate(evaluation) {
      say(lines.instantiate(evaluation, this.whoEvaluates(evaluation.sourcesDigest)));
      const { txn, sourcesDigest, nixpkgs } = evaluation;
      const derivation = dryDerivation(paths.store, sourcesDigest, nixpkgs);
      files.write(derivation, `${madeUp}${sourcesDigest}\n`, { mode: 0o444 });
      files.link(derivation, derivationRoot(paths, txn));
      return derivation;
    },
    async evaluatesTo({ sourcesDigest, nixpkgs }) {
      say(lines.evaluate({ sourcesDigest, nixpkgs }, this.whoEvaluates(sourcesDigest)));
      return dryToplevel(dryDerivation(paths.store, sourcesDigest, nixpkgs));
    },
    async failedUnits() {
      return [];
    },
    async dryRun(derivation) {
      say(lines.dryRun(derivation));
      return { ...noNeed, builds: [derivation] };
    },
    async stopBuild(txn) {
      say(lines.stopScopes(...buildUnits(txn)));
    },
    async build(building) {
      say(lines.build(building));
      const toplevel = dryToplevel(building.derivation);
      files.write(`${toplevel}/nixos-version`, "dry\n", { mode: 0o444 });
      const record = recordOf(building.derivation);
      if (record !== undefined)
        files.write(`${toplevel}/${generationRecordFile}`, record, { mode: 0o444 });
      files.link(toplevel, systemRoot(paths, building.txn));
      return toplevel;
    },
    async swapOnFile(file, bytes) {
      for (const line of [lines.allocate(file, bytes), lines.makeSwap(file), lines.swapOn(file)])
        say(line);
    },
    async swapOnZram(device, bytes) {
      for (const line of [lines.setUpZram(device, bytes), lines.makeSwap(device)]) say(line);
      say(lines.swapOn(device));
    },
    async loadZram() {
      say(lines.loadZram());
    },
    async swapOff(place) {
      say(lines.swapOff(place));
    },
    async resetZram(device) {
      say(lines.resetZram(device));
    },
    async isOurSwap(device) {
      say(lines.contentOf(device));
      return true;
    },
    async addRoot(root) {
      say(lines.addRoot(root));
      files.link(root.toplevel, rootOf(paths, root));
    },
    async syncStore() {
      say(lines.syncStore());
    },
    async syncBoot() {
      const places = bootPlaces(files);
      if (places.length > 0) say(lines.syncBoot(places));
    },
    async setProfile(toplevel) {
      say(lines.setProfile(toplevel));
      if (readProfile(files, paths).toplevel === toplevel) return;
      const last = readGenerations(files, paths).at(-1)?.generation ?? 0;
      files.link(toplevel, `${paths.profile}-${last + 1}-link`);
      files.link(`system-${last + 1}-link`, paths.profile);
    },
    async switchGeneration(generation) {
      say(lines.switchGeneration(generation));
      files.link(`system-${generation}-link`, paths.profile);
    },
    async deleteGenerations(generations) {
      say(lines.deleteGenerations(generations));
      for (const generation of generations) files.remove(`${paths.profile}-${generation}-link`);
    },
    async collectGarbage(maxBytes) {
      say(lines.collectGarbage(maxBytes));
    },
    async runHook(request) {
      say(lines.runHook(request));
      return done;
    },
    async switchTo(request) {
      say(lines.switchTo(request));
      if (request.action === "test") files.link(request.toplevel, paths.currentSystem);
      return done;
    },
    async check(toplevel) {
      say(lines.check(toplevel));
      return done;
    },
    async dryActivate(toplevel) {
      say(lines.dryActivate(toplevel));
      return done;
    },
    store: dryStore({ files, lines: storeLines(settings), say }),
    async storeObjects(systems) {
      for (const system of systems) say(lines.requisites(system));
      return null;
    },
    async armWayBack({ txn, previous }) {
      say(lines.armWayBack(txn, previous));
    },
    async disarmWayBack(txn) {
      say(lines.disarmWayBack(txn));
    },
    async armRestart({ txn, afterMs }) {
      say(lines.armRestart(txn, afterMs));
    },
    holdWayBack: async () => false,
    async stopRetry() {
      say(retryLines.stop);
    },
    async armRetry(afterMs) {
      say(retryLines.arm(afterMs));
    },
    endOfSwitch: async () => undefined,
    async forgetSwitch() {},
    async chooseLoader() {
      throw new Fault("system/reboot-impossible", "the dry driver restarts no machine");
    },
    async setTrialProfile(toplevel) {
      say(lines.setTrialProfile(toplevel));
    },
    bootOnce: async ({ toplevel }) => toplevel,
    async forgetOnce() {},
    async forgetChoice() {},
    whyNotOnce: async () => null,
    async restart(how) {
      say(lines.restart(how));
    },
    async disarmAll() {
      say(lines.disarmAll());
    },
    async awaitSwitch() {},
  };
}

/** The made-up derivation of sources: equal ones give an equal path. */
export function dryDerivation(
  store: string,
  sourcesDigest: string,
  nixpkgs: string | null,
): string {
  return `${store}/${storeHash(`${sourcesDigest} ${nixpkgs}`)}-nixos-system-firstlight.drv`;
}

/** The made-up output of a made-up derivation. */
export function dryToplevel(derivation: string): string {
  const slash = derivation.lastIndexOf("/");
  return `${derivation.slice(0, slash)}/${storeHash(derivation)}-nixos-system-firstlight`;
}

/** 32 characters of Nix's base-32 alphabet. */
function storeHash(text: string): string {
  const alphabet = "0123456789abcdfghijklmnpqrsvwxyz";
  const bytes = Buffer.from(sha256(text), "hex");
  return Array.from(bytes, (byte) => alphabet[byte % 32]).join("");
}
