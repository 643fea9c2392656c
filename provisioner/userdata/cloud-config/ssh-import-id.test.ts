import t from "tap";
import { referencedSources } from "../referenced-sources.ts";
import { plainDefaultUser, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";
import { importAddress, isImportAddress } from "./imported-keys.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A";
const fetched = new Map([["https://github.com/alice.keys", Buffer.from(`${key}\nno key\n`)]]);
const given = { users: { nixos: { ...plainDefaultUser, authorizedKeys: [key] } } };

checkCases(t, [
  {
    name: "keys of the default user",
    yaml: "ssh_import_id: [gh:alice]\n",
    spec: given,
    context: { fetched },
  },
  { name: "one text", yaml: "ssh_import_id: gh:alice\n", spec: given, context: { fetched } },
  {
    name: "keys that the document gives too are there once",
    yaml: `ssh_authorized_keys: [${key}]\nssh_import_id: [gh:alice]\n`,
    spec: given,
    context: { fetched },
  },
  {
    name: "an account that could not be read keeps the document from being applied",
    yaml: "ssh_import_id: [gh:bob]\n",
    spec: {},
    says: ["error cloud-config/source-unavailable 2:17 ssh_import_id.0"],
  },
  {
    name: "an account without keys, and one whose answer is no text",
    yaml: "ssh_import_id: [gh:alice, lp:carol]\n",
    spec: {},
    says: [
      "warning cloud-config/not-a-key 2:17 ssh_import_id.0",
      "warning cloud-config/not-a-key 2:27 ssh_import_id.1",
    ],
    context: {
      fetched: new Map([
        ["https://github.com/alice.keys", Buffer.from("\n")],
        ["https://launchpad.net/~carol/+sshkeys", Buffer.from([0xff])],
      ]),
    },
  },
  {
    name: "what names no account",
    yaml: "ssh_import_id: ['gh:', 'gl:a', 'gh:a/b', {a: b}]\n",
    spec: {},
    says: [
      "warning cloud-config/unknown-value 2:17 ssh_import_id.0",
      "warning cloud-config/unknown-value 2:24 ssh_import_id.1",
      "warning cloud-config/unknown-value 2:32 ssh_import_id.2",
      "error user-data/wrong-type 2:42 ssh_import_id.3",
    ],
  },
  {
    name: "a mapping",
    yaml: "ssh_import_id: {a: b}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:16 ssh_import_id"],
  },
  {
    name: "for nobody",
    yaml: "users: []\nssh_import_id: [gh:alice]\n",
    spec: {},
    says: ["warning cloud-config/no-default-user 3:1 ssh_import_id"],
    context: { fetched },
  },
]);

t.test("they count as done by the agent", async (t) => {
  const { coverage } = translateCloud("ssh_import_id: [gh:alice]\n", { fetched });
  t.strictSame(coverage, { translated: 0, agent: 1, unsupported: 0 });
});

t.test("where the keys of an account are", async (t) => {
  t.equal(importAddress("gh:a-b"), "https://github.com/a-b.keys");
  t.equal(importAddress("lp:a+b"), "https://launchpad.net/~a%2Bb/+sshkeys");
  t.equal(importAddress("alice"), "https://launchpad.net/~alice/+sshkeys");
  for (const id of ["gh:a", "a+b"]) t.ok(isImportAddress(importAddress(id) ?? ""), id);
  t.notOk(isImportAddress("https://github.com/a/b.keys"));
  for (const id of ["", "gh:", "GH:a", "gh:../a", "gh:a b", "gh:-a", `gh:${"a".repeat(101)}`]) {
    t.equal(importAddress(id), undefined, id);
  }
});

t.test("every account of the document is read before the translation", async (t) => {
  const sources = (text: string) =>
    referencedSources({ userData: { document: "user-data", bytes: Buffer.from(text) } }).addresses;
  t.strictSame(
    sources(
      "#cloud-config\nssh_import_id: gh:a\nuser: {ssh_import_id: [gh:b]}\nusers: [c, {name: c, ssh-import-id: 'gh:c, gh:a'}]\n",
    ),
    ["a", "b", "c"].map((account) => `https://github.com/${account}.keys`),
  );
  t.strictSame(sources("#cloud-config\nusers: {a: {ssh_import_id: [gh:d, 7, {x: y}]}}\n"), [
    "https://github.com/d.keys",
    "https://launchpad.net/~7/+sshkeys",
  ]);
  t.strictSame(sources("#cloud-config\nssh_import_id: {a: gh:a}\nhostname: ssh_import_id\n"), []);
});
