import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import type { Base } from "#provisioner/render/base.ts";
import { everyManagedNetwork } from "#provisioner/render/every-managed-network.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { canariesIn, canary } from "./canaries.ts";
import { parseKeyfile, readByNetworkManager } from "./conformance/manager-keyfiles.ts";
import { type NixMachine, nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { writeRendered } from "./render-check.ts";

t.setTimeout(300_000);
const missing = ["nmcli", "envsubst"].find((name) => spawnSync(name, ["--version"]).status !== 0);
const skip = skipWithoutNix() || (missing === undefined ? false : `${missing} is not here`);

const base: Partial<Base> = {
  platform: {
    fileSystems: [{ path: "/", device: "/dev/disk/by-uuid/0001", type: "ext4", options: [] }],
    ...{ swaps: [], left: [], bootLoader: "systemd-boot", esp: "/boot" },
  },
};
const wireguardKey = "YAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

/** As they lie in the credential store: one of them means something in each of three formats. */
const secrets: Readonly<Record<string, string>> = {
  "wifi-home": ` a\\b "c" $HOME \${PATH} \`id\` 'd' ;`,
  "wifi-cafe": canary("psk"),
  "network-wg0-private-key": wireguardKey,
  "network-wg0-peer-0": wireguardKey,
};

/** Runs what units start, with the directories of the machine below a temporary one. */
function fakeRun(t: Test) {
  const root = t.testdir({ bin: {}, credentials: secrets });
  mkdirSync(path.join(root, "run/firstlight"), { recursive: true });
  const program = (name: string, text: string) =>
    writeFileSync(path.join(root, "bin", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  for (const name of ["mount", "mountpoint", "systemctl"]) program(name, "exit 1");
  program("nmcli", `echo "$*" >> ${root}/asked`);
  return {
    root,
    run: (text: string) => {
      const moved = text.replaceAll(/(?<![\w/.-])\/run\//g, `${root}/run/`);
      const ended = spawnSync("bash", ["--norc", "-e", "-c", moved], {
        encoding: "utf8",
        env: {
          PATH: `${root}/bin:${process.env["PATH"]}`,
          CREDENTIALS_DIRECTORY: path.join(root, "credentials"),
        },
      });
      t.match(ended, { status: 0, stderr: "" });
    },
  };
}

/** The scripts that a unit runs, in order, each as its text; the profiles in the store stand in it. */
async function scriptsOf(machine: NixMachine, unit: string): Promise<readonly string[]> {
  const files = ["StartPre", "Start", "StartPost"].flatMap((key) =>
    [...unit.matchAll(new RegExp(`^Exec${key}=(\\S+)`, "gm"))].map(([, file = ""]) => file),
  );
  return await Promise.all(
    files.map(async (file) => {
      const lines = (await read(machine, file)).split("\n").map(async (line) => {
        const [, before = "", profile = "", after = ""] =
          /^(envsubst) < (\/nix\/store\/\S+)(.*)$/.exec(line) ?? [];
        if (profile === "") return line;
        return `${before}${after} <<'END OF PROFILE'\n${await read(machine, profile)}END OF PROFILE`;
      });
      return (await Promise.all(lines)).join("\n");
    }),
  );
}

async function read(machine: NixMachine, file: string): Promise<string> {
  const { code, stdout, stderr } = await machine.run(["cat", file]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

t.test(
  "a built system hands its secrets to NetworkManager, by files of root",
  { skip },
  async (t) => {
    const machine = await nixMachine(t);
    const network = structuredClone(everyManagedNetwork) as unknown as Network;
    const { sources, findings } = tryRender({ network }, { base });
    t.same(findings, []);
    const entry = writeRendered(t.testdir(), sources);
    const system = await machine.build(`import ${entry}`);
    const units = `${system}/etc/systemd/system`;
    const name = "NetworkManager-ensure-profiles.service";
    const [deliver, ensure, dropIn] = await Promise.all([
      read(machine, `${units}/firstlight-network-secrets.service`),
      read(machine, `${units}/${name}`),
      read(machine, `${units}/${name}.d/firstlight-network-secrets.conf`),
    ]);
    t.match(dropIn, "Wants=firstlight-network-secrets.service\nAfter=firstlight-network-secrets.");
    t.match(deliver, new RegExp(`^Before=.*\\b${name}`, "m"));
    const [, file = ""] = /^EnvironmentFile=(.*)$/m.exec(ensure) ?? [];
    const [, mask = ""] = /^UMask=(.*)$/m.exec(ensure) ?? [];

    const { root, run } = fakeRun(t);
    for (const script of await scriptsOf(machine, deliver)) run(script);
    const variables = path.join(root, file);
    t.equal(statSync(variables).mode & 0o777, 0o600);
    const scripts = await scriptsOf(machine, ensure);
    t.equal(scripts.length, 3);
    for (const script of scripts) run(`set -a; . ${variables}; set +a; umask ${mask}\n${script}`);

    const directory = path.join(root, "run/NetworkManager/system-connections");
    const files = readdirSync(directory);
    t.ok(files.length > 20, `${files.length} profiles`);
    for (const each of files) {
      const written = path.join(directory, each);
      t.equal(statSync(written).mode & 0o777, 0o600, each);
      t.ok(readByNetworkManager(readFileSync(written, "utf8")), each);
    }
    const profile = (id: string) =>
      parseKeyfile(readFileSync(path.join(directory, `firstlight-${id}.nmconnection`), "utf8"));
    t.equal(profile("wg0").get("wireguard")?.get("private-key"), wireguardKey);
    const psk = profile("wlan0+home").get("wifi-security")?.get("psk");
    t.equal(psk?.replace(/^\\s/, " ").replaceAll("\\\\", "\\"), secrets["wifi-home"]);
    const cafe = files.find((each) => each.startsWith("firstlight-wlan0+caf")) ?? "";
    t.same(canariesIn(readFileSync(path.join(directory, cafe))), ["psk"]);
    const kept = JSON.stringify(sources);
    t.same(canariesIn(kept), [], "nor is it in what the system is made of");
    const closure = async (text: string) => {
      const command = 'nix-store --query --requisites "$1" | xargs grep -rlF -- "$2"';
      return (await machine.run(["sh", "-c", command, "sh", system, text])).stdout;
    };
    t.not(await closure("firstlight-wlan0+home"), "", "the system can be looked through");
    t.equal(await closure(canary("psk")), "", "and it is not in there");
  },
);
