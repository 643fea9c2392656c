import { Encrypter } from "age-encryption";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { formatFinding } from "#core/finding.ts";
import { Secret } from "#core/secret.ts";
import type { Settings } from "#generated/agent/settings.ts";
import {
  hardwareSigner,
  makeSigner,
  signedWith,
  skipWithoutSshKeygen,
} from "#provisioner/userdata/signed/try-sign.ts";
import type { DatasourceContent } from "./datasources/datasource.ts";
import { boot, content, prepare } from "./fake-boot.ts";
import { type PinnedInstance, readPinnedInstance, writePinnedInstance } from "./pinned-instance.ts";
import { resolveSpec } from "./resolve-spec.ts";
import { envelopeOpener } from "./secrets/envelope-opener.ts";
import { ensureIdentity, readIdentity } from "./secrets/node-identity.ts";
import { recipientOf } from "./secrets/open-envelope.ts";

const ops = hardwareSigner();
const health = "health: { passes: 1, interval: 1ms, timeout: 1s }";
const text = "#firstlight\nversion: 1\nhostname: edge-1\n";

/** What a datasource says that has these bytes as its user-data. */
function saying(
  bytes: Uint8Array | string,
  change: Partial<DatasourceContent["instance"]> = {},
): DatasourceContent {
  const plain = content("");
  const secrets = new Map([["user-data", new Secret<Uint8Array>(Buffer.from(bytes))]]);
  return { ...plain, secrets, instance: { ...plain.instance, ...change } };
}

/** A node with a key of its own. */
async function node(root: string) {
  const io = fakeIo(root);
  await ensureIdentity(io, { protection: async () => ({ encrypted: false, why: "" }) });
  const key = await readIdentity(io);
  if (key === undefined) throw new Error("there is no key");
  const recipient = await recipientOf(key);
  return {
    async seal(plain: Uint8Array | string) {
      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      return encrypter.encrypt(plain);
    },
    async resolve(said: DatasourceContent, userData?: Settings["userData"]) {
      const settings = userData === undefined ? {} : { userData };
      const resolution = await resolveSpec(said, settings, {
        fetchSources: async (urls) => {
          t.fail(`nothing is fetched of what does not count: ${urls}`);
          return new Map();
        },
        openEnvelope: envelopeOpener(io),
      });
      return { ...resolution, said: resolution.findings.map(formatFinding) };
    },
  };
}

const trusted = { signers: [ops.line] };

t.test("signed user-data is read, sealed inside or outside as well", async (t) => {
  const { seal, resolve } = await node(t.testdir());
  const signed = signedWith(ops, text);
  const forms = {
    signed,
    "sealed, then signed": signedWith(ops, await seal(text)),
    "signed, then sealed": await seal(signed),
    "all of it": await seal(signedWith(ops, await seal(text))),
  };
  for (const [name, bytes] of Object.entries(forms)) {
    const { spec, signature, said } = await resolve(saying(bytes), trusted);
    t.equal(spec.hostname, "edge-1", name);
    t.match(signature, { signer: /^token/ }, name);
    t.same(said, [], name);
  }
  const twice = await resolve(saying(signedWith(ops, signed)), trusted);
  t.match(twice.said, [
    /^user-data:1:1 error: a signed document is read where it is the whole user-data, and signed once/,
  ]);
  const other = { networkConfig: { secretRef: "network-config" } };
  const said = saying(text, other);
  const network = await resolve({
    ...said,
    secrets: new Map([...said.secrets, ["network-config", new Secret<Uint8Array>(signed)]]),
  });
  t.match(network.said, [/^network-config:1:1 error: a signed document is read where/]);
});

t.test("findings of a signed text have the lines of the document", async (t) => {
  const { resolve } = await node(t.testdir());
  const document = signedWith(ops, `#cloud-config\nhostname: a\nnope: 1\n`);
  const line = document.toString().split("\n").indexOf("nope: 1") + 1;
  const { said } = await resolve(saying(document), trusted);
  t.equal(said.length, 1);
  t.match(said[0], new RegExp(`^user-data:${line}:1 `));
});

