import t from "tap";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { fakeKernel } from "./fake-kernel.ts";
import { readFirmware } from "./firmware.ts";

const { cpu: pc } = genericFacts("x86_64");
const { cpu: arm } = genericFacts("aarch64");
const guid = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
const efi = "/sys/firmware/efi";
const variable = (value: number) => new Uint8Array([6, 0, 0, 0, value]);

t.test(
  "UEFI tells whether Secure Boot is enforced, and whether keys can be enrolled",
  async (t) => {
    const kernel = fakeKernel(t.testdir({}), {
      [`${efi}/fw_platform_size`]: "64\n",
      [`${efi}/efivars/SecureBoot-${guid}`]: variable(1),
      [`${efi}/efivars/SetupMode-${guid}`]: variable(0),
    });
    t.same(readFirmware(kernel, pc, null), {
      type: "uefi",
      secureBoot: true,
      setupMode: false,
      platformBits: 64,
    });
  },
);

t.test("a variable that is missing or damaged is unknown, never off", async (t) => {
  for (const value of [
    undefined,
    new Uint8Array([]),
    new Uint8Array([1]),
    variable(7),
    new Uint8Array(64),
  ]) {
    const files = value === undefined ? {} : { [`${efi}/efivars/SecureBoot-${guid}`]: value };
    const kernel = fakeKernel(t.testdir({}), { [`${efi}/fw_platform_size`]: "many\n", ...files });
    t.match(readFirmware(kernel, pc, null), { type: "uefi", secureBoot: null, platformBits: null });
  }
});

t.test("without UEFI there is a device tree, or a PC's BIOS, or no knowing", async (t) => {
  const bare = fakeKernel(t.testdir({}), { "/sys/firmware/acpi/x": "" });
  t.match(readFirmware(bare, arm, { model: "Board", compatible: [] }), {
    type: "device-tree",
    secureBoot: false,
  });
  t.match(readFirmware(bare, pc, null), { type: "bios", secureBoot: false });
  t.match(readFirmware(bare, arm, null), { type: null, secureBoot: null });
});
