import { isFault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";

/** What can keep an update from changing the machine now. */
export type InhibitorName = "login" | "battery" | "metered";

/** Something that keeps it. */
export interface Inhibitor {
  readonly name: InhibitorName;
  /** For a person. */
  readonly why: string;
}

/** What of these keeps an update now, of those that the owner wants to count. */
export async function findInhibitors(
  io: Io,
  wanted: readonly InhibitorName[],
): Promise<readonly Inhibitor[]> {
  const found = await Promise.all(
    wanted.map(async (name) => ({ name, why: await looks[name](io) })),
  );
  return found.flatMap(({ name, why }) => (why === undefined ? [] : [{ name, why }]));
}

/** Each says why it keeps the update, `undefined` where it does not. */
const looks: Readonly<Record<InhibitorName, (io: Io) => Promise<string | undefined>>> = {
  login: async ({ files }) => whoIsThere(files),
  battery: async ({ files }) => onBattery(files),
  metered: async (io) => onMetered(io),
};

const sessions = "/run/systemd/sessions";
/** Classes of logind that stand for a person: not those of greeters, background jobs and managers. */
const persons = ["user", "user-early", "user-light"];

/** A person who is logged in, by logind's files of sessions. */
function whoIsThere(files: Files): string | undefined {
  for (const name of files.list(sessions)) {
    const session = readAssignments(files, `${sessions}/${name}`);
    const isThere = session.get("STATE") === "active" || session.get("STATE") === "online";
    if (!isThere || !persons.includes(session.get("CLASS") ?? "")) continue;
    const user = session.get("USER") ?? session.get("UID") ?? "somebody";
    const from = session.get("REMOTE_HOST") ?? session.get("TTY");
    return `${user} is logged in${from === undefined ? "" : ` (${from})`}`;
  }
  return undefined;
}

const supplies = "/sys/class/power_supply";

/** A battery of the machine itself that gives power, with no mains that does. */
function onBattery(files: Files): string | undefined {
  const all = files.list(supplies).map((name) => {
    const read = (attribute: string) => files.readText(`${supplies}/${name}/${attribute}`)?.trim();
    return {
      name,
      type: read("type"),
      online: read("online"),
      status: read("status"),
      scope: read("scope"),
      level: read("capacity"),
    };
  });
  const own = all.filter(({ scope }) => scope !== "Device"); // a mouse has one too
  if (own.some(({ type, online }) => type !== "Battery" && online === "1")) return undefined;
  const used = own.find(({ type, status }) => type === "Battery" && status === "Discharging");
  if (used === undefined) return undefined;
  return `on battery (${used.name}${used.level === undefined ? "" : `, ${used.level} %`})`;
}

/** NetworkManager's word where it runs, else a way out that goes over a mobile network. */
async function onMetered(io: Io): Promise<string | undefined> {
  const { files } = io;
  if (files.stat("/run/NetworkManager") !== undefined) {
    const asked = await askNetworkManager(io);
    if (asked !== undefined)
      return asked ? "the network is metered, as NetworkManager says" : undefined;
  }
  const mobile = defaultRoutes(files).find((name) =>
    /^DEVTYPE=wwan$/m.test(files.readText(`/sys/class/net/${name}/uevent`) ?? ""),
  );
  return mobile === undefined ? undefined : `the way out is the mobile network ${mobile}`;
}

const managerArguments = [
  "get-property",
  "org.freedesktop.NetworkManager",
  "/org/freedesktop/NetworkManager",
  "org.freedesktop.NetworkManager",
  "Metered",
];

/** https://networkmanager.dev/docs/api/latest/nm-dbus-types.html#NMMetered: 1 yes, 3 guessed yes. */
async function askNetworkManager(io: Io): Promise<boolean | undefined> {
  try {
    const request = { file: "busctl", args: managerArguments, timeoutMs: 10_000 };
    const { code, stdout } = await io.exec(request);
    const [, number] = /^u ([0-9]+)/.exec(stdout) ?? [];
    return code === 0 && number !== undefined ? number === "1" || number === "3" : undefined;
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}

/** Interfaces of default routes, by the kernel's tables of both versions. */
function defaultRoutes(files: Files): readonly string[] {
  const rows = (file: string) =>
    (files.readText(file, { maxBytes: 1024 * 1024 }) ?? "")
      .split("\n")
      .map((line) => line.trim().split(/\s+/));
  const v4 = rows("/proc/net/route").filter(
    ([, to, , , , , , mask]) => to === "00000000" && mask === "00000000",
  );
  const v6 = rows("/proc/net/ipv6_route").filter(
    ([to, length]) => /^0{32}$/.test(to ?? "") && length === "00",
  );
  const names = [...v4.map(([name]) => name), ...v6.map((row) => row.at(-1))];
  return names.filter((name): name is string => name !== undefined && name !== "" && name !== "lo");
}

function readAssignments(files: Files, file: string): ReadonlyMap<string, string> {
  const text = files.readText(file, { maxBytes: 64 * 1024 }) ?? "";
  const lines = text.split("\n").flatMap((line) => {
    const [, key, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
  return new Map(lines);
}
