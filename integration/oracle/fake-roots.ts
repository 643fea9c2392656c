import type { FakeRoot } from "./ds-identify.ts";

/** Machines by what their firmware says, one field each, with names that only look like it. */
const fields: Readonly<Record<string, readonly string[]>> = {
  sys_vendor: [
    ...["DigitalOcean", "Hetzner", "Vultr", "UpCloud", "Scaleway", "e24cloud", "Tilaa"],
    ...["NWCS", "Linode", "Akamai", "linode", "Akamai Technologies"],
    ...["hetzner", "HETZNER", "Hetzner Online GmbH", "DigitalOcean ", "Digital Ocean", "vultr"],
    ...["UpCloud Ltd", "upcloud", "scaleway", "Scaleway SAS", "e24", "QEMU", "Red Hat", "Xen"],
    ...["Microsoft Corporation", "VMware, Inc.", "Google", "Amazon EC2", "OpenStack Foundation"],
    ...["Alibaba Cloud", "innotek GmbH", "Framework", "Dell Inc.", ""],
  ],
  product_name: [
    ...["Google Compute Engine", "OpenStack Nova", "OpenStack Compute", "Alibaba Cloud ECS"],
    ...[
      "CloudStack KVM Hypervisor",
      "Exoscale Compute Platform",
      "CloudSigma",
      "SmartDC HVM",
      "CloudCIX",
    ],
    ...[
      "Google",
      "google compute engine",
      "Google Compute Engine 2",
      "OpenStack",
      "OpenStack Novas",
    ],
    ...["openstack nova", "Alibaba Cloud", "Alibaba Cloud ECS 2", "Standard PC (Q35 + ICH9, 2009)"],
    ...["HVM domU", "KVM", "Virtual Machine", "VMware7,1", "Laptop 13 (AMD Ryzen 7040Series)"],
  ],
  chassis_asset_tag: [
    ...["7783-7084-3265-9085-8269-3286-77", "OracleCloud.com", "OpenTelekomCloud", "HUAWEICLOUD"],
    ...["SAP CCloud VM", "Samsung Cloud Platform", "123456.zstack.io", "zstack.io", "Nova"],
    ...["7783-7084-3265-9085-8269-3286-78", "oraclecloud.com", "Default string", "No Asset Tag"],
  ],
  product_serial: [
    ...["GoogleCloud-0123456789ABCDEF", "srv-12345.gb1.brightbox.com", "ds=nocloud"],
    ...["ds=nocloud;s=/seed/;h=a", "googlecloud-1", "GoogleCloud", "brightbox.com", "xds=nocloud"],
    ...["ds=nocloud-net;s=http://192.0.2.1/", "To Be Filled By O.E.M.", "0"],
  ],
  product_uuid: [
    ...["4c4c4544-0042-3510-8053-b7c04f4b4e32", "3ec20000-0000-0000-0000-000000000000"],
  ],
};

const words: readonly string[] = [
  ...[
    "ds=nocloud",
    "ds=nocloud;h=a",
    "ds=nocloud-net;s=http://192.0.2.1/",
    "quiet ds=nocloud splash",
  ],
  ...["vultr", "vultrx", "quiet vultr", "scaleway", "xds=nocloud", "ds=", "nocloud", "ds=none"],
];

/** Machines of every kind, and some that only look like it, by name. */
export function fakeRoots(): readonly (readonly [string, FakeRoot])[] {
  const byField = Object.entries(fields).flatMap(([name, values]) =>
    values.map((value): readonly [string, FakeRoot] => [
      `${name} ${JSON.stringify(value)}`,
      { dmi: { [name]: value } },
    ]),
  );
  const byWord = words.map((line): readonly [string, FakeRoot] => [line, { commandLine: line }]);
  const inContainer = ["Hetzner", "DigitalOcean", "Scaleway", "UpCloud"].map(
    (vendor): readonly [string, FakeRoot] => [
      `${vendor}, in a container`,
      {
        dmi: { sys_vendor: vendor },
        virtualisation: "lxc",
        files: { "run/systemd/container": "lxc\n" },
      },
    ],
  );
  const seeds = (["meta-data", "user-data"] as const).map((one): readonly [string, FakeRoot] => [
    `a seed with ${one} only`,
    { files: { [`var/lib/cloud/seed/nocloud/${one}`]: "\n" } },
  ]);
  const seed = "var/lib/cloud/seed/nocloud";
  const whole: readonly [string, FakeRoot] = [
    "a seed",
    { files: { [`${seed}/meta-data`]: "instance-id: i\n", [`${seed}/user-data`]: "\n" } },
  ];
  const uuid = "ec2e1916-9099-7caf-fd21-012345abcdef";
  const ec2 = (["", uuid, uuid.toUpperCase(), "another"] as const).map(
    (serial): readonly [string, FakeRoot] => [
      `product uuid of EC2, serial number ${JSON.stringify(serial)}`,
      {
        dmi: {
          ...{ product_uuid: uuid, sys_vendor: "Amazon EC2" },
          ...(serial === "" ? {} : { product_serial: serial }),
        },
      },
    ],
  );
  const onXen = (extra: string): FakeRoot => ({
    virtualisation: "xen",
    files: { "sys/hypervisor/uuid": `${uuid}\n`, "sys/hypervisor/version/extra": `${extra}\n` },
  });
  const byChance: readonly (readonly [string, FakeRoot])[] = [
    ["hypervisor uuid of EC2", onXen(".amazon")],
    ["hypervisor uuid like EC2's", onXen(".1")],
    ["product uuid like EC2's", { dmi: { product_uuid: uuid, product_serial: uuid } }],
  ];
  const disks = ["cidata", "CIDATA", "config-2", "CONFIG-2", "DATA", "cidata2"].flatMap((label) =>
    (["iso9660", "vfat"] as const).map((type): readonly [string, FakeRoot] => [
      `a disk labelled ${label}, ${type}`,
      { disks: [{ name: "vdb", label, type }] },
    ]),
  );
  return [
    ...[...byField, ...byWord, ...inContainer, ...seeds, whole, ...ec2, ...byChance, ...disks],
    ...Object.entries(ofDisks),
    ...Object.entries(ofHypervisors),
    ...Object.entries(ofOwners),
  ];
}

