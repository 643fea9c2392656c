import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import t from "tap";
import { type NixMachine, nixMachine, nixModes, skipWithoutNix, standIn } from "../nix-machine.ts";
import { libTree } from "../nixpkgs-trees.ts";

t.setTimeout(180_000);
const skip = skipWithoutNix();
const modes = nixModes();
const cases = path.join(standIn, "cases");

/** Evaluates an expression to JSON on a machine; the error text when Nix fails. */
async function evaluate(machine: NixMachine, expression: string): Promise<unknown> {
  const argv = [
    "nix-instantiate",
    "--eval",
    "--strict",
    "--json",
    "--readonly-mode",
    "--expr",
    expression,
  ] as const;
  const { code, stdout, stderr } = await machine.run(argv);
  return code === 0 ? JSON.parse(stdout) : stderr;
}

t.test("the module rules of nixpkgs", { skip }, async (t) => {
  const machine = await nixMachine(t);
  if (libTree === undefined)
    t.comment("SKIPPED: the same cases on the real lib (name its tree in NIXPKGS_LIB)");
  const libs = [
    ["the stand-in", path.join(standIn, "lib")],
    ...(libTree === undefined ? [] : [["the real lib", libTree]]),
  ] as const;
  for (const [name, lib] of libs) {
    await t.test(name ?? "", async (t) => {
      const all = `import ${cases} { lib = import ${lib}; }`;
      const found = (await evaluate(machine, `{ inherit (${all}) values expected messages; }`)) as {
        values: Record<string, unknown>;
        expected: Record<string, unknown>;
        messages: Record<string, string>;
      };
      t.type(found, "object", String(found));
      for (const [sentence, value] of Object.entries(found.values)) {
        t.strictSame(value, found.expected[sentence], sentence);
      }
      for (const [sentence, message] of Object.entries(found.messages)) {
        const answer = await evaluate(machine, `(${all}).failing.${JSON.stringify(sentence)}`);
        t.type(answer, "string", `fails: ${sentence}`);
        t.ok(String(answer).includes(message), `${sentence}: ${answer}`);
        if (sentence.includes("both files named")) {
          t.match(answer, /port-9090\.nix.*port-8080\.nix/s, sentence);
        }
      }
    });
  }
});

/** What the system tests build: little, and one of everything that is looked at. */
function configuration(hostname: string, more = ""): string {
  return `
{ config, lib, pkgs, modulesPath, ... }:
{
  imports = [ "\${modulesPath}/profiles/qemu-guest.nix" <nixpkgs/nixos/modules/installer/scan/not-detected.nix> { ${more} } ];
  networking.hostName = "${hostname}";
  system.stateVersion = "25.11";
  time.timeZone = "Europe/Berlin";
  environment.systemPackages = with pkgs; [ vim htop ];
  environment.etc."a b/\${"$"}{x}'\\".conf".text = "\\\${y} '' \\"quoted\\"\\n";
  environment.etc."root-only" = { text = "r"; mode = "0600"; };
  programs.zsh.enable = true;
  users.users.ada = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    shell = pkgs.zsh;
    hashedPasswordFile = "/run/keys/ada";
    openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA ada" ];
  };
  systemd.services.hello = { wantedBy = [ "multi-user.target" ]; script = "echo hello"; serviceConfig = { Type = "oneshot"; User = "ada"; }; };
  systemd.services.agent = { wantedBy = [ "multi-user.target" ]; script = "true"; restartIfChanged = false; };
  systemd.services.web = { wantedBy = [ "multi-user.target" ]; script = "true"; stopIfChanged = false; };
  systemd.timers.hello = { wantedBy = [ "timers.target" ]; timerConfig.OnCalendar = "daily"; };
  systemd.tmpfiles.rules = [ "d /var/lib/hello 0755 root root -" ];
  systemd.network = { enable = true; networks."10-lan" = { matchConfig.Name = "eth0"; address = [ "192.0.2.1/24" ]; routes = [ { Gateway = "192.0.2.254"; } ]; dhcpV4Config.UseDNS = false; }; };
  system.activationScripts.passwords = { deps = [ "specialfs" ]; text = "\${pkgs.util-linux}/bin/mount -t ramfs ramfs /run/keys || true; echo '$6$salt$hash' > /run/keys/ada"; };
  system.activationScripts.users.deps = [ "passwords" ];
  services.fancy = { enable = lib.mkIf (config.networking.hostName != "") true; gone = lib.mkIf false 1; };
}`;
}

