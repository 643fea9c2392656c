import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
} from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { sha256 } from "#core/canonical-json.ts";
import { isFault } from "#core/fault.ts";
import { hostIo } from "#core/host-io.ts";
import { hostProcesses, openLock } from "#provisioner/system/lock.ts";
import { filesBelow } from "../files-below.ts";
import { isAlive, onHost } from "./host.ts";

/** Outside the repository: what lies there can always be made again. */
const cache = path.join(
  process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"),
  "firstlight/boot",
);
const pollMs = 500;
const unusedDays = 3;

/**
 * The directory that `make` fills, made once for the same `parts`. Published in one step, so that
 * nobody sees half of it; of several processes that want it one makes it and the others wait.
 */
export async function cached(
  name: string,
  parts: readonly string[],
  make: (directory: string) => Promise<void>,
): Promise<string> {
  const key = `${name}-${sha256(parts.join("\0")).slice(0, 20)}`;
  const place = path.join(cache, key);
  mkdirSync(cache, { recursive: true });
  const release = await hold(`${place}.lock`);
  try {
    if (!existsSync(place)) await publish(key, make);
    const now = new Date();
    utimesSync(place, now, now);
    await forgetUnused(name);
  } finally {
    release();
  }
  return place;
}

/** A digest of every file below a directory: name, mode and bytes. */
export function digestOfTree(directory: string): string {
  const parts = filesBelow(directory)
    .map((file) => {
      const mode = statSync(file).mode.toString(8);
      return `${path.relative(directory, file)} ${mode} ${sha256(readFileSync(file))}`;
    })
    .sort();
  return sha256(parts.join("\n"));
}

async function publish(key: string, make: (directory: string) => Promise<void>): Promise<void> {
  const staging = path.join(cache, `.${key}.${process.pid}`);
  try {
    await remove(staging);
    mkdirSync(staging);
    await make(staging);
    renameSync(staging, path.join(cache, key));
  } finally {
    await remove(staging);
  }
}

/** Waits for the lock; the one of a process that has died is no hindrance. */
async function hold(file: string): Promise<() => void> {
  const lock = openLock(hostIo(), file, hostProcesses());
  for (;;) {
    try {
      lock.acquire();
      return () => lock.release();
    } catch (error) {
      if (!isFault(error, "system/locked")) throw error;
      await delay(pollMs);
    }
  }
}

/** Removes what nobody has asked for in a while, and what a process that died has left half-made. */
async function forgetUnused(name: string): Promise<void> {
  for (const entry of readdirSync(cache)) {
    const staging = /^\.(.*)\.(\d+)$/.exec(entry);
    const full = path.join(cache, entry);
    const ageDays = (Date.now() - statSync(full).mtimeMs) / 86_400_000;
    const isOld = staging === null ? ageDays > unusedDays : !isAlive(Number(staging[2]));
    if (isOld && (staging?.[1] ?? entry).startsWith(`${name}-`)) await remove(full);
  }
}

/** Never leads into what somebody has mounted there. */
async function remove(directory: string): Promise<void> {
  await onHost(["rm", "-rf", "--one-file-system", "--", directory], { timeoutMs: 300_000 });
}
