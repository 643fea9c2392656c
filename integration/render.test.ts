import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { readFacts } from "#agent/facts/read-facts.ts";
import { boot, cloudConfig, content, prepare } from "#agent/fake-boot.ts";
import { fakeIo } from "#core/fake-io.ts";
import { hostIo } from "#core/host-io.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { skipWithoutOptions } from "#provisioner/nixos-options/rendered.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import type { Base } from "#provisioner/render/base.ts";
import { renderCases } from "#provisioner/render/cases.ts";
import { decideBase } from "#provisioner/render/decide-base.ts";
import { everything } from "#provisioner/render/everything.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { type TryOptions, tryRender } from "#provisioner/render/try-render.ts";
import { kernelPlaces } from "#provisioner/system/boot-places.ts";
import type { Closure } from "#provisioner/system/system.ts";
import { ec2Nitro } from "./machines/ec2-nitro.ts";
import { framework13Amd7040 } from "./machines/framework-13-amd-7040.ts";
import { framework16Rtx5070 } from "./machines/framework-16-rtx-5070.ts";
import { genericX86 } from "./machines/generic-x86.ts";
import { qemuQ35 } from "./machines/qemu-q35.ts";
import { raspberryPi4 } from "./machines/raspberry-pi-4.ts";
import { writeMachine } from "./machines/write-machine.ts";
import { type NixMachine, nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { libTree } from "./nixpkgs-trees.ts";
import { complaintsAbout, writeRendered } from "./render-check.ts";
import { checkExposure } from "./sides/exposure.ts";

t.setTimeout(300_000);
const skip = skipWithoutNix();
const repository = path.dirname(import.meta.dirname);
const moduleText = readFileSync(path.join(repository, "nixos/module.nix"), "utf8");
const { compiled } = compileProfiles(hostIo({ root: repository }).files, "/hardware-profiles");
if (skipWithoutOptions !== false) t.comment(`SKIPPED: ${skipWithoutOptions}`);

/** Everything but home-manager, which the stand-in has not. */
function richSpec(): Spec {
  const { home: _home, ...spec } = structuredClone(everything) as unknown as Spec;
  return spec;
}

async function evaluate(machine: NixMachine, entry: string, body: string): Promise<unknown> {
  const system = `import <nixpkgs/nixos> { configuration = ${entry}; system = "x86_64-linux"; }`;
  const expression = `let s = ${system}; c = s.config; in ${body}`;
  const argv = [
    "nix-instantiate",
    "--eval",
    "--strict",
    "--json",
    "--read-write-mode",
    "--expr",
    expression,
  ] as const;
  const { code, stdout, stderr } = await machine.run(argv);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

t.test(
  "every rendering is Nix, of options that NixOS has, with values that fit",
  { skip },
  async (t) => {
    for (const { name, spec, options } of renderCases) {
      t.same(complaintsAbout(tryRender(spec, options).sources), [], name);
    }
  },
);

t.test("so is what a boot makes of a datasource", { skip }, async (t) => {
  const built: Sources[] = [];
  const { deps } = prepare(
    t,
    {},
    {
      build: async (sources) => {
        built.push(sources);
        return { transaction: "t1", toplevel: "/nix/store/new" } as Closure;
      },
    },
  );
  const firstlight =
    "#firstlight\nversion: 1\nhostname: a\nreport: { mqtt: { host: 192.0.2.1 } }\n";
  for (const document of [cloudConfig, firstlight])
    t.match(await boot({ ...deps, discover: async () => content(document) }), {
      outcome: "committed",
    });
  t.equal(built.length, 2);
  for (const sources of built) t.same(complaintsAbout(sources), []);
});

const bases: readonly (readonly [string, TryOptions["base"]])[] = [
  [
    "a platform base",
    {
      platform: {
        fileSystems: [{ path: "/", device: "/dev/disk/by-uuid/0001", type: "ext4", options: [] }],
        swaps: [],
        left: [],
        bootLoader: "systemd-boot",
        esp: "/boot",
      },
      settings: { datasources: ["NoCloud"], policy: { changes: "hold" } },
    },
  ],
  [
    "an adopted base",
    {
      kind: "adopted",
      files: [
        {
          path: "configuration.nix",
          mode: 0o644,
          content: `{ lib, ... }:
{
  imports = [ ./disk.nix ];
  networking.hostName = "image";
  time.timeZone = "UTC";
  services.openssh.settings.PermitRootLogin = "yes";
  users.mutableUsers = false;
  users.users.root.hashedPassword = "$6$x";
  networking.firewall.allowedTCPPorts = [ 9100 ];
  services.firstlight.settings = { datasources = [ "NoCloud" ]; defaultUser = "image"; };
  system.stateVersion = "23.11";
}
`,
        },
        {
          path: "disk.nix",
          mode: 0o644,
          content: `{ fileSystems."/".device = "/dev/vda1"; boot.loader.grub.device = "/dev/vda"; }\n`,
        },
      ],
      settings: { datasources: ["NoCloud"], defaultUser: "image" },
      local: '{ lib, ... }: { time.timeZone = lib.mkForce "Asia/Tokyo"; }\n',
    },
  ],
];

const wanted = `{
  inherit (c.networking) hostName domain nameservers timeServers;
  inherit (c.system) stateVersion;
  inherit (c.users) mutableUsers;
  inherit (c.time) timeZone;
  settings = c.services.firstlight.settings;
  ports = c.networking.firewall.allowedTCPPorts;
  ssh = { inherit (c.services.openssh.settings) PasswordAuthentication KbdInteractiveAuthentication PermitRootLogin; };
  alice = { inherit (c.users.users.alice) uid group extraGroups description hashedPasswordFile; };
  root = c.fileSystems."/".device;
  data = { inherit (c.fileSystems."/data") device fsType options; };
  motd = c.environment.etc.motd.text;
  agent = c.systemd.services.firstlight-agent.serviceConfig.LoadCredentialEncrypted;
  files = c.systemd.services.firstlight-files.serviceConfig.LoadCredentialEncrypted;
  steps = c.system.activationScripts.users.deps;
  lan = c.systemd.network.networks."10-lan".networkConfig;
}`;

for (const [name, base] of bases) {
  t.test(`everything that a spec can say, on ${name}`, { skip }, async (t) => {
    const machine = await nixMachine(t);
    const result = tryRender(richSpec(), base === undefined ? {} : { base });
    const worse = result.findings.filter(({ level }) => level !== "note");
    t.same(
      worse.map(({ level, code }) => [level, code]),
      [
        ["warning", "render/resolver-options"],
        ["warning", "render/initrd-in-clear"],
      ],
      "which are so wherever a spec says both",
    );
    t.same(complaintsAbout(result.sources), []);
    const entry = writeRendered(t.testdir(), result.sources);
    const isAdopted = base?.kind === "adopted";
    const found = (await evaluate(machine, entry, wanted)) as Record<string, unknown>;
    t.match(found, {
      hostName: "edge-17",
      domain: "example.org",
      timeServers: ["ntp1.example.org", "0.pool.example.org"],
      stateVersion: isAdopted ? "23.11" : "25.11",
      timeZone: isAdopted ? "Asia/Tokyo" : "Europe/Zurich",
      mutableUsers: !isAdopted,
      ssh: {
        PasswordAuthentication: false,
        KbdInteractiveAuthentication: false,
        PermitRootLogin: "no",
      },
      alice: {
        uid: 1001,
        group: "operators",
        extraGroups: ["wheel", "dialers"],
        hashedPasswordFile: "/run/firstlight/passwords/user-alice-password@0123456789abcdef",
      },
      root: isAdopted ? "/dev/vda1" : "/dev/disk/by-uuid/0001",
      data: { device: "/dev/disk/by-label/data", fsType: "ext4", options: ["noatime"] },
      motd: "welcome\n",
      agent: ["mqtt-password:/var/lib/firstlight/credentials/mqtt-password@0123456789abcdef"],
      steps: ["specialfs", "firstlightPasswords"],
      lan: { DHCP: "ipv4", IPv6AcceptRA: true, Address: ["192.0.2.10/24"] },
    });
    t.same((found["settings"] as { datasources: unknown }).datasources, ["NoCloud"], "said once");
    t.equal((found["ports"] as number[]).includes(9100), isAdopted, "lists are added to");

    const system = await machine.build(`import ${entry}`);
    const built = (file: string) => readBuilt(machine, `${system}/${file}`);
    t.equal(await built("etc/motd"), "welcome\n");
    t.match(await built("etc/systemd/network/10-lan.link"), /OriginalName=enp\*/);
    t.match(
      await built("etc/systemd/system/hello.service"),
      "ExecStart=/run/current-system/sw/bin/true",
    );
    t.match(
      await built("etc/systemd/system/hello.service.d/firstlight.conf"),
      /^\[Service\]\nLoadCredentialEncrypted=app-token:\/var\/lib\/firstlight\/credentials\/app-token@/,
    );
    t.match(
      await built("etc/systemd/system/firstlight-files.service"),
      "LoadCredentialEncrypted=file-token:",
    );
    t.match(
      await built("etc/systemd/system/firstlight-command-runcmd.service"),
      /^ConditionPathExists=!\/var\/lib\/firstlight\/stamps\/[0-9a-f]{16}\/runcmd-[0-9a-f]{16}$/m,
    );
    t.match(await built("users-groups.json"), '"name":"alice"');
  });
}

t.test("a file system that was found stays beside what else is said of it", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const directory = t.testdir();
  const at = (place: string, device: string) => ({ path: place, device, options: [] });
  const platform: Base["platform"] = {
    fileSystems: [
      { ...at("/", "/dev/disk/by-uuid/0001"), type: "btrfs", options: ["subvol=@"] },
      { ...at("/srv", "/dev/disk/by-uuid/0002"), type: "ext4" },
    ],
    ...{ swaps: [], left: [], bootLoader: "systemd-boot", esp: "/boot" },
  };
  const local = (said: string) => `{ fileSystems."/" = { ${said} }; }\n`;
  const found = {
    device: "/dev/disk/by-uuid/0001",
    fsType: "btrfs",
    options: ["subvol=@", "x-initrd.mount"],
  };
  const cases: readonly (readonly [Omit<Spec, "version">, string | null, object])[] = [
    [{}, null, found],
    [{ options: { 'fileSystems."/".autoResize': true } }, null, { ...found, autoResize: true }],
    [
      {},
      local('options = [ "noatime" ];'),
      { ...found, options: ["subvol=@", "noatime", "x-initrd.mount"] },
    ],
    [
      {},
      local('device = "/dev/vdb"; fsType = "ext4";'),
      { device: "/dev/vdb", fsType: "ext4", options: ["x-initrd.mount"] },
    ],
    [
      {},
      local('label = "root";'),
      { device: "/dev/disk/by-label/root", fsType: "btrfs", options: ["x-initrd.mount"] },
    ],
    [
      { mounts: [{ device: "/dev/vdc", path: "/" }] },
      null,
      { device: "/dev/vdc", fsType: "auto", options: ["x-initrd.mount"] },
    ],
  ];
  for (const [index, [spec, owners, expected]] of cases.entries()) {
    const { sources } = tryRender(spec, { base: { platform, local: owners } });
    const entry = writeRendered(path.join(directory, String(index)), sources);
    const answer = await evaluate(
      machine,
      entry,
      `{ root = c.fileSystems."/"; other = c.fileSystems."/srv".device; }`,
    );
    t.match(answer, { root: expected, other: "/dev/disk/by-uuid/0002" }, `case ${index}`);
  }
});

t.test("profiles that ship, on machines that were recorded for them", { skip }, async (t) => {
  const machine = await nixMachine(t);
  for (const recorded of [
    framework13Amd7040,
    framework16Rtx5070,
    raspberryPi4,
    ec2Nitro,
    qemuQ35,
    genericX86,
  ]) {
    const directory = path.join(t.testdir({ [recorded.name]: {} }), recorded.name);
    writeMachine(directory, recorded);
    const io = fakeIo(directory);
    const facts = readFacts(io);
    const match = matchProfile(facts, compiled);
    const profile = compiled.profiles.find(({ id }) => id === match.applied) ?? null;
    const base = decideBase({
      io,
      facts,
      profile,
      mutableUsers: undefined,
      settings: { stateVersion: "25.11" },
      agentModule: [],
    });
    const result = tryRender({ hostname: "edge-17" }, { facts, match, profiles: compiled, base });
    t.same(complaintsAbout(result.sources), [], recorded.name);
    const entry = writeRendered(path.join(directory, "sources"), result.sources);
    const found = await evaluate(
      machine,
      entry,
      `{ root = c.fileSystems ? "/"; params = c.boot.kernelParams; initrd = c.boot.initrd.availableKernelModules; inherit (c) warnings; }`,
    );
    t.match(found, { root: true, warnings: [] }, recorded.name);
    const { initrd, params } = found as { initrd: string[]; params: string[] };
    t.ok(initrd.length > 0, recorded.name);
    if (recorded === framework16Rtx5070)
      t.equal(params.at(-1), "amdgpu.dcdebugmask=0x410", "the last one, which the kernel takes");
  }
});

t.test("what was computed goes before nixos-hardware and after the owner", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const directory = t.testdir({ machine: {} });
  writeMachine(path.join(directory, "machine"), framework16Rtx5070);
  const facts = readFacts(fakeIo(path.join(directory, "machine")));
  const match = matchProfile(facts, compiled);
  const address = async (name: string, module: string) => {
    const base = { local: `{ lib, ... }: { hardware.nvidia.prime.amdgpuBusId = ${module}; }\n` };
    const result = tryRender({}, { facts, match, profiles: compiled, base });
    const entry = writeRendered(path.join(directory, name), result.sources);
    return evaluate(machine, entry, "c.hardware.nvidia.prime.amdgpuBusId");
  };
  t.equal(await address("default", `lib.mkDefault "PCI:195:0:0"`), "PCI:194:0:0");
  t.equal(await address("owner", `"PCI:7:0:0"`), "PCI:7:0:0");
});