const switchTo = (machine: NixMachine, system: string, action: string) =>
  machine.run([`${system}/bin/switch-to-configuration`, action]);

for (const mode of modes) {
  t.test(`a system of the stand-in, mode ${mode}`, async (t) => {
    const machine = await nixMachine(t, { mode });
    const inRoot = (file: string) => path.join(machine.root, file);
    const system = await machine.build(configuration("edge-1"));
    const inSystem = (file: string) => readFileSync(inRoot(path.join(system, file)), "utf8");

    t.test("has what a NixOS system has at its top", async (t) => {
      const names = readdirSync(inRoot(system));
      for (const name of [
        "activate",
        "bin",
        "boot.json",
        "etc",
        "init",
        "initrd",
        "kernel",
        "kernel-params",
        "nixos-version",
        "sw",
        "system",
      ]) {
        t.ok(names.includes(name), name);
      }
      t.match(inSystem("nixos-version"), /stand-in/);
      t.strictSame(
        ["htop", "vim"],
        readdirSync(inRoot(`${system}/sw/bin`)).filter((name) => /^(vim|htop)$/.test(name)),
      );
    });

    t.test("builds from a pin in the store", async (t) => {
      const { storePath, narHash } = await machine.pinNixpkgs();
      t.match(narHash, /^sha256-[A-Za-z0-9+/]{43}=$/);
      const argv = [
        "nix-instantiate",
        "--eval",
        "--json",
        "<nixpkgs/nixos>",
        "-A",
        "config.networking.hostName",
      ] as const;
      const file = path.join(cases, "hostname.nix");
      const read = await machine.run([...argv, "-I", `nixos-config=${file}`], {
        env: { NIX_PATH: `nixpkgs=${storePath}` },
      });
      t.equal(read.stdout.trim(), '"pinned"', read.stderr);
    });

    t.test("builds to the same path again", async (t) => {
      t.equal(await machine.build(configuration("edge-1")), system);
    });

    t.test("is built by the command that NixOS's tools run", async (t) => {
      const file = inRoot("etc/nixos/configuration.nix");
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, configuration("edge-1"));
      const NIX_PATH = `nixpkgs=${standIn}:nixos-config=${file}`;
      const argv = [
        "nix-build",
        "<nixpkgs/nixos>",
        "--attr",
        "config.system.build.toplevel",
        "--no-out-link",
      ] as const;
      const built = await machine.run(argv, { env: { NIX_PATH } });
      t.equal(built.stdout.trim(), system, built.stderr);
      const inline = await machine.run([
        ...(["nix-instantiate", "--eval", "--json", "-E"] as const),
        '(import <nixpkgs/nixos> { configuration = { networking.hostName = "x"; }; }).config.networking.fqdn',
      ]);
      t.equal(inline.stdout.trim(), '"x"', inline.stderr);
    });

    t.test("carries units, users, networks and free settings", async (t) => {
      await switchTo(machine, system, "test");
      const etc = (file: string) =>
        readFileSync(machine.io().files.hostPath(`/etc/${file}`), "utf8");
      t.match(
        etc("systemd/system/hello.service"),
        /\[Service\]\n.*ExecStart=.*unit-script-hello.*Type=oneshot\nUser=ada\n/s,
      );
      t.match(etc("systemd/system/hello.timer"), /\[Timer\]\nOnCalendar=daily\n/);
      t.equal(
        readlinkSync(
          machine
            .io()
            .files.hostPath("/etc/systemd/system/multi-user.target.wants")
            .concat("/hello.service"),
        ),
        "../hello.service",
      );
      t.match(
        etc("systemd/network/10-lan.network"),
        /\[Match\]\nName=eth0\n\n\[Network\]\nAddress=192\.0\.2\.1\/24\n/,
      );
      t.match(
        etc("systemd/network/10-lan.network"),
        /\[DHCPv4\]\nUseDNS=false\n.*\[Route\]\nGateway=192\.0\.2\.254\n/s,
      );
      t.equal(etc("tmpfiles.d/00-nixos.conf"), "d /var/lib/hello 0755 root root -\n");
      t.equal(etc(`a b/\${x}'".conf`), `\${y} '' "quoted"\n`);
      t.equal(etc("ssh/authorized_keys.d/ada"), "ssh-ed25519 AAAA ada\n");
      const settings = JSON.parse(etc("firstlight-test/config.json"));
      t.strictSame(settings.services.fancy, { enable: true });
      t.equal(settings.time.timeZone, "Europe/Berlin");
      const users = JSON.parse(inSystem("users-groups.json")).users as { name: string }[];
      t.match(
        users.find((user) => user.name === "ada"),
        { hashedPasswordFile: "/run/keys/ada", shell: "/run/current-system/sw/bin/zsh" },
      );
    });

    t.test("activates a fake machine: links, modes, users after what they need", async (t) => {
      t.equal(machine.currentSystem(), system);
      t.equal(machine.storeFiles.realPath(machine.currentSystem() ?? ""), system);
      t.equal(readlinkSync(inRoot("etc/hostname")), "/etc/static/hostname");
      t.equal(statSync(inRoot("etc/root-only")).mode & 0o777, 0o600);
      t.match(
        readFileSync(inRoot("etc/passwd"), "utf8"),
        /^ada:x:1000:100::\/home\/ada:\/run\/current-system\/sw\/bin\/zsh$/m,
      );
      t.match(readFileSync(inRoot("etc/group"), "utf8"), /^wheel:x:1:ada$/m);
      t.match(readFileSync(inRoot("etc/shadow"), "utf8"), /^ada:\$6\$salt\$hash:/m);
      const steps = readFileSync(inRoot("var/log/activation-steps"), "utf8").split("\n");
      t.ok(steps.indexOf("passwords") < steps.indexOf("users"), steps.join(" "));
    });

    t.test("gives a password to new accounts alone, where users are mutable", async (t) => {
      const shadow = inRoot("etc/shadow");
      const hashOf = (name: string) =>
        readFileSync(shadow, "utf8").match(new RegExp(`^${name}:([^:]*):`, "m"))?.[1];
      const asMade = readFileSync(shadow, "utf8");
      writeFileSync(shadow, "root::1::::::\nada:$6$by$hand:1::::::\n");
      const root = 'users.users.root.hashedPassword = "$6$root$x";';
      const mutable = await machine.build(configuration("edge-1", root));
      t.equal((await switchTo(machine, mutable, "test")).code, 0);
      t.strictSame([hashOf("root"), hashOf("ada")], ["", "$6$by$hand"]);
      const fixed = await machine.build(
        configuration("edge-1", `users.mutableUsers = false; ${root}`),
      );
      t.equal((await switchTo(machine, fixed, "test")).code, 0);
      t.strictSame([hashOf("root"), hashOf("ada")], ["$6$root$x", "$6$salt$hash"]);
      writeFileSync(shadow, asMade);
      t.equal((await switchTo(machine, system, "test")).code, 0);
    });

    t.test("keeps groups made by hand, and boots on no machine but its own", async (t) => {
      writeFileSync(inRoot("etc/group"), "by-hand:x:77:\nwheel:x:9:mallory\n");
      t.equal((await switchTo(machine, system, "test")).code, 0);
      const groups = readFileSync(inRoot("etc/group"), "utf8");
      t.match(groups, /^by-hand:x:77:$/m);
      t.match(groups, /^wheel:x:1:ada$/m);
      t.notMatch(groups, "mallory");
      const boot = await machine.run([`${system}/init`]);
      t.match(boot, { code: 1, stderr: "this system boots only on a machine of its own\n" });
    });

    t.test("lays options over networkd, which reads its files again", async (t) => {
      const unit = `${system}/etc/systemd/system/systemd-networkd.service`;
      const over = await machine.run(["cat", `${unit}.d/overrides.conf`]);
      t.match(over.stdout, /^X-Reload-Triggers=[0-9a-f]{64}$/m);
      const { stdout } = await machine.run(["readlink", unit]);
      t.equal(stdout, "/lib/systemd/system/systemd-networkd.service\n");
      const other = 'systemd.network.networks."20-wan".matchConfig.Name = "eth1";';
      const next = await machine.build(configuration("edge-1", other));
      const { stderr } = await switchTo(machine, next, "dry-activate");
      t.match(stderr, "would reload the following units: systemd-networkd.service\n");
    });

    t.test("says what dry-activate would do, and takes old files away", async (t) => {
      const next = await machine.build(
        configuration(
          "edge-2",
          `systemd.services.fresh = { wantedBy = [ "multi-user.target" ]; script = "true"; };
           systemd.services.hello.restartTriggers = [ "changed" ];
           systemd.timers.hello.enable = lib.mkForce false;
           systemd.services.agent.restartTriggers = [ "changed" ];
           systemd.services.web.restartTriggers = [ "changed" ];
           environment.etc.root-only.enable = false;`,
        ),
      );
      const before = machine.switches().length;
      const dry = await switchTo(machine, next, "dry-activate");
      t.equal(dry.code, 0);
      t.equal(
        dry.stderr,
        [
          "would stop the following units: hello.service, hello.timer",
          "would NOT stop the following changed units: agent.service",
          "would activate the configuration...",
          "would restart the following units: web.service",
          "would start the following units: hello.service",
          "",
        ].join("\n"),
      );
      t.equal(machine.currentSystem(), system);
      const switched = await switchTo(machine, next, "switch");
      t.equal(switched.code, 0, switched.stderr);
      t.match(switched.stderr, "the following new units were started: fresh.service");
      t.equal(machine.currentSystem(), next);
      t.equal(machine.bootDefault(), next);
      t.notOk(existsSync(inRoot("etc/root-only")));
      t.strictSame(machine.switches().slice(before), [
        { action: "dry-activate", system: next, code: 0 },
        { action: "switch", system: next, code: 0 },
      ]);
    });
  });

  t.test(`generations and garbage, mode ${mode}`, async (t) => {
    const machine = await nixMachine(t, { mode });
    const inRoot = (file: string) => path.join(machine.root, file);
    const first = await machine.build(configuration("one"));
    const second = await machine.build(configuration("two"));
    const third = await machine.build(configuration("three"));
    const profile = machine.systemProfile;
    const nixEnv = (...args: string[]) => machine.run(["nix-env", "-p", profile, ...args]);

    for (const system of [first, second, second]) t.equal((await nixEnv("--set", system)).code, 0);
    t.strictSame(machine.profileGenerations(), [
      { number: 1, system: first, current: false },
      { number: 2, system: second, current: true },
    ]);
    t.equal((await nixEnv("--rollback")).code, 0);
    t.equal(machine.profileGenerations().find((generation) => generation.current)?.number, 1);

    const before = machine.snapshot();
    t.equal((await machine.run(["nix-collect-garbage"])).code, 0);
    t.ok(existsSync(inRoot(first)) && existsSync(inRoot(second)), "generations are kept");
    t.notOk(existsSync(inRoot(third)), "what no generation names is gone");
    machine.restore(before);
    t.ok(existsSync(inRoot(third)), "a snapshot brings it back");
    t.equal((await machine.run(["nix-store", "--verify", "--check-contents"])).code, 0);
    t.equal((await nixEnv("--delete-generations", "2")).code, 0);
    t.equal(await machine.build(configuration("three")), third);
  });
}

