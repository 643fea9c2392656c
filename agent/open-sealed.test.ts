import { Encrypter } from "age-encryption";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { formatFinding } from "#core/finding.ts";
import { Secret } from "#core/secret.ts";
import type { DatasourceContent } from "./datasources/datasource.ts";
import { addSecrets } from "./datasources/given-secrets.ts";
import { content as contentOf } from "./fake-boot.ts";
import { resolveSpec } from "./resolve-spec.ts";
import { envelopeOpener } from "./secrets/envelope-opener.ts";
import { ensureIdentity, readIdentity } from "./secrets/node-identity.ts";
import { recipientOf } from "./secrets/open-envelope.ts";

async function node(root: string) {
  const io = fakeIo(root);
  await ensureIdentity(io, { protection: async () => ({ encrypted: false, why: "" }) });
  const key = await readIdentity(io);
  if (key === undefined) throw new Error("there is no key");
  const recipient = await recipientOf(key);
  const seal = async (text: string) => {
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    return encrypter.encrypt(text);
  };
  const resolve = async (content: DatasourceContent) => {
    const resolution = await resolveSpec(
      content,
      {},
      {
        fetchSources: async () => new Map(),
        openEnvelope: envelopeOpener(io),
      },
    );
    const { secrets, findings } = resolution;
    return {
      ...resolution,
      said: findings.map(
        ({ level, code, document, path }) => `${level} ${code} ${document} ${path}`,
      ),
      text: (name: string) => Buffer.from(secrets.get(name)?.reveal() ?? []).toString(),
    };
  };
  return { seal, resolve, io };
}

/** What a datasource says, with these bytes as its documents. */
function content(documents: Readonly<Record<string, Uint8Array>>): DatasourceContent {
  const plain = contentOf("");
  const all = Object.entries(documents).map(([name, bytes]) => [name, new Secret(bytes)] as const);
  return { ...plain, secrets: new Map(all) };
}

const passphrase = async () => {
  const encrypter = new Encrypter();
  encrypter.setPassphrase("x");
  encrypter.setScryptWorkFactor(1);
  return encrypter.encrypt("a");
};

t.test(
  "documents that are envelopes as a whole are opened, with what is sealed in them",
  async (t) => {
    const { seal, resolve, io } = await node(t.testdir());
    const before = io.effects.length;
    const inner = Buffer.from(await seal("t0ken")).toString("base64");
    const sealed = content({
      "user-data": await seal(
        `#firstlight\nhostname: edge-1\nsecrets: {token: !!binary ${inner}}\nfiles: [{path: /a, secret: {secretRef: token}}]\n`,
      ),
      "network-config": await seal("version: 2\nethernets: {eth0: {dhcp4: true}}\n"),
    });
    const { spec, text, said } = await resolve(sealed);
    t.match(spec, { hostname: "edge-1", network: { ethernets: { eth0: { dhcp4: true } } } });
    t.equal(text("token"), "t0ken");
    t.same(said, ["note yaml/kept-as-text user-data secrets.token"]);
    t.equal(io.effects.length, before, "nothing was written");
  },
);

t.test("secrets beside the documents are opened where something uses them", async (t) => {
  const { seal, resolve } = await node(t.testdir());
  const spec = content({
    "user-data": Buffer.from(
      "files: [{path: /a, secret: {secretRef: a}}]\nunits: {b.service: {credentials: [{secretRef: b}]}}\n",
    ),
  });
  const given = {
    a: await seal("one"),
    b: Buffer.from("two"),
    idle: Buffer.from("age-encryption.org/v1\nbroken"),
  };
  const secrets = Object.entries(given).map(([name, bytes]) => [name, new Secret(bytes)] as const);
  const { text, said } = await resolve({
    ...{ ...spec, userData: { document: "spec.yaml", format: "firstlight" } },
    ...addSecrets(spec, new Map(secrets)),
  });
  t.equal(text("a"), "one");
  t.equal(text("b"), "two");
  t.same(said, ["note spec/unused-secret secrets idle"]);
});

t.test("what cannot be opened is an error at its place, and nothing of it is said", async (t) => {
  const { seal, resolve } = await node(t.testdir());
  const damaged = Buffer.from(await seal("#firstlight\n"));
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  const whole = await resolve(
    content({ "user-data": damaged, "network-config": await passphrase() }),
  );
  t.same(whole.said, [
    "error secret/envelope-damaged user-data ",
    "error secret/envelope-foreign network-config ",
  ]);
  t.match(whole.findings.at(-1), { message: /with a passphrase/, hint: /not `age -p`/ });
  const armour = "-----BEGIN AGE ENCRYPTED FILE-----\nQUdF\n-----END AGE ENCRYPTED FILE-----\n";
  const lines = armour.trimEnd().replaceAll("\n", "\n    ");
  const inside = await resolve(
    content({
      "user-data": Buffer.from(
        `#firstlight\nsecrets:\n  token: |\n    ${lines}\nfiles: [{path: /a, secret: {secretRef: token}}]\n`,
      ),
    }),
  );
  t.match(inside.findings.map(formatFinding), [
    /^user-data:3:10 error secrets\.token: the age envelope is damaged: .* \[secret\/envelope-damaged\]\n {2}seal it again/,
  ]);
});

t.test("a document in two envelopes is one too many", async (t) => {
  const { seal, resolve } = await node(t.testdir());
  const armoured = "-----BEGIN AGE ENCRYPTED FILE-----\nQUdF\n-----END AGE ENCRYPTED FILE-----\n";
  const { said } = await resolve(content({ "user-data": await seal(armoured) }));
  t.same(said, ["error user-data/sealed user-data "]);
});

t.test("a hash that was sealed is looked at once it is open", async (t) => {
  const { seal, resolve } = await node(t.testdir());
  const said = async (hash: string) => {
    const sealed = Buffer.from(await seal(hash)).toString("base64");
    const text = `#firstlight\nsecrets: {h: !!binary ${sealed}}\nusers: {a: {passwordHash: {secretRef: h}}}\n`;
    return (await resolve(content({ "user-data": Buffer.from(text) }))).said;
  };
  const asText = "note yaml/kept-as-text user-data secrets.h";
  t.same(await said("$y$j9T$salt$hash"), [asText]);
  t.same(await said("plain"), [asText, "error spec/not-a-hash user-data users.a.passwordHash"]);
});
