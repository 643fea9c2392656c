import t from "tap";
import { fc } from "#core/fast-check.ts";
import { dmidecode } from "./dmidecode.ts";
import { ip } from "./ip.ts";
import { lsblk } from "./lsblk.ts";
import { lscpu } from "./lscpu.ts";
import { lspci } from "./lspci.ts";
import type { WitnessTool } from "./witness-tool.ts";

const told = (tool: WitnessTool, stdout: string) => {
  const testimony = tool.parse(stdout);
  return testimony === null ? null : Object.fromEntries(testimony.values);
};

t.test("lspci: ids as numbers, and no driver is an answer too", async (t) => {
  const stdout = `Slot:	0000:00:00.0
Class:	0600
Vendor:	1022
Device:	14e8
SVendor:	f111
SDevice:	0006
IOMMUGroup:	0

Slot:	0000:c1:00.0
Class:	0300
Vendor:	1002
Device:	15bf
SVendor:	f111
SDevice:	0006
Rev:	c1
ProgIf:	00
Driver:	amdgpu
Module:	amdgpu
IOMMUGroup:	21

`;
  t.match(told(lspci, stdout), {
    "pci[0000:00:00.0].driver": null,
    "pci[0000:c1:00.0].slot": "0000:c1:00.0",
    "pci[0000:c1:00.0].vendor": "1002",
    "pci[0000:c1:00.0].subsystemVendor": "f111",
    "pci[0000:c1:00.0].class": "030000",
    "pci[0000:c1:00.0].driver": "amdgpu",
  });
  t.same(told(lspci, ""), {}, "a machine without PCI");
  t.equal(told(lspci, "pcilib: Cannot open /proc/bus/pci\n"), null);
});

t.test("lscpu: also where newer versions put fields below others", async (t) => {
  const flat = (fields: Readonly<Record<string, string>>) =>
    Object.entries(fields).map(([field, data]) => ({ field: `${field}:`, data }));
  const inner = {
    "Model name": "AMD Ryzen 7 7840U w/ Radeon 780M Graphics",
    "CPU family": "25",
    Model: "116",
    "Core(s) per socket": "8",
    "Socket(s)": "1",
    Stepping: "1",
    Flags: "fpu aes svm",
  };
  const top = {
    Architecture: "x86_64",
    "On-line CPU(s) list": "0-7,9",
    "Vendor ID": "AuthenticAMD",
  };
  const values = {
    "cpu.architecture": "x86_64",
    "cpu.vendor": "AuthenticAMD",
    "cpu.family": 25,
    "cpu.model": 116,
    "cpu.stepping": 1,
    "cpu.name": "AMD Ryzen 7 7840U w/ Radeon 780M Graphics",
    "cpu.sockets": 1,
    "cpu.cores": 8,
    "cpu.threads": 9,
    "cpu.hypervisor": false,
  };
  t.same(told(lscpu, JSON.stringify({ lscpu: flat({ ...top, ...inner }) })), values);
  const nested = flat(top).map((field) =>
    field.field === "Vendor ID:" ? { ...field, children: flat(inner) } : field,
  );
  t.same(told(lscpu, JSON.stringify({ lscpu: nested })), values);
  const arm = { Architecture: "aarch64", Model: "3", Stepping: "r0p3", "Vendor ID": "ARM" };
  t.same(told(lscpu, JSON.stringify({ lscpu: flat(arm) })), { "cpu.architecture": "aarch64" });
  for (const text of ["", "{}", "[]", '{"lscpu":[]}', '{"lscpu":7}'])
    t.equal(told(lscpu, text), null);
});

