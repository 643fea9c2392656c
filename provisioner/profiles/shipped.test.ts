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
    "framework/13-amd-7040",
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
    "qemu/kvm",
    "raspberry-pi/4",
    "virtualbox/vm",
    "vmware/vm",
    "vultr/vc2",
  ]) {
    const profile = compiled.profiles.find((each) => each.id === id);
    t.ok(profile, id);
    for (const quirk of profile?.quirks ?? []) t.ok(quirk.sources.length > 0, `${id}: ${quirk.id}`);
  }
});