t.test("one daemon saves power, whatever a module or the owner asks for", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const directory = t.testdir({ machine: {} });
  writeMachine(path.join(directory, "machine"), framework13Amd7040);
  const facts = readFacts(fakeIo(path.join(directory, "machine")));
  const match = matchProfile(facts, compiled);
  const of = async (name: string, module: string) => {
    const base = { local: `{ config, lib, ... }: { ${module} }\n` };
    const result = tryRender({}, { facts, match, profiles: compiled, base });
    const entry = writeRendered(path.join(directory, name), result.sources);
    return evaluate(
      machine,
      entry,
      "[ c.services.power-profiles-daemon.enable c.services.tlp.enable ]",
    );
  };
  const asNixosHardware =
    "services.tlp.enable = lib.mkDefault (!config.services.power-profiles-daemon.enable);";
  t.same(await of("module", asNixosHardware), [true, false]);
  t.same(await of("owner", "services.tlp.enable = true;"), [false, true]);
});

/** Text of a file of the store, its links followed inside of the machine. */
async function readBuilt(machine: NixMachine, file: string): Promise<string> {
  const { code, stdout, stderr } = await machine.run(["cat", file]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** Names of early services that would need a directory of /tmp for their /dev and do not wait for it, as for a /tmp. */
const besideTmpfiles = `builtins.filter (name:
  let service = c.systemd.services.\${name}; own = service.serviceConfig; in
  !(service.unitConfig.DefaultDependencies or true) && own.PrivateDevices or false && !(own.PrivateTmp or false)
) (builtins.attrNames c.systemd.services)`;

interface Units {
  readonly boot: { readonly after: readonly string[] };
  readonly bootstrap: { readonly before: readonly string[] };
  readonly timer: { readonly timerConfig: object };
  readonly agent: object;
  readonly agentAfter: readonly string[];
  readonly targets: readonly string[];
  readonly parameters: readonly string[];
  readonly besideTmpfiles: readonly string[];
  readonly mayWrite: Readonly<Record<string, readonly string[]>>;
}

/** Who may come to write a boot menu, each in a sandbox. */
const writers = [
  "system",
  "boot",
  "update",
  "fleet-commands",
  "drift",
  "maintenance",
  "first-boot-deadline",
] as const;

const units = `let services = c.systemd.services; in {
  boot = { inherit (services.firstlight-boot) after before wantedBy restartIfChanged; inherit (services.firstlight-boot.serviceConfig) Type; };
  timer = { inherit (c.systemd.timers.firstlight-boot) wantedBy timerConfig; };
  bootstrap = { inherit (services.firstlight-bootstrap) before after wantedBy unitConfig; };
  agent = services.firstlight-agent.serviceConfig;
  agentAfter = services.firstlight-agent.after;
  update = { inherit (services.firstlight-update) after restartIfChanged stopIfChanged unitConfig; inherit (services.firstlight-update.serviceConfig) ExecStart Type; path = c.systemd.paths.firstlight-update; };
  commands = { inherit (services.firstlight-fleet-commands) after wantedBy restartIfChanged stopIfChanged unitConfig; inherit (services.firstlight-fleet-commands.serviceConfig) ExecStart Type; path = c.systemd.paths.firstlight-fleet-commands.pathConfig; };
  sticks = { mounts = builtins.length c.systemd.mounts; service = services ? firstlight-update-stick; };
  targets = builtins.attrNames c.systemd.targets;
  deadline = { inherit (services.firstlight-trial-deadline.serviceConfig) ExecCondition ExecStart; timer = c.systemd.timers.firstlight-trial-deadline.wantedBy; };
  emergency = services.firstlight-trial-emergency.wantedBy;
  first = { inherit (services.firstlight-first-boot) wantedBy before after unitConfig; inherit (services.firstlight-first-boot.serviceConfig) ExecCondition ExecStart; };
  firstDeadline = { inherit (services.firstlight-first-boot-deadline) before conflicts unitConfig; inherit (services.firstlight-first-boot-deadline.serviceConfig) ExecCondition ExecStart PrivateTmp; };
  firstTimer = { inherit (c.systemd.timers.firstlight-first-boot-deadline) wantedBy before conflicts unitConfig timerConfig; };
  firstEmergency = { inherit (services.firstlight-first-boot-emergency) wantedBy before; inherit (services.firstlight-first-boot-emergency.serviceConfig) ExecCondition ExecStart; };
  complete = { inherit (services.firstlight-boot-complete) requiredBy before; };
  parameters = c.boot.kernelParams;
  watchdog = c.systemd.watchdog;
  oops = c.boot.kernel.sysctl."kernel.panic_on_oops";
  ordered = builtins.filter (name: builtins.elem "firstlight-boot.service" services.\${name}.after) (builtins.attrNames services);
  keys = c.services.openssh.authorizedKeysFiles;
  besideTmpfiles = ${besideTmpfiles};
  mayWrite = builtins.listToAttrs (map (name: { inherit name; value = services."firstlight-\${name}".serviceConfig.ReadWritePaths; }) [ ${writers.map((name) => `"${name}"`).join(" ")} ]);
}`;

/** What lets a machine that hangs come back, where the owner of the image says more of it, or less. */
const comingBack: Readonly<Record<string, readonly [module: string, found: object]>> = {
  "another time, and another watchdog": [
    `{ services.firstlight.panicSeconds = 5; systemd.watchdog.runtimeTime = "20s"; }`,
    { parameters: ["panic=5", "boot.panic_on_fail"], watchdog: { runtimeTime: "20s" } },
  ],
  "a person who looks at panics": [
    `{ services.firstlight.panicSeconds = null; boot.kernel.sysctl."kernel.panic_on_oops" = 0; }`,
    { parameters: [], oops: 0, watchdog: { runtimeTime: "60s", rebootTime: "10min" } },
  ],
  "the options of a newer NixOS": [
    `{ lib, ... }: { options.systemd.settings.Manager = lib.mkOption { type = lib.types.attrsOf lib.types.str; }; config.systemd.settings.Manager.RebootWatchdogSec = "5min"; }`,
    { manager: { RuntimeWatchdogSec: "60s", RebootWatchdogSec: "5min" } },
  ],
};

t.test("a machine that hangs comes back as its owner says", { skip }, async (t) => {
  const machine = await nixMachine(t);
  for (const [name, [local, expected]] of Object.entries(comingBack)) {
    const { sources } = tryRender({}, { base: { local: `${local}\n` } });
    const entry = writeRendered(t.testdir(), sources);
    const body = `{
      parameters = c.boot.kernelParams;
      oops = c.boot.kernel.sysctl."kernel.panic_on_oops";
      watchdog = c.systemd.watchdog or { };
      manager = c.systemd.settings.Manager or { };
    }`;
    t.match(await evaluate(machine, entry, body), expected, name);
  }
});

t.test("a stick is taken by itself where the owner says so", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const local = "{ services.firstlight.settings.update.removable = true; }\n";
  const { sources } = tryRender({}, { base: { local } });
  const entry = writeRendered(t.testdir(), sources);
  const body = `let stick = c.systemd.services.firstlight-update-stick; in {
    mounts = map (m: { inherit (m) what where options; }) c.systemd.mounts;
    inherit (stick) wantedBy unitConfig;
    inherit (stick.serviceConfig) ExecStart PrivateNetwork;
  }`;
  t.match(await evaluate(machine, entry, body), {
    mounts: [
      {
        what: "/dev/disk/by-label/FL-UPDATE",
        where: "/run/firstlight/stick",
        options: "ro,nosuid,nodev,noexec",
      },
    ],
    wantedBy: ["dev-disk-by\\x2dlabel-FL\\x2dUPDATE.device"],
    unitConfig: { RequiresMountsFor: "/run/firstlight/stick" },
    ExecStart: /firstlight update import --automatic \/run\/firstlight\/stick$/,
    PrivateNetwork: true,
  });
});

const isFirst =
  /test \/nix\/var\/nix\/gcroots\/firstlight-first-boot\/unproved -ef \/run\/booted-system -o \/nix\/var\/nix\/gcroots\/firstlight-first-boot\/next -ef \/run\/booted-system$/;

/** Of what does not wait for a boot to come as far as its services. */
const early = {
  unitConfig: { DefaultDependencies: false },
  before: ["shutdown.target"],
  conflicts: ["shutdown.target"],
};

t.test("the module's units", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const { sources } = tryRender({});
  const entry = writeRendered(t.testdir(), sources);
  const found = (await evaluate(machine, entry, units)) as Units;
  t.match(found, {
    boot: { wantedBy: [], before: [], restartIfChanged: false, Type: "oneshot" },
    timer: { wantedBy: ["timers.target"] },
    bootstrap: { wantedBy: ["multi-user.target"], unitConfig: { DefaultDependencies: false } },
    agent: {
      Type: "notify",
      DynamicUser: true,
      StateDirectory: "firstlight-agent",
      StateDirectoryMode: "0700",
    },
    ordered: [],
    deadline: {
      ExecCondition:
        /test \/nix\/var\/nix\/profiles\/system-profiles\/firstlight_trial -ef \/run\/booted-system$/,
      ExecStart: /systemctl --no-block reboot$/,
      timer: ["timers.target"],
    },
    emergency: ["emergency.target"],
    first: {
      wantedBy: ["sysinit.target"],
      before: ["sysinit.target", "shutdown.target"],
      after: ["local-fs.target"],
      unitConfig: { DefaultDependencies: false, ConditionPathExists: "!/etc/firstlight/disabled" },
      ExecCondition: isFirst,
      ExecStart: /firstlight first-boot$/,
    },
    firstDeadline: {
      ExecCondition: isFirst,
      ExecStart: /firstlight first-boot --leave any --sandboxed$/,
      PrivateTmp: false,
      ...early,
    },
    firstTimer: { wantedBy: ["timers.target"], timerConfig: { OnActiveSec: "1h" }, ...early },
    firstEmergency: {
      wantedBy: ["emergency.target"],
      before: ["sysinit.target"],
      ExecCondition: isFirst,
      ExecStart: /firstlight first-boot --leave restart$/,
    },
    complete: { requiredBy: ["boot-complete.target"], before: ["boot-complete.target"] },
    update: {
      after: ["firstlight-system.socket", "multi-user.target", "network-online.target"],
      restartIfChanged: false,
      stopIfChanged: false,
      unitConfig: {
        "X-StopOnRemoval": false,
        ConditionPathExists: [
          "!/etc/firstlight/disabled",
          "/var/lib/firstlight/update/assigned.json",
        ],
      },
      ExecStart: /firstlight update run --sandboxed$/,
      path: {
        wantedBy: ["paths.target"],
        pathConfig: {
          PathChanged: [
            "/var/lib/firstlight/update/assigned.json",
            "/var/lib/firstlight/update/wishes",
          ],
        },
      },
    },
    commands: {
      after: ["firstlight-system.socket", "multi-user.target"],
      wantedBy: ["multi-user.target"],
      restartIfChanged: false,
      stopIfChanged: false,
      unitConfig: {
        ConditionPathExists: [
          "!/etc/firstlight/disabled",
          "/var/lib/firstlight/update/commands.json",
        ],
      },
      ExecStart: /firstlight fleet-commands run --sandboxed$/,
      path: { PathExists: "/var/lib/firstlight/update/commands-waiting" },
    },
    sticks: { mounts: 0, service: false },
    watchdog: { runtimeTime: "60s", rebootTime: "10min" },
    oops: 1,
    keys: ["/run/firstlight/authorized_keys/%u"],
  });
  t.same(found.besideTmpfiles, []);
  for (const [name, places] of Object.entries(found.mayWrite)) {
    const isWritable = (place: string) =>
      places.some((one) => place.startsWith(`${one.slice(1)}/`));
    t.ok(kernelPlaces.every(isWritable), `${name} may remove a torn kernel`);
  }
  t.ok(found.boot.after.includes("multi-user.target"));
  t.ok(found.agentAfter.includes("multi-user.target"), "no boot waits for the agent");
  t.ok(found.bootstrap.before.includes("network-pre.target"));
  t.notOk("RemainAfterElapse" in found.timer.timerConfig, "a switch does not start it again");
  t.match(found.parameters, ["panic=30", "boot.panic_on_fail"]);
  t.ok(found.targets.includes("cloud-init"));
  t.ok(found.targets.includes("cloud-config"));
  t.notOk("MemoryDenyWriteExecute" in found.agent, "Node compiles at run time");

  const system = await machine.build(`import ${entry}`);
  const directory = `${system}/etc/systemd/system`;
  const listed = await machine.run(["ls", directory]);
  const ours = listed.stdout.split("\n").filter((name) => /^firstlight-.*\.service$/.test(name));
  const withProgram: string[] = [];
  for (const name of ours) {
    const text = await readBuilt(machine, `${directory}/${name}`);
    if (!/^Exec\w+=.*\/bin\/firstlight /m.test(text)) continue;
    withProgram.push(name);
    t.match(text, /^LimitCORE=0$/m, `${name} leaves no core`);
    t.match(text, /^CoredumpFilter=0x0$/m, `${name} has no memory in one`);
  }
  t.ok(withProgram.length >= exposures.length, withProgram.join(", "));
  for (const [side, most] of exposures) {
    const file = `${system}/etc/systemd/system/${side}.service`;
    await checkExposure(t, { name: side, most, text: await readBuilt(machine, file) });
  }
});

