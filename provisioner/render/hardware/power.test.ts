import t from "tap";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { type CompiledProfile, profileSet } from "#provisioner/profiles/profile.ts";
import { sampleProfile } from "#provisioner/profiles/sample-profile.ts";
import { sampleBareMetal } from "../sample-machine.ts";
import { fileOf, noMatch, type TryOptions, tryRender } from "../try-render.ts";

const notebook = 10;

/** What is said of both daemons: `on` unless the other one is, `off`, or nothing. */
function power(
  facts: Facts,
  more: Partial<CompiledProfile> = {},
  { spec = {}, ...options }: TryOptions & { readonly spec?: Omit<Spec, "version"> } = {},
) {
  const profile = { ...sampleProfile("acme/one", { match: { any: [] } }), ...more };
  const match = { ...noMatch, profile: profile.id, applied: profile.id };
  const profiles = profileSet([profile]);
  const result = tryRender(spec, { ...options, facts, match, profiles });
  const text = fileOf(result, "firstlight/hardware.nix").replaceAll(/\s+/g, " ");
  const said = (name: string, other: string) => {
    const on = `services.${name}.enable = lib.mkOverride 900 ( if config.services.${other}.enable or false then false else true );`;
    if (text.includes(on)) return "on";
    return text.includes(`services.${name}.enable = lib.mkOverride 900 false;`) ? "off" : undefined;
  };
  t.equal(text.split("tlp.enable = ").length <= 2, true, "said once");
  return {
    ppd: said("power-profiles-daemon", "tlp"),
    tlp: said("tlp", "power-profiles-daemon"),
  };
}

const machine = (vendor: string | null, chassis: number | null = notebook, more: object = {}) => {
  const facts = sampleBareMetal(chassis, more);
  return { ...facts, cpu: { ...facts.cpu, vendor } };
};
const nixos = (options: Readonly<Record<string, boolean>>) => ({
  nixos: { imports: [], options, platform: null, modules: [] },
});

t.test("a laptop saves power by its processor, one daemon alone", async (t) => {
  t.same(power(machine("AuthenticAMD")), { ppd: "on", tlp: "off" });
  const intel = { ppd: undefined, tlp: "on" };
  t.same(power(machine("GenuineIntel")), intel, "and that of a desktop goes before");
  t.same(power(machine("GenuineIntel", 31)), intel, "a convertible");
  t.same(power(machine(null)), { ppd: undefined, tlp: undefined }, "nothing tells");
});

t.test("what stands on a desk or runs in another machine needs none", async (t) => {
  const nothing = { ppd: undefined, tlp: undefined };
  t.same(power(machine("GenuineIntel", 3)), nothing);
  t.same(power(machine("AuthenticAMD", notebook, { virtualisation: "kvm" })), nothing);
  const { features } = machine("AuthenticAMD");
  const battery = machine("AuthenticAMD", null, { features: { ...features, battery: true } });
  t.same(power(battery), { ppd: "on", tlp: "off" }, "a battery tells of one that is carried");
});

t.test("who has chosen before is left with it", async (t) => {
  const nothing = { ppd: undefined, tlp: undefined };
  const amd = machine("AuthenticAMD");
  t.same(power(amd, {}, { base: { kind: "adopted" } }), nothing);
  t.same(power(amd, {}, { spec: { options: { "services.tuned.enable": true } } }), nothing);
  const said = power(amd, { power: "tlp" }, { base: { kind: "adopted" } });
  t.same(said, { ppd: "off", tlp: "on" }, "but what its model needs is said");
});

t.test("what the profile says goes before", async (t) => {
  const amd = machine("AuthenticAMD");
  t.same(power(amd, { power: "tlp" }), { ppd: "off", tlp: "on" });
  t.same(power(amd, { power: "none" }), { ppd: "off", tlp: "off" });
  t.same(power(machine("GenuineIntel", 3), { power: "power-profiles-daemon" }), {
    ppd: "on",
    tlp: "off",
  });
  t.same(power(amd, nixos({ "services.tlp.enable": true })), { ppd: "off", tlp: "on" });
  const byOption = nixos({ "services.power-profiles-daemon.enable": true });
  t.same(power(machine("GenuineIntel"), byOption), { ppd: "on", tlp: "off" });
});
