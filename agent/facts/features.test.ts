import t from "tap";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { fakeKernel } from "./fake-kernel.ts";
import { readFeatures } from "./features.ts";
import { readPci } from "./pci.ts";
import { readUsb } from "./usb.ts";

const { cpu } = genericFacts("x86_64");
const empty = {
  "/sys/bus/pci/devices/.keep": "",
  "/sys/bus/usb/devices/.keep": "",
  "/sys/class/.keep": "",
};

function featuresOf(
  directory: string,
  files: Readonly<Record<string, string>>,
  architecture = "x86_64",
) {
  const kernel = fakeKernel(directory, files);
  const pci = readPci(fakeKernel(directory, {}));
  return readFeatures(kernel, { cpu: { ...cpu, architecture }, pci, usb: readUsb(kernel) });
}

/** A USB device with interfaces of these kinds, in decimal as `uevent` has them. */
const usb = (id: string, kinds: readonly string[], name = "") => ({
  "/sys/bus/usb/devices/1-4/uevent": `PRODUCT=${id}/100\nTYPE=0/0/0\n`,
  "/sys/bus/usb/devices/1-4/product": `${name}\n`,
  ...Object.fromEntries(
    kinds.map((kind, at) => [
      `/sys/bus/usb/devices/1-4:1.${at}/uevent`,
      `INTERFACE=${kind.replaceAll(".", "/")}\n`,
    ]),
  ),
});

const input = (properties: string, key: string) => ({
  "/sys/class/input/input7/properties": `${properties}\n`,
  "/sys/class/input/input7/capabilities/key": `${key}\n`,
});
const touch = "400 0 0 0 0 0"; // bit 330 of words of 64 bits
const pen = "401 0 0 0 0 0"; // and bit 320

t.test(
  "a machine that was looked at and has nothing says so; one that was not, nothing",
  async (t) => {
    t.same(featuresOf(t.testdir({}), empty), {
      bluetooth: false,
      fingerprint: false,
      camera: false,
      touchscreen: false,
      sensors: [],
      battery: false,
    });
    t.same(featuresOf(t.testdir({}), {}), {
      bluetooth: null,
      fingerprint: null,
      camera: null,
      touchscreen: null,
      sensors: null,
      battery: null,
    });
  },
);

const pciOf = (id: string, kind: string) => ({
  "/sys/bus/pci/devices/0000:00:05.0/uevent": `PCI_ID=${id}\nPCI_CLASS=${kind}\n`,
});
const serial = "/sys/bus/serial/devices/serial0-0";
const battery = "/sys/class/power_supply/BAT0";

const cases: readonly (readonly [string, Readonly<Record<string, string>>, object])[] = [
  ["Bluetooth on USB", usb("e8d/e616", ["224.1.1"]), { bluetooth: true }],
  ["a telephone that shares its network", usb("18d1/4ee4", ["224.1.3"]), { bluetooth: false }],
  ["Bluetooth on PCI", pciOf("8086:A0F1", "D1100"), { bluetooth: true }],
  [
    "Bluetooth of a device tree",
    { [`${serial}/modalias`]: "of:NbluetoothT(null)Cbrcm,bcm43438-bt\n" },
    { bluetooth: true },
  ],
  [
    "Bluetooth that ACPI names, by its driver",
    { [`${serial}/driver`]: "-> ../../../bus/serial/drivers/hci_uart_bcm" },
    { bluetooth: true },
  ],
  ["Goodix", usb("27c6/609c", ["255.0.0"]), { fingerprint: true }],
  ["a touchpad of a maker of readers", usb("4f3/3134", ["3.0.0"]), { fingerprint: false }],
  ["both in one device", usb("6cb/100", ["3.0.0", "255.0.0"]), { fingerprint: false }],
  [
    "a device that says so",
    usb("45e/bb", ["255.0.0"], "Fingerprint Reader"),
    { fingerprint: true },
  ],
  ["another maker's own kind", usb("bda/8153", ["255.255.0"]), { fingerprint: false }],
  ["a camera on USB", usb("bda/5634", ["14.1.0"]), { camera: true, bluetooth: false }],
  ["a camera behind Intel's IPU6", pciOf("8086:9A19", "48000"), { camera: true }],
  ["a touchscreen", input("2", touch), { touchscreen: true }],
  ["a touchpad", input("5", touch), { touchscreen: false }],
  ["a screen for a pen", input("2", pen), { touchscreen: false }],
  ["bits that are none", input("many", "\u0000"), { touchscreen: false }],
  [
    "sensors, each name once",
    {
      "/sys/bus/iio/devices/iio:device0/name": "als\n",
      "/sys/bus/iio/devices/iio:device1/name": "accel_3d\n",
      "/sys/bus/iio/devices/iio:device2/name": "accel_3d\n",
      "/sys/bus/iio/devices/trigger0/name": "accel_3d-dev1\n",
    },
    { sensors: ["accel_3d", "als"] },
  ],
  ["a battery", { [`${battery}/type`]: "Battery\n" }, { battery: true }],
  [
    "the battery of a mouse",
    { [`${battery}/type`]: "Battery\n", [`${battery}/scope`]: "Device\n" },
    { battery: false },
  ],
  ["the mains", { [`${battery}/type`]: "Mains\n" }, { battery: false }],
];

t.test("what the machine has is known by the names of the kernel", async (t) => {
  for (const [name, files, expected] of cases)
    t.match(featuresOf(t.testdir({}), { ...empty, ...files }), expected, name);
});

t.test("words of 32 bits are counted as such", async (t) => {
  const files = { ...empty, ...input("2", "400 0 0 0 0 0 0 0 0 0 0") };
  t.match(featuresOf(t.testdir({}), files, "armv7l"), { touchscreen: true });
  t.match(featuresOf(t.testdir({}), files, "aarch64"), { touchscreen: false });
});
