import t from "tap";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { type OptionValues, profileSet } from "#provisioner/profiles/profile.ts";
import { sampleProfile } from "#provisioner/profiles/sample-profile.ts";
import { sampleBareMetal } from "../sample-machine.ts";
import { fileOf, noMatch, tryRender } from "../try-render.ts";

const bare = sampleBareMetal(10);

interface Profile {
  readonly options?: OptionValues;
  readonly modules?: readonly string[];
}

/** Services and hardware that are turned on or off, with the priority of a default left out. */
function rendered(facts: Facts, { options = {}, modules = [] }: Profile = {}) {
  const profile = {
    ...sampleProfile("acme/one", { match: { any: [] } }),
    nixos: { imports: [], options, platform: { modules, options: {} }, modules: [] },
  };
  const match = { ...noMatch, profile: profile.id, applied: profile.id };
  const result = tryRender({}, { facts, match, profiles: profileSet([profile]) });
  const values: unknown = JSON.parse(fileOf(result, "firstlight/values.json"));
  const { options: set } = values as { readonly options: Readonly<Record<string, string>> };
  const wanted = /fwupd|fprintd|bluetooth|iio|[gG]uest|updateMicrocode/;
  return Object.fromEntries(
    Object.entries(set)
      .filter(([name]) => wanted.test(name))
      .map(([name, value]) => [
        name.replace(/\.enable$/, ""),
        value.replace(/^lib\.mkOverride 900 /, "").replace(/^lib\.mkDefault (.*)$/, "default $1"),
      ]),
  );
}

const none = bare.features;
const withFeatures = (features: Partial<Facts["features"]>): Facts => ({
  ...bare,
  features: { ...none, ...features },
});

t.test("what sits in a machine on bare metal has its service", async (t) => {
  const uefi: Facts = { ...bare, firmware: { ...bare.firmware, type: "uefi" } };
  const cases: readonly (readonly [string, Facts, object])[] = [
    ["nothing is known", bare, {}],
    ["UEFI takes updates of firmware", uefi, { "services.fwupd": "true" }],
    ["a fingerprint reader", withFeatures({ fingerprint: true }), { "services.fprintd": "true" }],
    ["Bluetooth", withFeatures({ bluetooth: true }), { "hardware.bluetooth": "true" }],
    [
      "sensors that a screen asks",
      withFeatures({ sensors: ["accel_3d", "als"] }),
      { "hardware.sensor.iio": "true" },
    ],
    [
      "a chip for how it is held",
      withFeatures({ sensors: ["bmi160"] }),
      { "hardware.sensor.iio": "true" },
    ],
    ["a meter of the board is none of them", withFeatures({ sensors: ["ina2xx", "ads1015"] }), {}],
    [
      "it is said that there is none",
      withFeatures({ fingerprint: false, bluetooth: false, sensors: [] }),
      {},
    ],
  ];
  for (const [name, facts, found] of cases) {
    t.same(rendered(facts), found, name);
    t.same(rendered({ ...facts, virtualisation: "other" }), {}, `${name}, in a guest`);
    t.same(rendered({ ...facts, virtualisation: null }), {}, `${name}, in nobody knows what`);
  }
});

t.test("what a profile says of a device counts", async (t) => {
  const facts = withFeatures({ bluetooth: true });
  const options = { "hardware.bluetooth.enable": false };
  t.same(rendered(facts, { options }), { "hardware.bluetooth": "default false" });
});

const guest = (virtualisation: Facts["virtualisation"], sysVendor: string | null, more = {}) => ({
  ...bare,
  ...more,
  virtualisation,
  dmi: bare.dmi === null ? null : { ...bare.dmi, sysVendor },
});

t.test("a guest has the agent of its own hypervisor", async (t) => {
  const arm = { cpu: { ...bare.cpu, architecture: "aarch64" } };
  const cases: readonly (readonly [Facts, object])[] = [
    [guest("kvm", "QEMU"), { "services.qemuGuest": "true" }],
    [guest("qemu", "QEMU"), { "services.qemuGuest": "true" }],
    [guest("kvm", null, arm), { "services.qemuGuest": "true" }],
    [guest("vmware", "VMware, Inc."), { "virtualisation.vmware.guest": "true" }],
    [guest("oracle", "innotek GmbH"), { "virtualisation.virtualbox.guest": "true" }],
    [guest("oracle", "innotek GmbH", arm), {}],
    [guest("microsoft", "Microsoft Corporation"), { "virtualisation.hypervGuest": "true" }],
    [guest("microsoft", null), { "virtualisation.hypervGuest": "true" }],
    [guest("microsoft", "Vultr"), {}],
    [guest("amazon", "Amazon EC2"), {}],
    [guest("google", "Google"), {}],
    [guest("container", null), {}],
    [guest(null, null), {}],
    [guest("none", "Acme"), {}],
  ];
  for (const [facts, found] of cases)
    t.same(rendered(facts), found, `${facts.virtualisation} of ${facts.dmi?.sysVendor}`);
});

t.test("a cloud has the agent that its profile names, or none", async (t) => {
  const facts = guest("kvm", "Google");
  const off = { "services.qemuGuest.enable": false };
  t.same(rendered(facts, { options: off }), { "services.qemuGuest": "default false" });
  const other = { "virtualisation.vmware.guest.enable": true };
  t.same(rendered(facts, { options: other }), { "virtualisation.vmware.guest": "default true" });
  t.same(rendered(facts, { modules: ["virtualisation/amazon-image.nix"] }), {});
});

t.test("microcode is that of the processor's own vendor", async (t) => {
  const both = {
    "hardware.cpu.amd.updateMicrocode": true,
    "hardware.cpu.intel.updateMicrocode": true,
  };
  const of = (vendor: string | null, more: Partial<Facts> = {}) =>
    Object.keys(rendered({ ...bare, ...more, cpu: { ...bare.cpu, vendor } }, { options: both }));
  t.same(of("AuthenticAMD"), ["hardware.cpu.amd.updateMicrocode"]);
  t.same(of("GenuineIntel"), ["hardware.cpu.intel.updateMicrocode"]);
  t.same(of("CentaurHauls"), []);
  t.same(of(null).sort(), Object.keys(both), "nothing tells");
  t.same(of("GenuineIntel", { virtualisation: "other" }), [], "its host's, in a guest");
  const intel = { "hardware.cpu.intel.updateMicrocode": false };
  t.same(
    rendered({ ...bare, cpu: { ...bare.cpu, vendor: "AuthenticAMD" } }, { options: intel }),
    {
      "hardware.cpu.amd.updateMicrocode": "default config.hardware.enableRedistributableFirmware",
      "hardware.cpu.intel.updateMicrocode": "default false",
    },
    "what a profile turns off stays off",
  );
});