t.test("what does not count is left out, and so are keys that nobody signed", async (t) => {
  const { seal, resolve } = await node(t.testdir());
  const required = { ...trusted, signature: "required" } as const;
  const fetching =
    "#cloud-config\nwrite_files: [{path: /a, source: {uri: 'http://192.0.2.1/a'}}]\n";
  const stranger = signedWith(hardwareSigner(), fetching);
  const cases = [
    [
      fetching,
      required,
      /^user-data:1:1 error: expected signed user-data, and it is not signed \[user-data\/unsigned\]/,
    ],
    ["", required, /\[user-data\/unsigned\]/],
    [await seal(text), required, /\[user-data\/unsigned\]/],
    [stranger, required, /\[user-data\/signature-foreign\]/],
    [stranger, trusted, /\[user-data\/signature-foreign\]/],
    [
      signedWith(ops, "## template: jinja\n#cloud-config\n"),
      trusted,
      /^user-data:\d+:1 error: the text that is signed is a template.*\[user-data\/signed-template\]/,
    ],
    [Buffer.from("age-encryption.org/v1\nbroken"), required, /secret\/envelope-damaged/],
  ] as const;
  const publicKeys = ["ssh-ed25519 AAAA a"];
  for (const [bytes, userData, want] of cases) {
    const { spec, signature, said } = await resolve(saying(bytes, { publicKeys }), userData);
    const [first, ...more] = said.filter((line) => line.includes(" error"));
    t.match(first, want);
    t.same(more, []);
    t.equal(spec.files, undefined);
    t.equal(signature === undefined || /template/.test(first ?? ""), true);
    const isRequired = userData === required;
    t.equal(
      said.some((line) => line.includes("user-data/unsigned-keys")),
      isRequired,
    );
    t.equal(JSON.stringify(spec).includes("AAAA"), !isRequired);
  }
  const without = { ...saying("", { userData: null }), secrets: new Map() };
  t.match((await resolve(without, required)).said, [
    /^user-data error: expected signed user-data, and there is none/,
  ]);
});

t.test("settings that name no signer, or one that is none, are a fault", async (t) => {
  const { resolve } = await node(t.testdir());
  const signed = saying(signedWith(ops, text));
  await t.rejects(resolve(saying(text), { signature: "required" }), {
    code: "settings/invalid",
    message: /userData\.signers: expected a key/,
  });
  await t.rejects(resolve(signed, { signers: [ops.line, "ssh-ed25519 AAAA"] }), {
    code: "settings/invalid",
    message: /userData\.signers\.1: expected a public key/,
  });
  const { said, signature } = await resolve(signed, {});
  t.equal(signature, undefined);
  t.match(said, [/user-data\/signature-unchecked/]);
});

/** Signed text that names the machine, and so leaves nothing to the meta-data. */
function release(hostname: string, namespace: string): Uint8Array {
  return signedWith(ops, `#firstlight\nversion: 1\nhostname: ${hostname}\n${health}\n`, {
    namespace,
  });
}

