import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Courier, CourierAnswer, CourierRequest } from "../fetch/courier.ts";
import { inTransientUnit, type UnitProperty } from "../transient-unit.ts";

/** What a process is left that only talks to the network and to us. */
const sandbox: readonly UnitProperty[] = [
  ["DynamicUser", "yes"],
  ["CapabilityBoundingSet", ""],
  ["LockPersonality", "yes"],
  ["MemoryMax", "512M"],
  ["NoNewPrivileges", "yes"],
  ["PrivateDevices", "yes"],
  ["PrivateTmp", "yes"],
  ["PrivateUsers", "yes"],
  ["ProtectClock", "yes"],
  ["ProtectControlGroups", "yes"],
  ["ProtectHome", "yes"],
  ["ProtectHostname", "yes"],
  ["ProtectKernelLogs", "yes"],
  ["ProtectKernelModules", "yes"],
  ["ProtectKernelTunables", "yes"],
  ["ProtectProc", "invisible"],
  ["ProtectSystem", "strict"],
  ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_NETLINK AF_UNIX"],
  ["RestrictNamespaces", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["SystemCallArchitectures", "native"],
  ["SystemCallErrorNumber", "EPERM"],
  ["SystemCallFilter", "@system-service"],
  ["TemporaryFileSystem", "/var:ro"],
];

/** It ends with its input, so only one that hangs needs this. */
const longestMs = 24 * 3_600_000;
/** The first line of a child: a status and a number. */
const maxHeadBytes = 4_096;
const maxComplaintBytes = 2_048;

/** What a child is asked: one line of JSON on its input, which stays open as long as it is wanted. */
export type ChildRequest = Pick<CourierRequest, "url" | "offset" | "answerMs">;

/** What a child says first, before the bytes: one line of JSON. */
export type ChildHead = Pick<CourierAnswer, "status" | "offset">;

/** The line that starts a child without privileges, by systemd. */
export function apart(argv: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const properties: readonly UnitProperty[] = [
    ...sandbox,
    ["RuntimeMaxSec", `${longestMs / 1000}s`],
  ];
  return inTransientUnit({ argv, timeoutMs: longestMs }, { properties }).argv;
}

/**
 * A courier that asks a child for each request: what comes from the network meets no root until it
 * is bytes. The child is believed no more than the network is.
 */
export function courierChild(argv: readonly [string, ...string[]]): Courier {
  return { open: (request) => open(argv, request) };
}

async function open(
  [file, ...args]: readonly [string, ...string[]],
  { signal, ...request }: CourierRequest,
): Promise<CourierAnswer> {
  signal.throwIfAborted();
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
  const close = () => {
    child.stdin.destroy(); // which is the child's word to end
    child.stdout.destroy();
    child.kill();
  };
  signal.addEventListener("abort", close, { once: true });
  const complaint = lastWords(child.stderr);
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once("error", resolve);
    child.once("close", (code) => {
      signal.removeEventListener("abort", close);
      resolve(code === 0 ? undefined : new Error(complaint() || `the child ended with ${code}`));
    });
  });
  child.stdin.on("error", () => {}); // it may end before it has read
  child.stdin.write(`${JSON.stringify(request)}\n`);
  const bytes = (child.stdout as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  try {
    const { head, rest } = await readHead(bytes, ended);
    return { ...head, body: bodyOf({ rest, bytes, ended, signal, close }), close };
  } catch (error) {
    close();
    throw signal.aborted ? signal.reason : error;
  }
}

async function readHead(
  bytes: AsyncIterator<Uint8Array>,
  ended: Promise<Error | undefined>,
): Promise<{ readonly head: ChildHead; readonly rest: Uint8Array }> {
  let read = Buffer.alloc(0);
  for (;;) {
    const at = read.indexOf("\n");
    if (at !== -1) return { head: parseHead(read.subarray(0, at)), rest: read.subarray(at + 1) };
    if (read.length > maxHeadBytes) throw new Error("the child says no status");
    const next = await bytes.next();
    if (next.done === true) throw (await ended) ?? new Error("the child said nothing");
    read = Buffer.concat([read, next.value]);
  }
}

function parseHead(line: Uint8Array): ChildHead {
  const { status, offset } = JSON.parse(Buffer.from(line).toString("utf8")) as Partial<ChildHead>;
  if (Number.isSafeInteger(status) && Number.isSafeInteger(offset)) {
    return { status: status as number, offset: offset as number };
  }
  throw new Error("the child says no status");
}

interface Body {
  readonly rest: Uint8Array;
  readonly bytes: AsyncIterator<Uint8Array>;
  readonly ended: Promise<Error | undefined>;
  readonly signal: AbortSignal;
  readonly close: () => void;
}

async function* bodyOf({ rest, bytes, ended, signal, close }: Body): AsyncGenerator<Uint8Array> {
  try {
    if (rest.length > 0) yield rest;
    for (let next = await bytes.next(); next.done !== true; next = await bytes.next()) {
      yield next.value;
    }
    const error = await ended;
    if (error !== undefined) throw error;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    close();
  }
}

/** The end of what a child complains of, its last line. */
function lastWords(stream: Readable): () => string {
  let text = "";
  stream.on("data", (chunk: Uint8Array) => {
    text = (text + Buffer.from(chunk).toString("utf8")).slice(-maxComplaintBytes);
  });
  return () => text.trim().split("\n").at(-1) ?? "";
}
