import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { hostIo } from "#core/host-io.ts";
import { compileProfiles } from "./compile.ts";
import { lintProfiles } from "./lint.ts";

const root = new URL("../..", import.meta.url).pathname;
const { files } = hostIo({ root });
const directory = "/hardware-profiles";

t.test(
  "the profiles that ship have neither an error nor a warning, and their tests pass",
  async (t) => {
    const findings = lintProfiles(files, { directory, today: "2026-11-24" });
    t.same(findings.filter(({ level }) => level !== "note").map(formatFinding), []);
  },
);

t.test("they compile to the same bytes again, without their tests", async (t) => {
  const text = JSON.stringify(compileProfiles(files, directory).compiled);
  t.equal(text, JSON.stringify(compileProfiles(files, directory).compiled));
  t.notMatch(text, /noMatch|fixture/);
});

t.test("each names the machine for a person and gives a source for every quirk", async (t) => {
  const { compiled } = compileProfiles(files, directory);
  for (const id of [
    "amazon/ec2",
    "asus/nuc",
    "dell/optiplex-micro",
    "dell/wyse",
    "digitalocean/droplet",
    "framework/12-13th-gen-intel",
    "framework/13-11th-gen-intel",
    "framework/13-12th-gen-intel",
    "framework/13-13th-gen-intel",
    "framework/13-amd-7040",
    "framework/13-amd-ai-300",
    "framework/13-core-ultra-1",
    "framework/13-pro-core-ultra-3",
    "framework/16-amd-7040",
    "framework/16-amd-7040-rx-7700s",
    "framework/16-amd-ai-300",
    "framework/16-amd-ai-300-rtx-5070",
    "framework/16-amd-ai-300-rx-7700s",
    "framework/desktop-amd-ai-max-300",
    "generic/aarch64",
    "generic/arm-vm",
    "generic/box",
    "generic/laptop",
    "generic/nas",
    "generic/router",
    "generic/server",
    "generic/x86-64",
    "google/gce",
    "hetzner/cloud",
    "hetzner/dedicated",
    "hp/t640",
    "hp/t6xx",
    "intel/nuc",
    "lenovo/thinkcentre-tiny",
    "lenovo/thinkpad",
    "microsoft/azure",
    "microsoft/hyper-v",
    "onlogic/industrial",
    "pc-engines/apu",
    "protectli/fw",
    "protectli/vp",
    "nvidia/jetson-orin",
    "qemu/kvm",
    "raspberry-pi/3",
    "raspberry-pi/4",
    "virtualbox/vm",
    "vmware/vm",
    "vultr/vc2",
    "raspberry-pi/5",
  ]) {
    const profile = compiled.profiles.find((each) => each.id === id);
    t.ok(profile, id);
    for (const quirk of profile?.quirks ?? []) t.ok(quirk.sources.length > 0, `${id}: ${quirk.id}`);
  }
});
