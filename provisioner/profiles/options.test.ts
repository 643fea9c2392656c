import t from "tap";
import { hostIo } from "#core/host-io.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { compileProfiles } from "./compile.ts";
import { platformOptions, profileOptions } from "./options.ts";

const root = new URL("../..", import.meta.url).pathname;
const { compiled } = compileProfiles(hostIo({ root }).files, "/hardware-profiles");
const named = (id: string) => compiled.profiles.find((profile) => profile.id === id) ?? null;

t.test("kernel and initrd parts become the options that they stand for", async (t) => {
  const options = profileOptions(named("amazon/ec2"), genericFacts("x86_64"));
  const value = (name: string) => options.find(({ path }) => path.join(".") === name)?.value;
  t.same(value("boot.kernelParams"), ["console=ttyS0", "nvme_core.io_timeout=4294967295"]);
  t.same(value("boot.blacklistedKernelModules"), ["nouveau", "xen_fbfront"]);
  t.equal(value("systemd.services.amazon-init.enable"), false);
  t.same(
    options.map(({ path }) => path.join(".")),
    options.map(({ path }) => path.join(".")).sort(),
    "in order of name",
  );
});

t.test("the way to the machine's own disks is always in the initial RAM disk", async (t) => {
  const facts = {
    ...genericFacts("x86_64"),
    blockDevices: [
      {
        name: "sda",
        sizeBytes: 1,
        removable: false,
        readOnly: false,
        rotational: false,
        model: null,
        transport: "scsi" as const,
        wwid: null,
        byId: [],
        modules: ["sd_mod", "megaraid_sas"],
      },
    ],
  };
  for (const profile of [named("generic/x86-64"), null]) {
    const modules = profileOptions(profile, facts).find(
      ({ path }) => path.join(".") === "boot.initrd.availableKernelModules",
    )?.value;
    t.ok(Array.isArray(modules) && modules.includes("megaraid_sas"), profile?.id ?? "no profile");
    t.ok(
      Array.isArray(modules) && modules.filter((each) => each === "sd_mod").length === 1,
      "each once",
    );
  }
});

t.test("names with a slash stay one part", async (t) => {
  t.match(platformOptions(named("raspberry-pi/4")), [
    { path: ["boot", "loader", "generic-extlinux-compatible", "enable"], value: true },
    { path: ["boot", "loader", "grub", "enable"], value: false },
    { path: ["fileSystems", "/", "device"], value: "/dev/disk/by-label/NIXOS_SD" },
    { path: ["fileSystems", "/", "fsType"], value: "ext4" },
  ]);
  t.same(platformOptions(null), []);
});
