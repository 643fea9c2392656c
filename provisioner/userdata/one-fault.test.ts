import t from "tap";
import { checkCloudConfig, joinFindings } from "./cloud-config/schema/check.ts";
import { linesOf, translateCloud, translateText } from "./sample-translation.ts";

const inspect = {
  inspect: (config, said) => joinFindings(said, checkCloudConfig(config)),
} as const satisfies Parameters<typeof translateCloud>[1];

t.test("what both the schema and the translation refuse is told once", async (t) => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    "ca_certs:": ["error cloud-config/invalid 2:10 ca_certs"],
    "packages: htop": ["error cloud-config/invalid 2:11 packages"],
    "bootcmd: [[touch, 5]]": ["error cloud-config/invalid 2:19 bootcmd.0.1"],
    "growpart: {mode: atuo}": ["error cloud-config/invalid 2:18 growpart.mode"],
    "users: [{nme: a}]": [
      "error cloud-config/invalid 2:9 users.0",
      "error cloud-config/invalid 2:10 users.0.nme",
    ],
    "users: [{name: a, expiredate: soon}]": ["error cloud-config/invalid 2:31 users.0.expiredate"],
    "ssh_keys: {ra_private: x}": ["error cloud-config/invalid 2:12 ssh_keys.ra_private"],
    "hostname: [a]": ["error user-data/wrong-type 2:11 hostname"],
  };
  for (const [body, says] of Object.entries(cases)) {
    t.same(linesOf(translateCloud(`${body}\n`, inspect)), says, body);
  }
});

t.test("what a value was taken for is told where nothing refuses it", async (t) => {
  t.same(linesOf(translateCloud("bootcmd: [[touch, 5]]\n")), [
    "warning user-data/taken-as-text 2:19 bootcmd.0.1",
  ]);
});

t.test("two faults at one value are two findings", async (t) => {
  t.same(linesOf(translateCloud("fs_setup: [{label: a}]\n")), [
    "error user-data/wrong-type 2:12 fs_setup.0",
    "error user-data/wrong-type 2:12 fs_setup.0",
  ]);
});

t.test("a number of an interface that is none is told once", async (t) => {
  const text =
    "{version: 1, config: [{type: bridge, name: b, bridge_interfaces: [], params: {bridge_pathcost: 5}}]}";
  const networkConfig = { document: "network-config", bytes: Buffer.from(text) };
  t.same(linesOf(translateText("#cloud-config\n", {}, { networkConfig })), [
    "error user-data/wrong-type 1:96 config.0.params.bridge_pathcost",
  ]);
});
