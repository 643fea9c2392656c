import path from "node:path";
import t from "tap";
import { datasources } from "#agent/datasources/table.ts";
import { askDsIdentify, dsIdentify, writeFakeRoot } from "./ds-identify.ts";
import { fakeRoots } from "./fake-roots.ts";
import { foundOn } from "./found-on.ts";

t.setTimeout(600_000);
const skip = process.geteuid?.() === 0 ? false : "SKIPPED: apt is used as root only";

/** Where we answer otherwise than Debian 12's cloud-init, and why: `docs/decisions/0007-detection.md`. */
const different: Readonly<Record<string, readonly [ours: string, theirs: string]>> = {
  'sys_vendor "Tilaa"': ["Ec2", ""],
  'sys_vendor "Linode"': ["Akamai", ""],
  'sys_vendor "Akamai"': ["Akamai", ""],
  'product_name "CloudCIX"': ["CloudCIX", ""],
  'chassis_asset_tag "Samsung Cloud Platform"': ["OpenStack", ""],
  "Scaleway, in a container": ["", "Scaleway"],
  "a seed with meta-data only": ["NoCloud", ""],
  "a seed with user-data only": ["NoCloud", ""],
  "another disk labelled CDROM": ["", "OpenNebula"],
  "a seed of OpenNebula": ["OpenNebula", ""],
  "a disc of OVF in a machine of its own": ["OVF", ""],
  "a virtual machine of LXD": ["LXD", ""],
  "a virtual machine of LXD, older": ["LXD", ""],
  "a virtual machine of Incus": ["LXD", ""],
  "ds=ec2 on another cloud": ["Ec2", "Hetzner"],
  "ds=nocloud on another cloud": ["NoCloud", "Hetzner,NoCloud"],
  "a list over lines": ["", "Hetzner"],
  "hypervisor uuid like EC2's": ["", "Ec2"],
  "product uuid like EC2's": ["", "Ec2"],
  'product uuid of EC2, serial number ""': ["Ec2", ""],
  'product uuid of EC2, serial number "another"': ["Ec2", ""],
};

t.test("cloud-init's own detector says the same of every machine", { skip }, async (t) => {
  const script = await dsIdentify();
  const known = new Set(datasources.map(({ name }) => name));
  const all = fakeRoots();
  t.ok(all.length >= 150, `${all.length} machines`);
  const said = new Set<string>();
  for (const [name, machine] of all) {
    const root = path.join(t.testdir({ machine: {} }), "machine");
    writeFakeRoot(root, machine);
    const theirs = askDsIdentify(script, root).filter((one) => known.has(one));
    const ours = await foundOn(root);
    const expected = different[name];
    if (expected === undefined) t.same(ours, theirs, name);
    else t.same([ours.join(), theirs.join()], expected, name);
    said.add(name);
  }
  for (const name of Object.keys(different)) t.ok(said.has(name), `${name} is one of them`);
});