const ovfEnv = `<?xml version="1.0"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1"><PropertySection/></Environment>`;
const ibm = { label: "config-2", type: "vfat", name: "xvdh" } as const;
const isXen = { virtualisation: "xen", files: { "sys/hypervisor/type": "xen\n" } };
const provisioning = { "root/provisioningConfiguration.cfg": "" };

/** Machines by what is on their disks, and in seed directories. */
const ofDisks: Readonly<Record<string, FakeRoot>> = {
  "a disk of OpenNebula": { disks: [disk("CONTEXT", { "context.sh": "A='x'\n" })] },
  "a disk of OpenNebula, labelled CDROM": {
    disks: [disk("CDROM", { "context.sh": "A='x'\n" })],
  },
  "another disk labelled CDROM": { disks: [disk("CDROM", { "install.sh": "" })] },
  "a disk labelled context": { disks: [disk("context", { "context.sh": "A='x'\n" })] },
  "a seed of OpenNebula": { files: { "var/lib/cloud/seed/opennebula/context.sh": "" } },
  "a disk of RbxCloud": { disks: [{ ...ibm, label: "CLOUDMD" }] },
  "a disk labelled METADATA": { disks: [{ ...ibm, label: "METADATA" }] },
  "a disk labelled METADATA, on Xen": { ...isXen, disks: [{ ...ibm, label: "METADATA" }] },
  "a disk of IBM Cloud": { ...isXen, disks: [{ ...ibm, serial: "9796-932E" }] },
  "a disk of IBM Cloud, not on Xen": { disks: [{ ...ibm, serial: "9796-932E" }] },
  "a config drive on Xen": { ...isXen, disks: [{ ...ibm, serial: "9796-932F" }] },
  "a disk of IBM Cloud, being provisioned": {
    ...{ ...isXen, files: { ...isXen.files, ...provisioning } },
    disks: [{ ...ibm, serial: "9796-932E" }],
  },
  "a disc of OVF": { disks: [disk("OVF ENV", { "ovf-env.xml": ovfEnv })] },
  "a disc of OVF without a label that is known": {
    disks: [disk("DATA", { "ovf-env.xml": ovfEnv })],
  },
  "a disc with another document": { disks: [disk("DATA", { "other.xml": "<x/>" })] },
  "a disc of OVF that is a disk": {
    disks: [{ ...disk("OVF ENV", { "ovf-env.xml": ovfEnv }), name: "vdb" }],
  },
  "a disc of OVF on Azure": {
    dmi: { chassis_asset_tag: "7783-7084-3265-9085-8269-3286-77" },
    disks: [disk("OVF ENV", { "ovf-env.xml": ovfEnv })],
  },
  "a disc of OVF in a machine of its own": {
    virtualisation: "none",
    disks: [disk("OVF ENV", { "ovf-env.xml": ovfEnv })],
  },
  "a seed of OVF": { files: { "var/lib/cloud/seed/ovf/ovf-env.xml": ovfEnv } },
  "settings of MAAS": {
    files: {
      "etc/cloud/cloud.cfg.d/90_maas.cfg":
        "datasource:\n  MAAS:\n    metadata_url: http://192.0.2.1/MAAS/metadata/\n",
    },
  },
  "settings that list MAAS": {
    files: { "etc/cloud/cloud.cfg.d/90_list.cfg": "datasource_list: [NoCloud, MAAS]\n" },
  },
  "settings of MAAS, in a container": {
    virtualisation: "lxc",
    files: {
      "run/systemd/container": "lxc\n",
      "etc/cloud/cloud.cfg": "datasource:\n  MAAS:\n    metadata_url: http://192.0.2.1/\n",
    },
  },
  "an address of Bigstep": {
    files: { "var/lib/cloud/data/seed/bigstep/url": "http://192.0.2.1/\n" },
  },
};

