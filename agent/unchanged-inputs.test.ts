import t from "tap";
import { type FakeIo, fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { Secret } from "#core/secret.ts";
import { traceIo } from "#core/traced-io.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import type { DatasourceContent } from "./datasources/datasource.ts";
import {
  type ReadInputs,
  recallUnchanged,
  rememberUnchanged,
  unchangedInputsFile,
} from "./unchanged-inputs.ts";

const content: DatasourceContent = {
  findings: [],
  secrets: new Map([["user-data", new Secret<Uint8Array>(Buffer.from("#cloud-config\n"))]]),
  instance: {
    v: 1,
    datasource: {
      ...{ name: "NoCloud", place: "seed", identity: "seed", removable: false, evidence: [] },
    },
    instanceId: "i-1",
    hostname: null,
    publicKeys: [],
    metaData: {},
    userData: { secretRef: "user-data" },
    vendorData: null,
    networkConfig: null,
  },
};
const seen = { profile: "qemu/kvm", confidence: "certain", findings: [] } as const;
const same: ReadInputs = {
  program: "p",
  discover: async () => content,
  readFacts: () => genericFacts("x86_64"),
};

/** A machine whose last boot left everything as it was. */
function booted(t: { testdir(): string }): FakeIo {
  const io = fakeIo(t.testdir());
  io.files.write("/etc/nixos/local.nix", "{ }");
  const traced = traceIo(io);
  traced.io.files.readText("/etc/nixos/local.nix");
  const trace = traced.trace() ?? { questions: [], answers: "" };
  const facts = genericFacts("x86_64");
  rememberUnchanged(io, { program: "p", content, facts, trace }, { seen, sourcesDigest: "s" });
  return io;
}

t.test("the same inputs are known again, with what was made of them", async (t) => {
  t.strictSame(await recallUnchanged(booted(t), same), { content, seen, sourcesDigest: "s" });
});

t.test("nothing is known where anything differs, or cannot be read", async (t) => {
  const { instance, secrets } = content;
  const changed: Readonly<Record<string, Partial<ReadInputs>>> = {
    "another program": { program: "q" },
    "a source tree": { program: undefined },
    "another document": {
      discover: async () => ({
        ...content,
        secrets: new Map([["user-data", new Secret<Uint8Array>(Buffer.from("#cloud-config"))]]),
      }),
    },
    "another instance": {
      discover: async () => ({ ...content, instance: { ...instance, instanceId: "i-2" } }),
    },
    "another place": {
      discover: async () => ({
        ...content,
        instance: { ...instance, datasource: { ...instance.datasource, place: "disk /dev/sdb" } },
      }),
    },
    "another secret": {
      discover: async () => ({
        ...content,
        secrets: new Map([...secrets, ["token", new Secret<Uint8Array>(Buffer.from("x"))]]),
      }),
    },
    "another finding": {
      discover: async () => ({
        ...content,
        findings: [
          {
            ...{ document: "seed", path: "", line: null, column: null, level: "warning" },
            ...{ code: "datasource/several", message: "not used", hint: null },
          },
        ],
      }),
    },
    "no datasource": {
      discover: async () => {
        throw new Fault("datasource/none", "none");
      },
    },
    "other facts": { readFacts: () => genericFacts("aarch64") },
  };
  for (const [name, change] of Object.entries(changed))
    t.equal(await recallUnchanged(booted(t), { ...same, ...change }), undefined, name);

  const edited = booted(t);
  edited.files.write("/etc/nixos/local.nix", "{ other = true; }");
  t.equal(await recallUnchanged(edited, same), undefined, "another answer");
  const rekeyed = booted(t);
  rekeyed.files.remove("/var/lib/firstlight/instance/.digest-key");
  t.equal(await recallUnchanged(rekeyed, same), undefined, "another key");
});

t.test("a record that is absent, torn or of another version counts as none", async (t) => {
  t.equal(await recallUnchanged(fakeIo(t.testdir()), same), undefined);
  for (const text of ["", '{"v":1', "[]", "null", '{"v":2}', '{"v":1}', '{"v":1,"program":"p"}']) {
    const io = booted(t);
    io.files.write(unchangedInputsFile, text);
    t.equal(await recallUnchanged(io, same), undefined, text);
  }
});

t.test("the record is root's alone and holds no document", async (t) => {
  const io = booted(t);
  t.equal(io.files.stat(unchangedInputsFile)?.mode, 0o600);
  t.notMatch(io.files.readText(unchangedInputsFile), "cloud-config");
});