t.test("an image whose own configuration brings firstlight", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const pin = await machine.pinNixpkgs();
  const module = readFileSync(path.join(repository, "nixos/module.nix"), "utf8");
  const own = `{ pkgs, ... }:
{
  imports = [ ./its-firstlight.nix ];
  boot.isContainer = true;
  services.firstlight = { enable = true; package = pkgs.htop; settings.policy.changes = "hold"; };
  system.stateVersion = "25.11";
}
`;
  const { sources } = tryRender(
    {},
    {
      base: {
        kind: "adopted",
        files: [
          { path: "configuration.nix", mode: 0o644, content: own },
          { path: "its-firstlight.nix", mode: 0o644, content: module },
        ],
        pins: { firstlight: pin },
      },
    },
  );
  const entry = writeRendered(t.testdir(), sources);
  const wanted =
    "{ inherit (c.services.firstlight) enable; package = toString c.services.firstlight.package; }";
  t.match(await evaluate(machine, entry, wanted), { enable: true, package: pin.storePath });
});

t.test("a switch starts the late commands again for what is new to run", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const commands: Spec["commands"] = [
    { name: "a", when: "late", frequency: "instance", script: { secretRef: "a" } },
  ];
  const build = async (instanceId: string, hostname: string) => {
    const { sources } = tryRender({ commands, hostname }, { instanceId });
    const directory = path.join(t.testdir({ [instanceId + hostname]: {} }), instanceId + hostname);
    return machine.build(`import ${writeRendered(directory, sources)}`);
  };
  const toSwitch = (system: string, action: string) =>
    machine.run([`${system}/bin/switch-to-configuration`, action]);
  t.match(await toSwitch(await build("i-1", "edge-1"), "test"), { code: 0 });
  const said = async (instanceId: string, hostname: string) =>
    (await toSwitch(await build(instanceId, hostname), "dry-activate")).stderr;
  t.match(await said("i-2", "edge-1"), /would start the following units: .*firstlight-commands/);
  t.notMatch(await said("i-1", "edge-2"), /firstlight-commands/, "and not for anything else");
});