function disk(label: string, tree: Readonly<Record<string, string>>) {
  return { name: "sr0", label, type: "iso9660", tree } as const;
}

const firmware = { sys_vendor: "VMware, Inc.", product_name: "VMware7,1" };
const onVmware = { dmi: firmware, virtualisation: "vmware" };
/** Says these, and nothing else. */
const guestInfo = (values: Readonly<Record<string, string>>) => ({
  "vmware-rpctool": [
    ...Object.entries(values).map(
      ([key, value]) =>
        `[ "$1" != "info-get guestinfo.${key}" ] || { printf '%s\\n' '${value}'; exit; }`,
    ),
    "echo 'No value found' >&2; exit 1",
  ].join("\n"),
});
const virtioPort = (name: string) => ({ "sys/class/virtio-ports/vport1p1/name": `${name}\n` });

/** Machines by what their hypervisors have for them. */
const ofHypervisors: Readonly<Record<string, FakeRoot>> = {
  "a guest of VMware without its programs": onVmware,
  "a guest of VMware that is told nothing": { ...onVmware, programs: guestInfo({}) },
  "a guest of VMware with metadata": {
    ...onVmware,
    programs: guestInfo({ metadata: "instance-id: i" }),
  },
  "a guest of VMware with user-data": {
    ...onVmware,
    programs: guestInfo({ userdata: "#cloud-config" }),
  },
  "a guest of VMware with an environment": {
    ...onVmware,
    programs: guestInfo({ ovfEnv: ovfEnv.replaceAll("\n", " ") }),
  },
  "a program of VMware on another machine": { programs: guestInfo({ metadata: "x: 1" }) },
  "a virtual machine of LXD": { files: virtioPort("com.canonical.lxd") },
  "a virtual machine of LXD, older": { files: virtioPort("org.linuxcontainers.lxd") },
  "a virtual machine of Incus": { files: virtioPort("org.linuxcontainers.incus") },
  "a port of another program": { files: virtioPort("org.qemu.guest_agent.0") },
  "a container in a virtual machine of LXD": {
    virtualisation: "lxc",
    files: { ...virtioPort("com.canonical.lxd"), "run/systemd/container": "lxc\n" },
  },
};

const hetzner = { dmi: { sys_vendor: "Hetzner" } };
const ownerFile = (name: string, text: string): FakeRoot => ({
  ...hetzner,
  files: { [`etc/cloud/${name}`]: text },
});
const ownerList = (text: string) => ownerFile("cloud.cfg.d/90_list.cfg", text);

/** Machines whose owners have a word in it. */
const ofOwners: Readonly<Record<string, FakeRoot>> = {
  "ci.ds=Ec2": { ...hetzner, commandLine: "quiet ci.ds=Ec2" },
  "ci.datasource=GCE": { commandLine: "ci.datasource=GCE" },
  "two of them": { commandLine: "ci.ds=Ec2 ci.datasource=GCE" },
  "ds=ec2 on another cloud": { ...hetzner, commandLine: "ds=ec2" },
  "ds=nocloud on another cloud": { ...hetzner, commandLine: "ds=nocloud" },
  "a policy that does nothing": { ...hetzner, commandLine: "ci.di.policy=disabled" },
  "a policy that looks": { ...hetzner, commandLine: "ci.di.policy=search,found=first" },
  "a file with a policy that does nothing": ownerFile("ds-identify.cfg", "policy: disabled\n"),
  "a file that names one": ownerFile("ds-identify.cfg", "datasource: Ec2 # there\n"),
  "a file that names one, and a word": {
    ...ownerFile("ds-identify.cfg", 'datasource: "Ec2"\n'),
    commandLine: "ci.ds=Vultr",
  },
  "a list of one": ownerList("datasource_list: [ Ec2 ]\n"),
  "a list of one and None": ownerList("datasource_list: [ Ec2, None ]\n"),
  "a list without this cloud": ownerList("datasource_list: [ Ec2, GCE ]\n"),
  "a list with this cloud": ownerList("datasource_list: [ Ec2, 'Hetzner', GCE ]\n"),
  "a list over lines": ownerList("datasource_list:\n- Ec2\n- GCE\n"),
  "two lists": {
    ...hetzner,
    files: {
      "etc/cloud/cloud.cfg.d/10_a.cfg": "datasource_list: [ Ec2 ]\n",
      "etc/cloud/cloud.cfg.d/20_b.cfg": "datasource_list: [ Hetzner, GCE ]\n",
    },
  },
  "a list on the command line": {
    ...ownerList("datasource_list: [ Ec2 ]\n"),
    commandLine: "cc:{datasource_list: [Hetzner]} end_cc",
  },
};