t.test("exit codes of switch-to-configuration", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const inRoot = (file: string) => path.join(machine.root, file);
  const good = await machine.build(configuration("good"));
  t.equal((await switchTo(machine, good, "switch")).code, 0);
  const table = [
    { why: "a usage error", more: "", action: "enable", code: 1, runs: good },
    {
      why: "a pre-switch check that fails",
      more: 'system.preSwitchChecks.no = "exit 3";',
      action: "check",
      code: 1,
      runs: good,
    },
    {
      why: "the same, with switch",
      more: 'system.preSwitchChecks.no = "exit 3";',
      action: "switch",
      code: 1,
      runs: good,
    },
    {
      why: "an activation step that fails",
      more: 'system.activationScripts.bad = "false";',
      action: "test",
      code: 4,
    },
    {
      why: "a unit that fails",
      more: 'systemd.services.bad = { wantedBy = [ "multi-user.target" ]; script = "false"; }; standIn.failingUnits = [ "bad.service" ];',
      action: "test",
      code: 4,
    },
    {
      why: "another init interface",
      more: 'standIn.initInterfaceVersion = "2";',
      action: "test",
      code: 100,
      runs: good,
    },
    {
      why: "an exit code of the configuration's own",
      more: "standIn.activationExitCode = 7;",
      action: "test",
      code: 7,
    },
  ];
  for (const { why, more, action, code, runs } of table) {
    const system = await machine.build(configuration("good", more));
    const ended = await switchTo(machine, system, action);
    t.equal(ended.code, code, `${why}: ${ended.stderr}`);
    t.equal(machine.currentSystem(), runs ?? system, `${why}: what runs after it`);
    t.equal(machine.bootDefault(), good, `${why}: the boot default stays`);
    await switchTo(machine, good, "test");
  }

  t.test("systemctl knows which units run and which failed", async (t) => {
    const more =
      'systemd.services.bad = { wantedBy = [ "multi-user.target" ]; script = "false"; }; standIn.failingUnits = [ "bad.service" ];';
    t.equal(
      (await switchTo(machine, await machine.build(configuration("good", more)), "test")).code,
      4,
    );
    const states = await machine.run([
      "systemctl",
      "is-active",
      "--",
      "bad",
      "web.service",
      "gone.service",
    ]);
    t.strictSame([states.code, states.stdout], [3, "failed\nactive\ninactive\n"]);
    t.equal((await machine.run(["systemctl", "is-active", "web"])).code, 0);
    const failed = await machine.run(["systemctl", "list-units", "--state=failed", "--plain"]);
    t.equal(failed.stdout, "bad.service loaded failed failed bad.service\n");
    await switchTo(machine, good, "test");
    t.equal((await machine.run(["systemctl", "list-units", "--state=failed"])).stdout, "");
  });

  t.test("a held lock is 11", async (t) => {
    const held = inRoot("run/nixos/switch-to-configuration.lock");
    const stc = `${good}/bin/switch-to-configuration`;
    t.equal((await machine.run(["flock", held, stc, "test"])).code, 11);
  });
  t.test("a file in the root can refuse, change the exit code, or hang", async (t) => {
    mkdirSync(inRoot("stand-in"));
    writeFileSync(inRoot("stand-in/boot"), "refuse 1\n");
    writeFileSync(inRoot("stand-in/check"), "exit 9\n");
    writeFileSync(inRoot("stand-in/test"), "hang\n");
    t.equal((await switchTo(machine, good, "boot")).code, 1);
    t.equal((await switchTo(machine, good, "check")).code, 9);
    const hung = await machine.run([`${good}/bin/switch-to-configuration`, "test"], {
      timeoutMs: 300,
    });
    t.ok(hung.timedOut);
    t.strictSame(machine.switches().at(-1), { action: "test", system: good, code: null });
  });
  t.test("without a machine it refuses", async (t) => {
    writeFileSync(inRoot("nix/var/stand-in/root"), "");
    const ended = await machine.run([`${good}/bin/switch-to-configuration`, "test"], {
      env: { STAND_IN_ROOT: undefined },
    });
    t.equal(ended.code, 1);
    t.match(ended.stderr, "STAND_IN_ROOT");
  });
});

