import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

// The way of a machine through systems with and without profiles of NetworkManager, as a switch does it: what
// the new system has no more is stopped by its old text, then systemd reads the new one. Run by a unit of
// the container, at each of its boots.

/** What there is after a step. */
export interface Standing {
  readonly step: string;
  /** Files below /run and /etc whose text or name is ours. */
  readonly files: readonly string[];
  /** What NetworkManager knows; `undefined` where it does not run. */
  readonly known: readonly string[] | undefined;
  /** The way on D-Bus of each active profile, which is another one whenever it is set up anew. */
  readonly active: Readonly<Record<string, string>>;
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  readonly rules: readonly string[];
  readonly routes: readonly string[];
}

const systems = "/opt/systems";
const units = "/etc/systemd/system";
const leaving = "firstlight-network-manager.service";
const ensure = "NetworkManager-ensure-profiles.service";
const manager = "NetworkManager.service";
const story = "/var/story.json";

function run(file: string, ...args: readonly string[]): string {
  return execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

function tryRun(file: string, ...args: readonly string[]): string | undefined {
  try {
    return run(file, ...args);
  } catch {
    return undefined;
  }
}

const lines = (text: string) => text.split("\n").filter(Boolean);

/** The units of a system, or of one that has none of ours, take the place of those before. */
function lay(system: string | undefined): void {
  for (const unit of [leaving, ensure]) rmSync(path.join(units, unit), { force: true });
  if (system !== undefined) cpSync(path.join(systems, system), units, { recursive: true });
  run("systemctl", "daemon-reload");
}

function enter(system: string): void {
  lay(system);
  writeSecrets();
  // what multi-user.target wants and does not run
  run("systemctl", "start", leaving, ensure);
}

/** As the unit does that hands secrets out. */
function writeSecrets(): void {
  mkdirSync("/run/firstlight/network", { recursive: true });
  const text = readFileSync(path.join(units, ensure), "utf8");
  const [, file = ""] = /^EnvironmentFile=(.+)$/m.exec(text) ?? [];
  writeFileSync(file, "FIRSTLIGHT_SECRET=canary\n", { mode: 0o600 });
}

function look(step: string): void {
  const known = tryRun("nmcli", "-g", "NAME", "connection", "show");
  const active = tryRun("nmcli", "-g", "NAME,ACTIVE,DBUS-PATH", "connection", "show", "--active");
  const paths = lines(active ?? "").map((line) => {
    const [name = ""] = line.split(":");
    const at = run("nmcli", "-g", "GENERAL.DBUS-PATH", "connection", "show", "id", name);
    return [name, at.trim()] as const;
  });
  const addresses = JSON.parse(run("ip", "-json", "address")) as readonly {
    readonly ifname: string;
    readonly addr_info: readonly { readonly local: string; readonly scope: string }[];
  }[];
  const standing: Standing = {
    step,
    files: lines(
      tryRun(
        ...["grep", "-rIls", "-e", "firstlight-", "-e", "canary"],
        ...[
          "/run/NetworkManager",
          "/run/firstlight",
          "/etc/NetworkManager",
          "/var/lib/NetworkManager",
        ],
      ) ?? "",
    ).sort(),
    known: known === undefined ? undefined : lines(known).sort(),
    active: Object.fromEntries(paths),
    addresses: Object.fromEntries(
      addresses.map(({ ifname, addr_info }) => [
        ifname,
        addr_info.filter(({ scope }) => scope === "global").map(({ local }) => local),
      ]),
    ),
    rules: lines(run("ip", "rule")).filter((line) => !/lookup (local|main|default)/.test(line)),
    routes: lines(run("ip", "route", "show", "table", "all", "type", "blackhole")),
  };
  appendFileSync(story, `${JSON.stringify(standing)}\n`);
}

function startManager(): void {
  run("systemctl", "start", manager);
  run("nmcli", "--wait", "10", "general", "status");
}

function firstBoot(): void {
  run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "outside");
  run("ip", "link", "set", "outside", "up");
  startManager();
  enter("first");
  look("first");

  enter("second");
  look("second");
  appendFileSync(path.join(units, leaving), "# of another release\n");
  run("systemctl", "daemon-reload");
  run("systemctl", "restart", leaving);
  look("restarted");

  run("systemctl", "stop", leaving);
  lay(undefined);
  run("systemctl", "start", manager); // once what is asked of it is done
  look("left");

  for (const [step, order] of [
    ["left after it", [[manager], [leaving]]],
    ["left with it", [[manager, leaving]]],
  ] as const) {
    enter("second");
    look(`before it is ${step}`);
    for (const each of order) run("systemctl", "stop", ...each);
    look(step);
    lay(undefined);
    startManager();
    look(`${step}, and it came back`);
  }

  enter("second");
  look("before the cut");
  lay(undefined);
}

function secondBoot(): void {
  run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "outside");
  startManager();
  look("after the cut");
}

if (!existsSync(story)) {
  try {
    firstBoot();
    run("sync");
    run("systemctl", "reboot", "--force", "--force");
  } catch (error) {
    writeFileSync(
      "/var/result",
      JSON.stringify({ error: String(error), units: readdirSync(units) }),
    );
    run("systemctl", "poweroff", "--no-block");
  }
} else {
  secondBoot();
  writeFileSync("/var/result", `[${lines(readFileSync(story, "utf8")).join(",")}]`);
  run("systemctl", "poweroff", "--no-block");
}
