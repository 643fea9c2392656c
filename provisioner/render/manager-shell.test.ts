import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { managerProfilesAfter, managerProfilesBefore } from "./manager-shell.ts";

// The shell runs here for real, with /run below a temporary directory and a NetworkManager that
// writes down what it is asked.

const directory = "run/NetworkManager/system-connections";

interface Profile {
  readonly uuid: string;
  readonly more?: string;
}

function machine(t: Test) {
  const root = t.testdir({ bin: {} });
  mkdirSync(path.join(root, directory), { recursive: true });
  mkdirSync(path.join(root, "run/firstlight"));
  const program = (name: string, text: string) =>
    writeFileSync(path.join(root, "bin", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  program("systemctl", `[ -e ${root}/running ]`);
  program(
    "nmcli",
    `if [ "$1" = -g ]; then cat ${root}/active; exit; fi\necho "$*" >> ${root}/asked\nexit 4`,
  );
  const run = (text: string) => {
    const moved = text.replaceAll("/run/", `${root}/run/`);
    const env = { PATH: `${root}/bin:${process.env["PATH"]}` };
    return spawnSync("bash", ["--norc", "-e", "-c", moved], { encoding: "utf8", env });
  };
  return {
    root,
    /** As NixOS's unit does between our shell: every profile is written anew. */
    generation: (profiles: Readonly<Record<string, Profile>>, active: readonly string[] = []) => {
      writeFileSync(path.join(root, "active"), active.map((each) => `${each}\n`).join(""));
      writeFileSync(path.join(root, "asked"), "");
      const before = run(managerProfilesBefore);
      for (const [name, { uuid, more = "" }] of Object.entries(profiles)) {
        const text = `[connection]\nuuid=${uuid}\n${more}`;
        writeFileSync(path.join(root, directory, `${name}.nmconnection`), text);
      }
      const after = run(managerProfilesAfter);
      t.match([before, after], [{ status: 0 }, { status: 0 }], `${before.stderr}${after.stderr}`);
      t.notOk(existsSync(path.join(root, "run/firstlight/network-manager")), "nothing is left");
      return readFileSync(path.join(root, "asked"), "utf8").split("\n").filter(Boolean);
    },
    files: () => readdirSync(path.join(root, directory)).sort(),
  };
}

const up = (uuid: string, wait = 20) => `--wait ${wait} connection up uuid ${uuid}`;

t.test("a profile that no generation names any more is gone, and a person's stays", async (t) => {
  const { root, generation, files } = machine(t);
  writeFileSync(path.join(root, directory, "Café.nmconnection"), "[connection]\n");
  generation({ "firstlight-lan": { uuid: "1" }, "firstlight-wan": { uuid: "2" } });
  generation({ "firstlight-lan": { uuid: "1" } });
  t.same(files(), ["Café.nmconnection", "firstlight-lan.nmconnection"]);
});

t.test("a switch sets up again what has changed, and nothing else", async (t) => {
  const { root, generation } = machine(t);
  generation({
    "firstlight-lan": { uuid: "1" },
    "firstlight-wan": { uuid: "2" },
    "firstlight-home": { uuid: "3", more: "type=wifi\n" },
    "firstlight-work": { uuid: "4", more: "type=wifi\n" },
  });
  writeFileSync(path.join(root, "running"), "");
  const asked = generation(
    {
      "firstlight-lan": { uuid: "1", more: "[ipv4]\nmethod=auto\n" },
      "firstlight-wan": { uuid: "2" },
      "firstlight-home": { uuid: "3", more: "type=wifi\npsk=other\n" },
      "firstlight-work": { uuid: "4", more: "type=wifi\npsk=other\n" },
      "firstlight-new": { uuid: "5" },
      "firstlight-hand": { uuid: "6", more: "autoconnect=false\n" },
    },
    ["1", "2", "4"],
  );
  t.same(asked, [up("1"), up("5"), up("4")]);
});

t.test(
  "a boot takes over what has no profile, waits for nothing, and leaves the rest",
  async (t) => {
    const { generation } = machine(t);
    const profiles = {
      "firstlight-lan": { uuid: "1" },
      "firstlight-wan": { uuid: "2" },
      "firstlight-home": { uuid: "3", more: "type=wifi\n" },
    };
    t.same(generation(profiles, ["1", "3"]), [up("2", 0)]);
  },
);
