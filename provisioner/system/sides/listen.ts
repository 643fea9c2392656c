import { chmodSync, chownSync } from "node:fs";
import { connect, createServer, type ListenOptions, type Server } from "node:net";
import path from "node:path";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import { courierGroup, courierSocket, operatorSocket } from "./places.ts";

/** Names of the doors, as systemd's `FileDescriptorName=` gives them. */
export type DoorName = "operator" | "courier";

/** The kernel's limit for the path of a socket. */
const maxPathBytes = 107;
const firstPassedFd = 3;

/**
 * Sockets that listen: those that systemd has opened and handed over, else the door's own places
 * below the root. Throws `side/listen-failed`.
 */
export async function listenAtDoors(io: Io): Promise<ReadonlyMap<DoorName, Server>> {
  const passed = passedSockets(io.env);
  const places: ReadonlyMap<DoorName, ListenOptions> = passed ?? (await ownPlaces(io));
  const servers = new Map<DoorName, Server>();
  for (const [name, place] of places) {
    const server = createServer({ allowHalfOpen: true });
    await listening(server, place);
    if (place.path !== undefined) openTo(io, name, place.path);
    servers.set(name, server);
  }
  return servers;
}

/** What systemd handed over (sd_listen_fds(3)); `undefined` where it did not start this process. */
export function passedSockets(
  env: Io["env"],
  pid = process.pid,
): ReadonlyMap<DoorName, ListenOptions & { readonly fd: number }> | undefined {
  if (env["LISTEN_PID"] !== String(pid)) return undefined;
  const names = (env["LISTEN_FDNAMES"] ?? "").split(":");
  const count = Number(env["LISTEN_FDS"]);
  if (!Number.isInteger(count) || count < 1 || names.length !== count) {
    throw new Fault("side/listen-failed", "the sockets that systemd handed over have no names");
  }
  return new Map(
    names.map((name, index) => {
      if (name === "operator" || name === "courier") return [name, { fd: firstPassedFd + index }];
      throw new Fault("side/listen-failed", `systemd handed over a socket named ${name}`);
    }),
  );
}

async function ownPlaces(io: Io): Promise<ReadonlyMap<DoorName, ListenOptions>> {
  const places = new Map<DoorName, ListenOptions>();
  for (const [name, file] of [
    ["operator", operatorSocket],
    ["courier", courierSocket],
  ] as const) {
    io.files.makeDirectory(path.posix.dirname(file));
    const host = io.files.hostPath(file);
    if (Buffer.byteLength(host) > maxPathBytes) {
      throw new Fault("side/listen-failed", `${host}: longer than the path of a socket may be`);
    }
    if (await isAnswered(host)) {
      throw new Fault("side/listen-failed", `${host}: another root side listens there`);
    }
    io.files.remove(file); // of one that was killed
    places.set(name, { path: host });
  }
  return places;
}

function isAnswered(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(host);
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    socket.once("connect", () => socket.destroy());
  });
}

/** For nobody but root until its mode says otherwise. */
function listening(server: Server, place: ListenOptions): Promise<void> {
  const before = process.umask(0o177);
  return new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", (cause) => {
      reject(new Fault("side/listen-failed", cause.message, { cause }));
    });
    server.listen(place);
  }).finally(() => process.umask(before));
}

/** The courier's door is open to its group, where there is one. */
function openTo(io: Io, name: DoorName, host: string): void {
  const gid = name === "courier" ? groupId(io, courierGroup) : undefined;
  if (gid === undefined || process.geteuid?.() !== 0) return;
  chownSync(host, 0, gid);
  chmodSync(host, 0o660);
}

function groupId(io: Io, group: string): number | undefined {
  const line = (io.files.readText("/etc/group") ?? "")
    .split("\n")
    .find((entry) => entry.startsWith(`${group}:`));
  const gid = Number(line?.split(":")[2]);
  return Number.isInteger(gid) ? gid : undefined;
}
