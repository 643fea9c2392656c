import t from "tap";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { validate } from "#generated/provisioner/facts/facts.validate.js";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { profileSet } from "./profile.ts";
import { profileReport } from "./report.ts";
import { sampleFacts } from "./sample-facts.ts";
import { sampleProfile } from "./sample-profile.ts";

const generic = sampleProfile("generic/x86-64", {
  match: { any: [{ all: { cpu: { architecture: "x86_64" } } }] },
});
const cloud = sampleProfile("acme/cloud", {
  match: { any: [{ all: { dmi: { chassisAssetTag: "7783-7084" } } }] },
});
const profiles = profileSet([generic, cloud]);

/** Each text in capitals names this one machine, or its owner. */
const facts: Facts = {
  ...sampleFacts({
    architecture: "x86_64",
    dmi: { sysVendor: "Acme", productName: "Default string", chassisAssetTag: "INVENTORY-17" },
    pci: ["1234:5678"],
  }),
  usb: [
    {
      ...{ port: "1-2", vendor: "05ac", product: "12a8", class: "00", interfaceClasses: ["06"] },
      ...{ manufacturer: "Apple Inc.", name: "PHONE OF ALICE", modules: ["ipheth"] },
    },
  ],
  blockDevices: [
    {
      ...{ name: "nvme0n1", sizeBytes: 1000, removable: false, readOnly: false, rotational: false },
      ...{ model: "Disk 1", transport: "nvme", wwid: "eui.SERIAL", modules: ["nvme"] },
      byId: ["nvme-Disk_1_SERIAL", "nvme-eui.SERIAL"],
      ...{ partitionTable: null, signature: null, partitions: [] },
    },
  ],
  network: [
    {
      ...{ name: "ALICES-LAN", mac: "00:00:5e:00:53:17", driver: "e1000e", module: "e1000e" },
      ...{ kind: "ethernet", physical: true },
    },
    {
      ...{ name: "br-CUSTOMER", mac: "00:00:5e:00:53:18", driver: null, module: null },
      ...{ kind: "bridge", physical: false },
    },
  ],
  unread: [
    { path: "/sys/class/net/ALICES-LAN/address", why: "denied" },
    { path: "/proc/cpuinfo", why: "malformed" },
    { path: "/sys/class/dmi/id/board_name", why: "denied" },
    { path: "/sys/firmware/devicetree/base/compatible", why: "failed" },
    { path: "/sys/class/block/CUSTOMER/size", why: "failed" },
  ],
};

t.test("a report tells what a machine is, and not which one it is or whose", async (t) => {
  const report = profileReport(facts, profiles);
  t.notMatch(JSON.stringify(report), /SERIAL|ALICE|CUSTOMER|INVENTORY|00:00:5e/);
  t.match(report, {
    v: 1,
    match: { profile: "generic/x86-64", confidence: "generic" },
    placeholders: ["productName"],
    facts: {
      dmi: { sysVendor: "Acme", productName: "Default string", chassisAssetTag: null },
      pci: facts.pci,
      usb: [{ vendor: "05ac", product: "12a8", modules: ["ipheth"] }],
      blockDevices: [{ name: "nvme0n1", model: "Disk 1", modules: ["nvme"] }],
      network: [{ name: "ethernet0", driver: "e1000e" }],
      unread: [
        { path: "/sys/class/net" },
        { path: "/proc/cpuinfo" },
        { path: "/sys/class/dmi/id/board_name" },
        { path: "/sys/firmware/devicetree/base/compatible" },
        { path: "/sys/class/block" },
      ],
    },
  });
  t.equal(report.facts.network?.length, 1, "what an owner made is no hardware");
  t.ok(validate(report.facts), "it can be a fixture");
});

t.test("the tag by which a cloud is known stays, and an address is found anywhere", async (t) => {
  const dmi = { ...facts.dmi, chassisAssetTag: "7783-7084", boardVersion: "mac 00-00-5E-00-53-19" };
  const report = profileReport({ ...facts, dmi: dmi as Facts["dmi"] }, profiles);
  t.equal(report.match.profile, "acme/cloud");
  t.match(report.facts.dmi, { chassisAssetTag: "7783-7084", boardVersion: "mac (address)" });
});

t.test("a machine that tells nothing has a report as well", async (t) => {
  const report = profileReport(genericFacts(null), profileSet([]));
  t.match(report, { match: { profile: null, confidence: "none" }, placeholders: [] });
  t.same(report.facts, genericFacts(null));
});