t.test("lsblk: numbers as text of old versions, and what is no disk left out", async (t) => {
  const disk = (kname: string, more: object = {}) => ({ kname, type: "disk", ...more });
  const blockdevices = [
    disk("zram0"),
    disk("mmcblk0boot0"),
    { kname: "loop0", type: "loop" },
    disk("sda", {
      size: "1000204886016",
      ro: "0",
      rm: false,
      rota: "1",
      tran: "sata",
      pttype: "gpt",
      fstype: null,
      children: [
        { kname: "sda1", type: "part", size: 512, fstype: "swsuspend" },
        { kname: "dm-0", type: "crypt", size: 512, fstype: "ext4" },
      ],
    }),
  ];
  t.same(told(lsblk, JSON.stringify({ blockdevices })), {
    "blockDevices[sda].name": "sda",
    "blockDevices[sda].sizeBytes": 1000204886016,
    "blockDevices[sda].readOnly": false,
    "blockDevices[sda].removable": false,
    "blockDevices[sda].rotational": true,
    "blockDevices[sda].transport": "ata",
    "blockDevices[sda].partitionTable": "gpt",
    "blockDevices[sda].partitions[sda1].name": "sda1",
    "blockDevices[sda].partitions[sda1].sizeBytes": 512,
    "blockDevices[sda].partitions[sda1].signature": "swap",
  });
  t.same(told(lsblk, '{"blockdevices":[]}'), {});
  for (const text of ["", "{}", '{"blockdevices":[{}]}', "lsblk: x"])
    t.equal(told(lsblk, text), null);
});

t.test("ip: what the kernel makes up is left out", async (t) => {
  const links = [
    { ifname: "lo", link_type: "loopback", address: "00:00:00:00:00:00" },
    { ifname: "br0", link_type: "ether", address: "00:00:5e:00:53:09", linkinfo: {} },
    { ifname: "eth0", link_type: "ether", address: "00:00:5E:00:53:01" },
    { ifname: "can0", link_type: "can" },
  ];
  t.same(told(ip, JSON.stringify(links)), {
    "network[eth0].name": "eth0",
    "network[eth0].mac": "00:00:5e:00:53:01",
    "network[can0].name": "can0",
  });
  t.same(told(ip, "[]"), {});
  for (const text of ["", "{}", "[{}]", "Cannot open netlink socket"])
    t.equal(told(ip, text), null);
});

t.test("dmidecode: the first table of a kind, and what says that it says nothing", async (t) => {
  const stdout = `BIOS Information
\tVendor: INSYDE Corp.
\tRelease Date: 03/29/2024

System Information
\tManufacturer: Framework
\tProduct Name: Laptop 13 (AMD Ryzen 7040Series)
\tSerial Number: FRANDGCP000000SECRET
\tUUID: 00000000-0000-0000-0000-00000000SECRET
\tSKU Number: FRANDGCP07
\tFamily: Not Specified

Base Board Information
\tManufacturer: Framework
\tProduct Name: FRANMDCP07
\tFeatures:
\t\tBoard is a hosting board: yes

Base Board Information
\tProduct Name: a card

Chassis Information
\tType: Notebook
`;
  t.same(told(dmidecode, stdout), {
    "dmi.biosVendor": "INSYDE Corp.",
    "dmi.biosDate": "2024-03-29",
    "dmi.sysVendor": "Framework",
    "dmi.productName": "Laptop 13 (AMD Ryzen 7040Series)",
    "dmi.productSku": "FRANDGCP07",
    "dmi.boardVendor": "Framework",
    "dmi.boardName": "FRANMDCP07",
    "dmi.chassisType": 10,
  });
  t.equal(told(dmidecode, "# No SMBIOS nor DMI entry point found, sorry.\n"), null);
});

t.test("whatever a tool writes, reading it ends", async (t) => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc
      .record({ lscpu: fc.jsonValue(), blockdevices: fc.jsonValue() })
      .map((value) => JSON.stringify(value)),
  );
  for (const tool of [lspci, lscpu, lsblk, ip, dmidecode])
    fc.assert(
      fc.property(text, (stdout) => tool.parse(stdout) === null || true),
      { numRuns: 100 },
    );
  t.pass("ended");
});