t.test("a signature with a serial changes a node, once and for good", async (t) => {
  let said = saying(release("one", "firstlight"));
  const { io, deps } = prepare(t, {
    settings: { userData: trusted, policy: { changes: "require-signature" } },
    discover: async () => said,
  });
  const boots = async (next: DatasourceContent) => {
    said = next;
    const { outcome, message } = await boot(deps);
    return `${outcome}: ${message}`;
  };
  t.match(await boots(said), /^committed/, "a first boot takes what it finds");
  t.equal(readPinnedInstance(io.files)?.signed, undefined);
  t.match(await boots(saying(release("two", "firstlight"))), /^refused: .* without a serial$/);
  const second = saying(release("two", "firstlight,serial=5"));
  t.match(await boots(second), /^committed/);
  t.match(readPinnedInstance(io.files)?.signed, { serial: 5 });
  t.match(await boots(second), /^committed|^unchanged/, "the same is no change");
  t.match(await boots(saying(release("three", "firstlight,serial=6"))), /^committed/);
  t.match(await boots(second), /^refused: .*serial 5, and expected is one above 6$/, "an old one");
  t.match(await boots(saying("#firstlight\nhostname: four\n")), /^refused: .*nobody signed it/);
  const named = { instanceId: "i-2" };
  t.match(
    await boots(saying(release("three", "firstlight,serial=7"), named)),
    /^refused: .*instance-id$/,
  );
  t.match(
    await boots(saying(release("three", "firstlight,serial=7,instance-id=i-2"), named)),
    /^committed/,
  );
  const keys = { ...named, publicKeys: ["ssh-ed25519 AAAA a"] };
  t.match(
    await boots(saying(release("five", "firstlight,serial=8"), keys)),
    /^refused: .*keys, secrets or files that came beside/,
    "keys that came with it are not signed",
  );
  t.equal(readPinnedInstance(io.files)?.signed?.serial, 7);
});

t.test("a name that the text leaves to the meta-data counts as not signed", async (t) => {
  const version = (word: string) =>
    signedWith(ops, `#firstlight\nversion: 1\n${health}\ntimezone: ${word}\n`, {
      namespace: `firstlight,serial=${word === "UTC" ? 1 : 2}`,
    });
  let said = saying(version("UTC"));
  const { deps } = prepare(t, {
    settings: { userData: trusted, policy: { changes: "require-signature" } },
    discover: async () => said,
  });
  t.equal((await boot(deps)).outcome, "committed");
  said = saying(version("Europe/Berlin"), { hostname: "other" });
  t.equal((await boot(deps)).outcome, "refused");
  said = saying(version("Europe/Berlin"));
  t.equal((await boot(deps)).outcome, "committed");
});

t.test(
  "a pin of an earlier version learns what nobody signed, and then takes a change",
  async (t) => {
    const version = (serial: number) =>
      saying(
        signedWith(ops, `${text}${health}\n# ${serial}\n`, {
          namespace: `firstlight,serial=${serial}`,
        }),
        { publicKeys: ["ssh-ed25519 AAAA a"] },
      );
    let said = version(1);
    const { io, deps } = prepare(t, {
      settings: { userData: trusted, policy: { changes: "require-signature" } },
      discover: async () => said,
    });
    t.equal((await boot(deps)).outcome, "committed");
    const { unsigned, ...older } = readPinnedInstance(io.files) as PinnedInstance;
    t.type(unsigned?.rights, "string");
    writePinnedInstance(io, older);
    said = version(2);
    t.equal((await boot(deps)).outcome, "refused");
    said = version(1);
    await boot(deps);
    t.same(readPinnedInstance(io.files), { ...older, unsigned }, "and nothing else of it changed");
    said = version(2);
    t.equal((await boot(deps)).outcome, "committed");
  },
);

t.test("where it must be signed, nothing else makes a first system", async (t) => {
  const settings = { userData: { ...trusted, signature: "required" } } as const;
  const first = prepare(t, { settings, discover: async () => saying(text) });
  t.match(await boot(first.deps), { outcome: "invalid", message: /expected signed user-data/ });
  t.notOk(first.asked.includes("build"));
  const signed = { ...first.deps, discover: async () => saying(release("a", "firstlight")) };
  t.equal((await boot(signed)).outcome, "committed");
});

t.test(
  "what the real ssh-keygen signs makes a system",
  { skip: skipWithoutSshKeygen },
  async (t) => {
    const signer = makeSigner(t, "ecdsa");
    const serial = "firstlight,serial=1795000000";
    const signed = signedWith(signer, `${text}${health}\n`, { namespace: serial });
    const { deps } = prepare(t, {
      settings: { userData: { signers: [signer.line], signature: "required" } },
      discover: async () => saying(signed),
    });
    t.equal((await boot(deps)).outcome, "committed");
  },
);
