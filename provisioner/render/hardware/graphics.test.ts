import t from "tap";
import type { PciDevice } from "#generated/provisioner/facts/facts.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { gpusOf } from "#provisioner/facts/gpus.ts";
import { profileSet } from "#provisioner/profiles/profile.ts";
import { sampleProfile } from "#provisioner/profiles/sample-profile.ts";
import { sampleBareMetal, sampleCard } from "../sample-machine.ts";
import { fileOf, noMatch, type TryOptions, tryRender } from "../try-render.ts";

const notebook = 10;
const desktop = 3;

interface Machine extends Pick<TryOptions, "base" | "match" | "profiles"> {
  readonly pci: readonly PciDevice[];
  readonly chassis?: number;
  /** Slot of the card that firmware shows its screen on, where it says so. */
  readonly shown?: string;
}

/** The options of hardware.nvidia and what belongs to it, each on a line, and what was said. */
function rendered(spec: Omit<Spec, "version">, { pci, chassis = notebook, ...more }: Machine) {
  const { shown, ...rest } = more;
  const gpus = gpusOf(pci, (slot) => (shown === undefined ? null : slot === shown));
  const facts = sampleBareMetal(chassis, { pci: [...pci], gpus });
  const options = { checkParameters: () => [], facts, ...rest };
  const result = tryRender(spec, options);
  const text = fileOf(result, "firstlight/hardware.nix").replaceAll(/\s+/g, " ");
  return {
    text,
    findings: result.findings.map(({ level, code }) => `${level} ${code}`),
    hints: result.findings.map(({ hint }) => hint),
  };
}

const msi = [
  sampleCard("0000:00:02.0", "8086:a7a8", "i915"),
  sampleCard("0000:01:00.0", "10de:2820"),
];
const framework16 = [
  sampleCard("0000:c1:00.0", "10de:2d58", "nouveau"),
  sampleCard("0000:c2:00.0", "1002:1114", "amdgpu"),
];
const victus = [
  sampleCard("0000:01:00.0", "10de:25a2", "nouveau"),
  sampleCard("0000:06:00.0", "1002:1638", "amdgpu"),
];
const agreed = { unfree: ["nvidia-x11"] };

t.test("both cards of a laptop have the addresses of this machine", async (t) => {
  const cases = [
    [msi, "PCI:1:0:0", "intelBusId", "PCI:0:2:0"],
    [framework16, "PCI:193:0:0", "amdgpuBusId", "PCI:194:0:0"],
    [victus, "PCI:1:0:0", "amdgpuBusId", "PCI:6:0:0"],
  ] as const;
  for (const [pci, nvidia, option, integrated] of cases) {
    for (const spec of [{}, agreed]) {
      const { text } = rendered(spec, { pci });
      t.match(text, `nvidiaBusId = lib.mkOverride 900 "${nvidia}";`);
      t.match(text, `${option} = lib.mkOverride 900 "${integrated}";`);
    }
  }
});

