import { readFileSync } from "node:fs";
import t from "tap";
import { readFacts } from "#agent/facts/read-facts.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { fakeIo } from "#core/fake-io.ts";
import { hostIo } from "#core/host-io.ts";
import { fromJson, type PlainData } from "#provisioner/nix-language/from-json.ts";
import { attrs, bind } from "#provisioner/nix-language/tree.ts";
import { checkOptions, loadOptionList } from "#provisioner/nixos-options/option-list.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import { splitOptionName } from "#provisioner/render/option-name.ts";
import { nixEvalJson, skipWithoutNix } from "../nix-eval.ts";
import { ec2Nitro } from "./ec2-nitro.ts";
import { framework13Amd7040 } from "./framework-13-amd-7040.ts";
import { genericX86 } from "./generic-x86.ts";
import { qemuQ35 } from "./qemu-q35.ts";
import { raspberryPi4 } from "./raspberry-pi-4.ts";
import { writeMachine } from "./write-machine.ts";

const root = new URL("../..", import.meta.url).pathname;
const { compiled } = compileProfiles(hostIo({ root }).files, "/hardware-profiles");

t.test(
  "every recorded machine gets its profile, and its facts are the profile's fixture",
  async (t) => {
    const cases = [
      [framework13Amd7040, "framework/13-amd-7040", "certain", "retail"],
      [raspberryPi4, "raspberry-pi/4", "certain", "rev-1.4"],
      [ec2Nitro, "amazon/ec2", "certain", "nitro"],
      [qemuQ35, "qemu/kvm", "certain", "q35"],
      [genericX86, "generic/x86-64", "generic", "white-box"],
    ] as const;
    for (const [machine, profile, confidence, fixture] of cases) {
      const directory = `${t.testdir({ [machine.name]: {} })}/${machine.name}`;
      writeMachine(directory, machine);
      const facts = readFacts(fakeIo(directory));
      const match = matchProfile(facts, compiled);
      t.same(
        [match.profile, match.confidence, match.applied],
        [profile, confidence, profile],
        machine.name,
      );
      const file = `${root}hardware-profiles/${profile}/fixtures/${fixture}.json`;
      t.equal(
        prettyJson(facts),
        readFileSync(file, "utf8"),
        `${machine.name}: the fixture is up to date`,
      );
    }
  },
);

const options = loadOptionList();
const withoutOptions =
  options === undefined ? "the option list is not on this machine (../shared/data)" : false;

t.test(
  "every option of every profile is one of NixOS, with a fitting value",
  { skip: withoutOptions },
  async (t) => {
    for (const { id, nixos } of compiled.profiles) {
      for (const [name, value] of [
        ...Object.entries(nixos.options),
        ...Object.entries(nixos.platform?.options ?? {}),
      ]) {
        const expr = attrs([bind(splitOptionName(name) ?? [name], fromJson(value as PlainData))]);
        t.same(options && checkOptions([{ file: id, expr }], options), [], `${id}: ${name}`);
      }
    }
  },
);

/** As much of nixpkgs' lib as modules of profiles may use, with priorities left out. */
const lib = `{
  mkDefault = value: value;
  mkIf = condition: value: if condition then value else { };
  optional = condition: value: if condition then [ value ] else [ ];
  versionOlder = a: b: builtins.compareVersions b a == 1;
}`;

t.test(
  "every module evaluates on old and new kernels, and sets options of NixOS",
  { skip: skipWithoutNix() },
  async (t) => {
    for (const { id, text } of compiled.profiles.flatMap(({ nixos }) => nixos.modules)) {
      for (const kernel of ["6.1.100", "6.12.40"]) {
        const config = `{ boot.kernelPackages.kernel.version = "${kernel}"; }`;
        const value = nixEvalJson(
          `import ./module.nix { lib = ${lib}; config = ${config}; pkgs = { }; }`,
          { files: { "module.nix": text } },
        );
        t.ok(typeof value === "object" && value !== null, `${id} on ${kernel}`);
        if (options !== undefined)
          t.same(
            checkOptions([{ file: id, expr: fromJson(value as PlainData) }], options),
            [],
            `${id}: its options`,
          );
      }
    }
  },
);

t.test("the Framework's quirks follow the kernel in use", { skip: skipWithoutNix() }, async (t) => {
  const text = readFileSync(`${root}hardware-profiles/framework/13-amd-7040/module.nix`, "utf8");
  const paramsOn = (kernel: string) =>
    nixEvalJson(
      `(import ./module.nix { lib = ${lib}; config.boot.kernelPackages.kernel.version = "${kernel}"; }).boot.kernelParams`,
      { files: { "module.nix": text } },
    );
  t.same(paramsOn("6.1"), ["rtc_cmos.use_acpi_alarm=1", "amdgpu.sg_display=0"]);
  t.same(paramsOn("6.6.30"), ["rtc_cmos.use_acpi_alarm=1"]);
  t.same(paramsOn("6.12.1"), []);
});

t.test("a guest has the agent of its own hypervisor, and of no other", async (t) => {
  const agents: Readonly<Record<string, readonly string[]>> = {
    "services.qemuGuest.enable": [
      "digitalocean/droplet",
      "generic/arm-vm",
      "hetzner/cloud",
      "qemu/kvm",
      "vultr/vc2",
    ],
    "virtualisation.hypervGuest.enable": ["microsoft/azure", "microsoft/hyper-v"],
    "virtualisation.virtualbox.guest.enable": ["virtualbox/vm"],
    "virtualisation.vmware.guest.enable": ["vmware/vm"],
  };
  for (const [option, guests] of Object.entries(agents)) {
    const on = compiled.profiles.filter(({ nixos }) => nixos.options[option] === true);
    t.same(
      on.map(({ id }) => id),
      guests,
      option,
    );
  }
});
