import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { openSpool } from "#agent/link/spool.ts";
import { readPinnedInstance } from "#agent/pinned-instance.ts";
import { resultFile } from "#agent/status.ts";
import { sha256 } from "#core/canonical-json.ts";
import type { Files } from "#core/io.ts";
import { silentLog } from "#core/log.ts";
import { readJournal } from "#provisioner/system/journal.ts";
import { systemPaths } from "#provisioner/system/paths.ts";
import { listFiles } from "#provisioner/system/write-sources.ts";
import type { StoryNode } from "./story.ts";

const paths = systemPaths({});
/** Where the stand-in for systemd keeps timers. */
const transientUnits = "run/systemd/transient";
const nextTry = "firstlight-retry.timer";

/** What a node is, each part read from where it lies. */
export interface Standing {
  readonly running: string | undefined;
  readonly bootDefault: string | undefined;
  /** Where the system profile points. */
  readonly generation: number | null;
  readonly profile: string | undefined;
  readonly generations: number;
  /** Digest that the links in /etc/nixos name, each. */
  readonly published: readonly (string | undefined)[];
  /** Digest of the sources behind them, worked out from their bytes. */
  readonly publishedBytes: string | undefined;
  /** Digest of the sources of the newest committed trial. */
  readonly committed: string | null | undefined;
  readonly instanceId: string | undefined;
  /** What the journal leaves open. */
  readonly open: string;
  readonly outbox: readonly OutboxRow[];
}

/** An event that was told. */
export interface OutboxRow {
  readonly kind: string;
  readonly body: { readonly outcome?: string; readonly generation?: number };
}

/** Reads a node from outside; throws where something cannot be read. */
export function standing({ machine, io }: StoryNode): Standing {
  const { files } = io;
  const { ledger, torn } = readJournal(files, paths.journal);
  const links = ["configuration.nix", "firstlight"].map((name) =>
    files.readLink(`${paths.etcNixos}/${name}`),
  );
  const published = links.map((link) => /sources\/([0-9a-f]{64})\//.exec(link ?? "")?.[1]);
  const generations = machine.profileGenerations();
  const current = generations.find((made) => made.current);
  const last = ledger.ended.findLast((trial) => trial.outcome === "committed");
  return {
    running: machine.currentSystem(),
    bootDefault: machine.bootDefault(),
    generation: current?.number ?? null,
    profile: current?.system,
    generations: generations.length,
    published,
    publishedBytes: published[0] === undefined ? undefined : digestOf(files, published[0]),
    committed: last?.attempt.closure.sourcesDigest,
    instanceId: readPinnedInstance(files)?.instanceId,
    open: torn === null ? ledger.state.state : "torn",
    outbox: readSpooled(files),
  };
}

/** What does not fit together on a node whose last change has ended; empty on a sound one. */
export function inconsistencies(node: StoryNode): readonly string[] {
  const now = standing(node);
  const problems: string[] = [];
  const same = (what: string, ...values: readonly unknown[]) => {
    if (new Set(values).size > 1) problems.push(`${what}: ${values.join(", ")}`);
  };
  same("running, profile and boot default", now.running, now.profile, now.bootDefault);
  same("what /etc/nixos describes", ...now.published, now.publishedBytes, now.committed);
  same("the journal's open transaction", now.open, "none");
  return problems;
}

/**
 * Files that a change which was not finished leaves behind, and a finished one does not. The lock
 * of a process that is dead holds nobody up, and is not among them.
 */
export function leftovers({ machine }: StoryNode): readonly string[] {
  const { root } = machine;
  const below = (directory: string) =>
    existsSync(path.join(root, directory))
      ? readdirSync(path.join(root, directory), { recursive: true, encoding: "utf8" })
          .map((name) => `${directory}/${name}`)
          .sort()
      : [];
  const transient = below(transientUnits).filter((file) => !file.endsWith(nextTry));
  const ours = ["var/lib/firstlight", "var/lib/firstlight-agent", "run/firstlight", "etc/nixos"];
  return [
    ...ours.flatMap(below).filter((file) => /\.tmp$|\.new(\/|$)|\.stale-|\.torn-/.test(file)),
    ...below("nix/var/nix/gcroots/firstlight"),
    ...below("nix/var/nix/profiles/system-profiles"),
    ...transient,
    ...below("sys/firmware/efi/efivars").filter((file) => file.includes("/LoaderEntryOneShot-")),
  ];
}

/** Whether a timer is set that starts the boot again. */
export function isTriedAgain({ machine }: StoryNode): boolean {
  return existsSync(path.join(machine.root, transientUnits, nextTry));
}

/** How the last boot ended, as `status` tells it. */
export function lastOutcome({ io }: StoryNode): string | undefined {
  const text = io.files.readText(resultFile);
  return text === undefined ? undefined : (JSON.parse(text) as { outcome: string }).outcome;
}

/** The digest of written sources: of every path, mode and text, as rendering has it. */
function digestOf(files: Files, digest: string): string {
  const directory = `${paths.sources}/${digest}`;
  const parts = listFiles(files, directory).map((name) => {
    const { mode } = files.stat(`${directory}/${name}`) ?? { mode: 0 };
    return `${name}\0${mode}\0${sha256(files.readText(`${directory}/${name}`) ?? "")}\n`;
  });
  return sha256(parts.join(""));
}

/** Every event that the root side has told, the oldest first. */
export function readSpooled(files: Files): readonly OutboxRow[] {
  return [...openSpool(files, silentLog).after(0)].flatMap(({ events }) =>
    events.map(({ kind, body }) => ({ kind, body: body as OutboxRow["body"] })),
  );
}
