import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { firstlight, healthy, machine } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(300_000);

t.test("a profile of the owner is used, and a broken one stops no boot", async (t) => {
  const root = machine(t, `#cloud-config\ntimezone: UTC\n${healthy}`);
  const own = path.join(root, "etc/firstlight/own/acme/pi");
  mkdirSync(own, { recursive: true });
  const directory = "/etc/firstlight/own";
  const settings = path.join(root, "etc/firstlight/settings.json");
  writeFileSync(settings, JSON.stringify({ profiles: { directory } }));
  const give = (text: string) => writeFileSync(path.join(own, "profile.yaml"), text);
  const boot = () => firstlight(["boot", "--root", root, "--driver", "dry"]);
  give("colour: [");
  t.match(boot(), {
    stdout: /committed \(degraded\): generation 1/,
    stderr: /\/etc\/firstlight\/own\/acme\/pi\/profile\.yaml:1:10 warning/,
  });
  give(`id: acme/pi
title: Our Pi
vendor: Acme
extends: [raspberry-pi/4]
match: { any: [{ all: { dt: { compatible: ["raspberrypi,4-model-b"] } } }] }
kernel: { params: { acme.mark: 1 } }
status: { level: declared, evidence: none }
tests: { match: [{ name: it, facts: {} }], noMatch: [{ name: other, facts: {} }] }
`);
  t.match(boot(), { code: 0, stdout: /committed: generation 2/ });
  const hardware = path.join(root, "etc/nixos/firstlight/hardware.nix");
  t.match(readFileSync(hardware, "utf8"), /Our Pi.*"acme\.mark=1"/s);
});

t.test("a profile that is not there is told with those that begin alike", async (t) => {
  t.match(firstlight(["profiles", "show", "framework/13"]), {
    code: 4,
    stderr:
      /there is no profile "framework\/13"(?:.|\n)*there are framework\/13-11th-gen-intel, .*framework\/13-amd-7040/,
  });
  t.match(firstlight(["profiles", "show", "genric/x86-64"]).stderr, /did you mean generic\/x86-64/);
  t.match(
    firstlight(["profiles", "show", "T480"]).stderr,
    "there are nixos-hardware/lenovo-thinkpad-t480, nixos-hardware/lenovo-thinkpad-t480s\n",
  );
  t.match(firstlight(["profiles", "show", "zzz"]).stderr, "firstlight profiles list");
  const lines = firstlight(["profiles", "list"]).stdout.trim().split("\n");
  const width = Math.max(...lines.map((line) => line.indexOf(" ")));
  t.ok(width > 28);
  for (const line of lines) t.match(line.slice(width), /^ \S/, line);
});

t.test("where there is no Nix the lint says that it has read no module", async (t) => {
  const profile = `id: acme/base
title: Base
vendor: Acme
kind: base
status: { level: declared, evidence: none }
`;
  const lint = (files: Readonly<Record<string, string>>) => {
    const directory = t.testdir({ acme: { base: { "profile.yaml": profile, ...files } } });
    return firstlight(["profiles", "lint", directory], "", { PATH: "/none" });
  };
  t.match(lint({ "module.nix": "{" }), {
    code: 0,
    stderr: /no nix-instantiate here: whether each module\.nix is Nix was not looked at/,
  });
  t.same(lint({}), { code: 0, stdout: "", stderr: "nothing is wrong\n" });
});
