import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import t from "tap";
import { tryRender } from "#provisioner/render/try-render.ts";
import type { ClosedAnswer, ClosedOptions, Reached } from "./closed-inside.ts";
import { nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { writeRendered } from "./render-check.ts";

t.setTimeout(300_000);

const gid = 7_099;
const unit = "etc/systemd/system/firstlight-metadata.service";

function why(): string | false {
  const without = skipWithoutNix();
  if (without !== false || process.env["CI"] === "true") return without;
  if (process.getuid?.() !== 0) return "SKIPPED: network namespaces need root";
  for (const [program, debian] of [
    ["nft", "nftables"],
    ["iptables", "iptables"],
    ["ip", "iproute2"],
  ] as const) {
    if (spawnSync("which", [program]).status !== 0) return `SKIPPED: needs ${program} (${debian})`;
  }
  return false;
}

const place = { cloud: "Ec2", addresses: ["169.254.169.254", "fd00:ec2::254"], identity: null };

t.test("a closed metadata service answers firstlight alone", { skip: why() }, async (t) => {
  const machine = await nixMachine(t);
  const build = async (closed: boolean) => {
    const metadataService = { ...place, ports: [80, 8080] };
    const { sources } = tryRender({ metadataService: { closed } }, { metadataService });
    return machine.build(`import ${writeRendered(t.testdir(), sources)}`);
  };
  const { stdout: open } = await machine.run(["ls", `${await build(false)}/etc/systemd/system`]);
  t.notMatch(open, "firstlight-metadata", "switched off there is no unit: the switch stops it");
  const system = await build(true);
  const shipped = (await machine.run(["cat", `${system}/${unit}`])).stdout;
  t.equal(lineOf(shipped, "ExecReload"), lineOf(shipped, "ExecStart"));
  const [, rules = ""] = / -f (\S+)$/.exec(lineOf(shipped, "ExecStart")) ?? [];
  const directory = t.testdir();
  const rulesFile = path.join(directory, "rules.nft");
  writeFileSync(rulesFile, (await machine.run(["cat", rules])).stdout);
  const [, stop = ""] = /\/nft (.+)$/.exec(lineOf(shipped, "ExecStop")) ?? [];

  const answer = await inNamespace(directory, {
    start: ["nft", "-f", rulesFile],
    stop: ["nft", ...stop.split(" ")],
    gid,
  });
  const everything = Object.keys(answer["before"]?.["root"] ?? {});
  t.equal(everything.length, 10);
  const all = (of: readonly string[], came: string) => of.map((what) => [what, came] as const);
  const isHttp = (what: string) => /^(http|password) /.test(what);
  const whole = Object.fromEntries(all(everything, "answered"));
  const closed = {
    ...whole,
    ...Object.fromEntries(all(everything.filter(isHttp), "ECONNREFUSED")),
  };
  const openToAll: Reached = { firstlight: whole, user: whole, root: whole, guest: whole };
  const closedToOthers: Reached = {
    firstlight: whole,
    ...{ user: closed, root: closed, guest: closed },
  };
  t.strictSame(answer, {
    before: openToAll,
    closed: closedToOthers,
    "beside iptables that let everything through": closedToOthers,
    stopped: openToAll,
    "again after all rules were flushed": closedToOthers,
  });
});

/** The value of a setting of a unit. */
function lineOf(text: string, setting: string): string {
  const line = text.split("\n").find((each) => each.startsWith(`${setting}=`));
  if (line === undefined) throw new Error(`no ${setting} in ${text}`);
  return line.slice(setting.length + 1);
}

/** With a network that is nobody else's, and a group that this machine does not have. */
async function inNamespace(directory: string, options: ClosedOptions): Promise<ClosedAnswer> {
  const groups = path.join(directory, "group");
  writeFileSync(
    groups,
    `${readFileSync("/etc/group", "utf8")}firstlight-metadata:x:${options.gid}:\n`,
  );
  const script = path.join(import.meta.dirname, "closed-inside.ts");
  const begin = `mount --bind "$1" /etc/group; shift; exec env -i PATH="$PATH" "$@"`;
  const argv = ["--net", "--mount", "sh", "-ec", begin, "sh", groups, process.execPath, script];
  const child = spawn("unshare", [...argv, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 120_000,
  });
  const said = await text(child.stdout);
  if (child.exitCode === null) await once(child, "exit");
  return JSON.parse(said) as ClosedAnswer;
}