t.test("a pinned agent takes the place of the image's own package", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const directory = t.testdir({ agent: "" });
  const added = await machine.run(["nix-store", "--add", path.join(directory, "agent")]);
  const pinned = added.stdout.trim();
  const base: TryOptions["base"] = {
    kind: "adopted",
    pins: { firstlight: { storePath: pinned, narHash: null, revision: null } },
    files: [
      {
        path: "configuration.nix",
        mode: 0o644,
        content: "{ pkgs, ... }: { services.firstlight.package = pkgs.firstlight; }\n",
      },
    ],
  };
  const entry = writeRendered(directory, tryRender({}, { base }).sources);
  const body = `"\${c.services.firstlight.package}"`;
  t.equal(await evaluate(machine, entry, body), pinned);
});

/** As `systemd-analyze security` has it, times ten: how exposed each unit may be at most. */
const exposures = [
  ["firstlight-agent", 20],
  ["firstlight-system", 15],
  ["firstlight-bootstrap", 12],
  ["firstlight-boot", 28],
  ["firstlight-boot-complete", 5],
  ["firstlight-first-boot", 16],
  ["firstlight-first-boot-deadline", 28],
  ["firstlight-first-boot-emergency", 16],
  ["firstlight-drift", 28],
  ["firstlight-update", 28],
  ["firstlight-fleet-commands", 28],
  ["firstlight-maintenance", 14],
] as const;