t.test("the driver that is not free is used where somebody agreed to it by name", async (t) => {
  const used = 'services.xserver.videoDrivers = lib.mkOverride 900 [ "nvidia" ];';
  const offload = /offload = \{ enable = lib\.mkOverride 900/;
  const none = rendered({}, { pci: framework16 });
  t.notMatch(none.text, "videoDrivers");
  t.notMatch(none.text, offload);
  t.same(none.findings, ["note render/nvidia-not-free"]);
  t.match(none.hints, [/write `unfree: \[nvidia-x11\]`/]);

  const all = rendered({ options: { "nixpkgs.config.allowUnfree": true } }, { pci: framework16 });
  t.notMatch(all.text, "videoDrivers", "leave for everything is no wish for this");

  const named = rendered(agreed, { pci: framework16 });
  t.match(named.text, used);
  t.match(named.text, offload);
  t.match(named.text, "open = lib.mkOverride 900 true;");
  t.match(named.text, "nvidiaSettings = lib.mkOverride 900 false;", "not free either");
  t.match(named.text, "graphics.enable = lib.mkOverride 900 true;");
  t.notMatch(named.text, "nvidiaPackages", "the usual driver of the kernel");
  t.same(named.findings, []);

  const settings = rendered({ unfree: ["nvidia-*"] }, { pci: framework16 });
  t.match(settings.text, "nvidiaSettings = lib.mkOverride 900 true;");
});

t.test("so it is where a template or the option asks for it", async (t) => {
  const templates = [{ name: "nvidia-compute", parameters: { acceptLicense: true } }];
  t.match(rendered({ templates }, { pci: msi }), { findings: [], text: /videoDrivers/ });
  const options = { "services.xserver.videoDrivers": ["nvidia"] };
  const byOption = rendered({ options, ...agreed }, { pci: msi });
  t.notMatch(byOption.text, "videoDrivers", "said already");
  t.match(byOption, { findings: [], text: /offload/ });
  t.same(rendered({ options }, { pci: msi }).findings, ["warning render/unfree-package"]);
  const unseen = rendered({ options, ...agreed }, { pci: [] });
  t.match(unseen.text, "open = lib.mkOverride 900 true;", "the driver must be told one of the two");
});

t.test("each chip has the branch of the driver that takes it", async (t) => {
  const one = (id: string, driver = "nouveau") => [sampleCard("0000:01:00.0", id, driver)];
  const packages = "config.boot.kernelPackages.nvidiaPackages";
  const pascal = rendered(agreed, { pci: one("10de:1c82"), chassis: desktop });
  t.match(pascal.text, "open = lib.mkOverride 900 false;");
  t.match(pascal.text, `( ${packages}.legacy_580 or ${packages}.production );`);
  t.notMatch(pascal.text, "acceptLicense");
  const kepler = rendered(agreed, { pci: one("10de:128b"), chassis: desktop });
  t.match(kepler.text, `package = lib.mkOverride 900 ${packages}.legacy_470;`);
  t.match(kepler.text, "config.nvidia.acceptLicense = true;");
  t.same(kepler.findings, []);
  for (const [id, branch] of [
    ["10de:06c0", "390"],
    ["10de:0a65", "340"],
  ] as const) {
    const { text, findings } = rendered(agreed, { pci: one(id), chassis: desktop });
    t.match(text, `legacy_${branch};`);
    t.equal(text.includes("modesetting"), branch === "390", "the oldest has no mode setting");
    t.same(findings, ["warning render/nvidia-legacy"]);
  }
  const oldest = rendered(agreed, { pci: one("10de:0110"), chassis: desktop });
  t.notMatch(oldest.text, "nvidia");
  t.same(oldest.findings, ["warning render/nvidia-none"]);
  t.same(rendered({}, { pci: one("10de:0110") }).findings, []);
  t.same(rendered({}, { pci: one("10de:2d58", "nvidia") }).findings, [], "the image has it");
});

t.test("what is not clear is left to the owner", async (t) => {
  const atDesk = rendered(agreed, { pci: msi, chassis: desktop });
  t.match(atDesk.text, "nvidiaBusId", "the addresses are true");
  t.notMatch(atDesk.text, "offload", "nobody knows where the screen is plugged in");
  const shown = (slot: string, chassis: number) =>
    rendered(agreed, { pci: msi, chassis, shown: slot }).text.includes("offload");
  t.equal(shown("0000:00:02.0", desktop), true, "firmware says where it is");
  t.equal(shown("0000:01:00.0", notebook), false, "a laptop whose screen is switched over");
  const two = [...msi, sampleCard("0000:02:00.0", "10de:2820")];
  t.notMatch(rendered(agreed, { pci: two }).text, "BusId");
  const radeon = [...framework16, sampleCard("0000:03:00.0", "1002:7480")];
  t.notMatch(rendered(agreed, { pci: radeon }).text, "BusId");
});

t.test("nouveau is kept from no card that it is to drive", async (t) => {
  const profile = {
    ...sampleProfile("acme/cloud", { match: { any: [] } }),
    kernel: { min: null, params: {}, modules: [], blacklist: ["nouveau", "xen_fbfront"] },
  };
  const found = {
    match: { ...noMatch, profile: "acme/cloud", applied: "acme/cloud" },
    profiles: profileSet([profile]),
  } as const;
  const list = (names: string) => `blacklistedKernelModules = [ ${names} ];`;
  t.match(rendered({}, { pci: msi, ...found }).text, list('"xen_fbfront"'));
  t.match(rendered(agreed, { pci: msi, ...found }).text, list('"nouveau" "xen_fbfront"'));
  t.match(rendered({}, { pci: [], ...found }).text, list('"nouveau" "xen_fbfront"'));
});

t.test("options have the names of the release that the system is evaluated with", async (t) => {
  const at = (release: string) => {
    const facts = sampleBareMetal(notebook, { pci: msi });
    const result = tryRender(agreed, { facts, base: { release }, anyOption: true });
    return fileOf(result, "firstlight/hardware.nix");
  };
  t.match(at("24.11"), /graphics\.enable = /);
  t.notMatch(at("24.11"), "opengl");
  t.match(at("24.05"), /opengl\.enable = /);
  t.notMatch(at("24.05"), /graphics\.enable = /);
  t.notMatch(at("22.05"), /open = /, "which it does not have yet");
});
