import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import type { Command } from "#generated/provisioner/spec/v1.ts";
import { fileOf, tryRender } from "#provisioner/render/try-render.ts";
import { temporaryDirectory } from "./brokers.ts";
import { nixEvalJson, skipWithoutNix } from "./nix-eval.ts";

const skip = skipWithoutNix();

interface Rendered {
  readonly generator: string;
  readonly systemctl: string;
  readonly text: string;
}

/** The programs of a system whose command enables two units, with the directories of this test. */
function rendered(directory: string, frequency: Command["frequency"] = "instance"): Rendered {
  const unit = (name: string, target: string) => ({
    path: `/etc/systemd/system/${name}`,
    content: `[Unit]\nDescription=${name}\n[Install]\nWantedBy=${target}\n`,
  });
  const files = [
    unit("my.app.service", "multi-user.target a.target"),
    unit("app.timer", "timers.target"),
  ];
  const command: Command = {
    ...{ name: "runcmd", when: "late", frequency, script: { secretRef: "runcmd" } },
    enables: ["my.app.service", "app.timer"],
  };
  const spec = { files, commands: [command] };
  const result = tryRender(spec);
  const said = nixEvalJson(
    `let
      pkgs = { bash = "bash"; coreutils = "/usr"; systemd = "${directory}/systemd"; writeShellScript = _: text: text; writeShellScriptBin = name: text: "program \${name}\\n\${text}"; };
      module = import ./instance.nix { inherit pkgs; lib.mkOverride = _: value: value; config = { }; };
    in {
      generator = module.systemd.generators.firstlight-enabled-units;
      systemctl = builtins.head module.systemd.services.firstlight-command-runcmd.path;
      text = module.systemd.units."my.app.service".text;
    }`,
    { files: { "instance.nix": fileOf(result, "firstlight/instance.nix") } },
  ) as Rendered;
  const here = (script: string) => script.replaceAll("/var/lib/firstlight", directory);
  return {
    ...said,
    generator: here(said.generator),
    systemctl: here(said.systemctl.replace("program systemctl\n", "")),
  };
}

/** A machine with a `systemctl` that says what it is asked for, and fails for what is not there. */
function makeMachine(t: Test, frequency?: Command["frequency"]) {
  const directory = temporaryDirectory(t, "firstlight-enabled-");
  const at = (name: string) => path.join(directory, name);
  mkdirSync(at("systemd/bin"), { recursive: true });
  writeFileSync(
    at("systemd/bin/systemctl"),
    `#!/bin/sh\necho "$@" >> ${at("asked")}\n[ "$1" != enable ]\n`,
  );
  chmodSync(at("systemd/bin/systemctl"), 0o755);
  const programs = rendered(directory, frequency);
  const run = (script: string, args: readonly string[]) =>
    spawnSync("/bin/bash", ["--norc", "-c", script, "program", ...args], {
      env: { PATH: "/nowhere" },
      encoding: "utf8",
    });
  return {
    text: programs.text,
    at,
    /** What the script of the command runs: exit code, and what the real program was asked. */
    systemctl(...args: readonly string[]) {
      rmSync(at("asked"), { force: true });
      const { status, stderr } = run(programs.systemctl, args);
      const asked = existsSync(at("asked")) ? readFileSync(at("asked"), "utf8") : "";
      return { status, stderr, asked };
    },
    /** What systemd runs when it starts: the links that it makes. */
    boot(): readonly string[] {
      rmSync(at("out"), { recursive: true, force: true });
      mkdirSync(at("out"));
      const { status, stderr } = run(programs.generator, [at("out"), at("out"), at("out")]);
      if (status !== 0 || stderr !== "") throw new Error(stderr);
      return readdirSync(at("out"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isSymbolicLink())
        .map(({ parentPath, name }) => path.join(path.relative(at("out"), parentPath), name))
        .sort();
    },
  };
}

t.test("from the command that enables it a unit starts at boot, and not before", { skip }, (t) => {
  const machine = makeMachine(t);
  t.notMatch(machine.text, /Condition/, "the unit is as it was written");
  t.same(machine.boot(), []);
  t.match(machine.systemctl("enable", "my"), { status: 1, asked: "enable my\n" });
  t.same(machine.boot(), []);
  t.end();
});

t.test("a unit is enabled as systemctl is asked for it", { skip }, (t) => {
  const machine = makeMachine(t);
  const links = ["a.target.wants/my.app.service", "multi-user.target.wants/my.app.service"];
  t.match(machine.systemctl("enable", "--now", "-q", "my.app"), {
    ...{ status: 0, stderr: "", asked: "-q start my.app.service\n" },
  });
  t.same(machine.boot(), links);
  t.equal(readlinkSync(machine.at(`out/${links[1]}`)), "/etc/systemd/system/my.app.service");
  t.match(machine.systemctl("enable", "/etc/systemd/system/app.timer"), { status: 0, asked: "" });
  t.same(machine.boot(), [...links, "timers.target.wants/app.timer"].sort());
  t.match(
    machine.systemctl("enable", "app.timer", "my.app.service"),
    { status: 0, asked: "" },
    "twice",
  );
  t.same(machine.boot().length, 3);
  t.end();
});

t.test("whatever else it is asked for is the real program's, as it stands", { skip }, (t) => {
  const machine = makeMachine(t);
  for (const args of [
    ["enable", "my.app.service", "nginx"],
    ["enable", "--force", "my.app.service"],
    ["enable"],
    ["disable", "my.app.service"],
    ["start", "my.app.service"],
    ["--user", "enable", "my.app.service"],
    ["enable", "../my.app.service"],
    ["is-active", "a b"],
    [],
  ]) {
    t.match(machine.systemctl(...args).asked, `${args.join(" ")}\n`);
  }
  t.same(machine.boot(), []);
  t.end();
});

t.test("of a command that runs once on a machine it stays for every instance", { skip }, (t) => {
  const machine = makeMachine(t, "once");
  machine.systemctl("enable", "app.timer");
  t.same(readdirSync(machine.at("stamps/once")), ["enabled-app.timer"]);
  t.same(machine.boot(), ["timers.target.wants/app.timer"]);
  t.end();
});