if (libTree === undefined)
  t.comment("SKIPPED: the module on nixpkgs' own lib (name its tree in NIXPKGS_LIB)");

if (libTree !== undefined)
  t.test("the module agrees with nixpkgs' own lib", { skip }, async (t) => {
    const machine = await nixMachine(t);
    // As where an image imports it from a place of its own.
    const copy = path.join(t.testdir({ "module.nix": moduleText }), "module.nix");
    const body = `let
    lib = import ${libTree};
    any = lib.mkOption { type = lib.types.attrsOf lib.types.anything; default = { }; };
    stub.options = {
      boot.kernelParams = lib.mkOption { type = lib.types.listOf lib.types.str; }; boot.kernel.sysctl = any;
      environment.etc = any; environment.systemPackages = lib.mkOption { type = lib.types.listOf lib.types.anything; };
      systemd = { watchdog = any; services = any; sockets = any; paths = any; mounts = lib.mkOption { type = lib.types.listOf lib.types.anything; default = [ ]; }; timers = any; targets = any; package = lib.mkOption { default = "/systemd"; }; tmpfiles.rules = lib.mkOption { type = lib.types.listOf lib.types.str; }; };
      services.openssh.authorizedKeysFiles = lib.mkOption { type = lib.types.listOf lib.types.str; };
      users.groups = any;
      nix.package = lib.mkOption { default = "/nix"; };
    };
    pkgs = import <nixpkgs> { };
    json = { type = with lib.types; let value = nullOr (oneOf [ bool int float str (attrsOf value) (listOf value) ]); in value; generate = name: value: pkgs.writeText name (builtins.toJSON value); };
    found = lib.evalModules {
      modules = [ stub ${path.join(repository, "nixos/module.nix")} { imports = [ ${copy} ]; } {
        services.firstlight = { enable = true; package = "\${pkgs.firstlight}"; settings.policy.changes = lib.mkOverride 1200 "hold"; };
      } { services.firstlight.settings.policy.changes = "apply"; } ];
      specialArgs.pkgs = pkgs // { formats.json = _: json; };
    };
    c = found.config;
  in {
    settings = c.services.firstlight.settings;
    start = c.systemd.services.firstlight-agent.serviceConfig.ExecStart;
    type = c.systemd.services.firstlight-agent.serviceConfig.Type;
    boot = c.systemd.services.firstlight-boot.restartIfChanged;
  }`;
    const argv = [
      "nix-instantiate",
      "--eval",
      "--strict",
      "--json",
      "--read-write-mode",
      "--expr",
      body,
    ] as const;
    const { code, stdout, stderr } = await machine.run(argv);
    t.equal(code, 0, stderr);
    t.match(JSON.parse(stdout || "{}"), {
      settings: { policy: { changes: "apply" } },
      start: /\/bin\/firstlight agent$/,
      type: "notify",
      boot: false,
    });
  });