t.test("what NixOS refuses, the stand-in refuses", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const table: readonly [why: string, more: string, message: RegExp][] = [
    [
      "an unknown package",
      "environment.etc.x.text = pkgs.no-such-package;",
      /attribute 'no-such-package' missing/,
    ],
    [
      "a failed assertion",
      'assertions = [ { assertion = false; message = "not like this"; } ];',
      /Failed assertions:\n *- not like this/,
    ],
    [
      "a user that is neither normal nor of the system",
      "users.users.eve = { };",
      /Exactly one of users\.users\.eve\.isSystemUser/,
    ],
    [
      "a shell whose module is off",
      "users.users.ada.shell = lib.mkForce pkgs.fish;",
      /users\.users\.ada\.shell/,
    ],
    [
      "a lock-out",
      "users.mutableUsers = false; users.users.ada.extraGroups = lib.mkForce [ ];",
      /Neither the root account nor any wheel user/,
    ],
    [
      "a value of the wrong type",
      'networking.firewall.allowedTCPPorts = [ "http" ];',
      /is not of type `16 bit unsigned integer/,
    ],
    ["a name below /etc that leaves it", 'environment.etc."../x".text = "";', /leaves \/etc/],
    [
      "a step that depends on itself",
      'system.activationScripts.a = { deps = [ "b" ]; text = ""; }; system.activationScripts.b = { deps = [ "a" ]; text = ""; };',
      /depends on itself/,
    ],
    ["two values that conflict", 'time.timeZone = "UTC";', /conflicting definition values/],
    [
      "a failing build",
      'environment.etc.x.source = pkgs.runCommand "broken" { } "echo why >&2; exit 7";',
      /failed with exit code 7/,
    ],
  ];
  for (const [why, more, message] of table)
    await t.rejects(machine.build(configuration("bad", more)), { message }, why);

  const warned = await machine.run([
    "nix-instantiate",
    "--eval",
    "-E",
    '(import <nixpkgs/nixos> { configuration.warnings = [ "careful" ]; }).system.name',
  ]);
  t.match(warned.stderr, "careful");
});
