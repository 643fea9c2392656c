import { createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { createLocalJWKSet } from "jose";
import t from "tap";
import { audienceOf, digitsOf } from "#protocol/enroll/challenge.ts";
import { azureDocument, ec2Document, fakeAmazon, fakeAzure, fakeGoogle } from "../fake-clouds.ts";
import { type AzurePolicy, proveByAzure } from "./azure.ts";
import { type Ec2Policy, proveByEc2 } from "./ec2.ts";
import { type GcePolicy, proveByGce } from "./gce.ts";
import { makeToken, proveByToken } from "./token.ts";
import type { ClaimContext } from "./way.ts";

const nowMs = Date.now() + 60_000; // the certificates are made while the test runs
const minute = 60_000;
const challenge = `m9z1k2a0.${"A".repeat(43)}`;
const machine: ClaimContext["machine"] = {
  ...{ instanceId: "i-0abc1234def567890", hardware: "a".repeat(64), bootId: "one" },
};
const context: ClaimContext = { machine, challenge, nowMs };

t.test("a document of EC2 counts for its region, account and start, and for nothing else", (t) => {
  const amazon = fakeAmazon(t);
  const policy: Ec2Policy = {
    accounts: ["123456789012"],
    regions: ["eu-central-1"],
    certificates: new Map([["eu-central-1", amazon.x509]]),
    freshnessMs: 30 * minute,
  };
  const prove = (document: string, at = nowMs) =>
    proveByEc2(document, { ...context, nowMs: at }, policy);
  const fresh = ec2Document(nowMs - minute);
  const good = amazon.sign(fresh);
  t.match(prove(good), {
    once: "ec2:i-0abc1234def567890",
    node: "i-0abc1234def567890",
    replaces: false,
  });
  t.match(
    prove(amazon.sign(fresh, "-stream")),
    { way: "ec2" },
    "lengths that come at the end, as Amazon writes it",
  );
  t.match(prove(amazon.sign(fresh, "-keyid")), { way: "ec2" });

  const refused = (document: string, code: string, message: string) =>
    t.throws(() => prove(document), { code }, message);
  refused(
    amazon.sign(ec2Document(nowMs - 31 * minute)),
    "enroll/document-stale",
    "started long ago",
  );
  refused(amazon.sign(ec2Document(nowMs + 6 * minute)), "enroll/document-stale", "not started yet");
  refused(amazon.sign({ ...fresh, pendingTime: "soon" }), "enroll/document-stale", "no time");
  refused(amazon.sign({ ...fresh, accountId: "210987654321" }), "enroll/foreign", "account");
  refused(
    amazon.sign({ ...fresh, region: "us-east-1" }),
    "enroll/document-invalid",
    "another region's key",
  );
  refused(amazon.sign({ ...fresh, instanceId: "../etc" }), "enroll/document-invalid", "name");
  refused(amazon.sign([]), "enroll/document-invalid", "no object");
  refused(fakeAmazon(t).sign(fresh), "enroll/document-invalid", "a key of somebody else");
  refused(amazon.sign(fresh, "-noattr"), "enroll/document-invalid", "no signed attributes");
  refused(amazon.sign(fresh, "-md", "sha1"), "enroll/document-invalid", "SHA-1");
  refused(amazon.sign(fresh, "-md", "sha512"), "enroll/document-invalid", "another digest");
  for (const junk of ["", "AAAA", Buffer.from("{}").toString("base64"), "A".repeat(20_000)])
    refused(junk, "enroll/document-invalid", `junk of ${junk.length}`);
  const nested = Buffer.alloc(18_000, Buffer.from([0x30, 0x80])).toString("base64");
  refused(nested, "enroll/document-invalid", "nine thousand levels");
  t.throws(() => prove(good, nowMs + 11 * 365 * 24 * 60 * minute), {
    code: "enroll/document-invalid",
  });
  t.end();
});

t.test("no bit of a signed document can be changed", (t) => {
  const amazon = fakeAmazon(t);
  const policy: Ec2Policy = {
    accounts: ["123456789012", "223456789012"],
    regions: ["eu-central-1"],
    certificates: new Map([["eu-central-1", amazon.x509]]),
    freshnessMs: 30 * minute,
  };
  const good = Buffer.from(amazon.sign(ec2Document(nowMs - minute)), "base64");
  const expected = proveByEc2(good.toString("base64"), context, policy);
  let refusals = 0;
  for (let at = 0; at < good.length; at += 3) {
    const changed = Buffer.from(good);
    changed[at] = (changed[at] ?? 0) ^ 1;
    try {
      const proved = proveByEc2(changed.toString("base64"), context, policy);
      t.strictSame(proved, expected, `byte ${at} is of no meaning`); // names of the signer, versions
    } catch (error) {
      t.equal((error as { readonly code?: string }).code, "enroll/document-invalid", `byte ${at}`);
      refusals += 1;
    }
  }
  t.ok(refusals > good.length / 6, `${refusals} refusals`);
  t.end();
});

t.test("a document of Azure counts for its challenge, subscription and time", (t) => {
  const azure = fakeAzure(t);
  const authority = (pem: string) => [new X509Certificate(pem)];
  const policy: AzurePolicy = {
    subscriptions: ["8D10DA13-8125-4ba9-a717-bf7490507b3d"],
    authorities: authority(azure.authority),
    hosts: ["metadata.azure.com"],
  };
  const nonce = digitsOf(challenge);
  const later = nowMs + 6 * 60 * minute;
  const good = azure.sign(azureDocument(nonce, later));
  t.match(proveByAzure(good, context, policy), {
    once: "azure:02aab8a4-74ef-476e-8182-f6d2ba4166a6",
    node: "02aab8a4-74ef-476e-8182-f6d2ba4166a6",
  });
  const refused = (document: string, code: string, more: Partial<AzurePolicy> = {}) =>
    t.throws(() => proveByAzure(document, context, { ...policy, ...more }), { code });
  refused(azure.sign(azureDocument("0000000000", later)), "enroll/document-invalid");
  refused(azure.sign(azureDocument(nonce, nowMs - 1000)), "enroll/document-stale");
  refused(azure.sign(azureDocument(nonce, later, { timeStamp: {} })), "enroll/document-stale");
  refused(azure.sign(azureDocument(nonce, later, { subscriptionId: "other" })), "enroll/foreign");
  refused(azure.sign(azureDocument(nonce, later, { vmId: "x" })), "enroll/document-invalid");
  refused(good, "enroll/document-invalid", { authorities: authority(fakeAzure(t).authority) });
  refused(good, "enroll/document-invalid", { hosts: ["metadata.azure.us"] });
  refused(good, "enroll/document-invalid", { authorities: [] });
  refused(azure.sign(azureDocument(nonce, later), "-nocerts"), "enroll/document-invalid");
  t.end();
});

t.test("a token of Google counts for our audience and challenge", async (t) => {
  const google = await fakeGoogle();
  const policy: GcePolicy = {
    projects: ["edge-fleet-1"],
    issuer: "https://accounts.google.com",
    url: "https://enroll.example.org",
    keys: createLocalJWKSet(google.keys),
  };
  const engine = { project_id: "edge-fleet-1", instance_id: "1234567890123456789", zone: "a" };
  const audience = audienceOf(policy.url, challenge);
  const make = (more: { audience?: string; google?: object; nowMs?: number } = {}) =>
    google.token(more.audience ?? audience, { nowMs, google: engine, ...more });
  t.match(await proveByGce(await make(), context, policy), { node: "gce-1234567890123456789" });
  const refused = async (token: string, code: string, more: Partial<GcePolicy> = {}) =>
    t.rejects(proveByGce(token, context, { ...policy, ...more }), { code });
  await refused(
    await make({ audience: "https://elsewhere.example.org" }),
    "enroll/document-invalid",
  );
  const other = audienceOf(policy.url, `m9z1k2a0.${"B".repeat(43)}`);
  await refused(await make({ audience: other }), "enroll/document-invalid");
  await refused(await make({ nowMs: nowMs - 2 * 60 * minute }), "enroll/document-stale");
  await refused(await make({ google: { ...engine, project_id: "other" } }), "enroll/foreign");
  await refused(await make({ google: {} }), "enroll/document-invalid");
  await refused(await make(), "enroll/document-invalid", { issuer: "https://other.example.org" });
  const stranger = createLocalJWKSet((await fakeGoogle()).keys);
  await refused(await make(), "enroll/document-invalid", { keys: stranger });
  const [head = "", body = ""] = (await make()).split(".");
  await refused(`${head}.${body}.`, "enroll/document-invalid");
  const none = Buffer.from('{"alg":"none"}').toString("base64url");
  await refused(`${none}.${body}.`, "enroll/document-invalid");
  await refused("no token", "enroll/document-invalid");
  const away = async () => {
    throw new Error("getaddrinfo ENOTFOUND");
  };
  await refused(await make(), "enroll/busy", { keys: away });
});

t.test("a token counts for a day, for its fleet and for its machine", (t) => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const key = createPublicKey(privateKey);
  const order = { fleet: "demo", node: "edge-17", instanceId: "i-0abc1234def567890" };
  const { token, content } = makeToken(order, { key: privateKey, nowMs });
  const prove = (text: string, more: Partial<ClaimContext> = {}, fleet = "demo") =>
    proveByToken(text, { ...context, ...more }, { key, fleet });
  t.strictSame(prove(`${token}\n`), {
    ...{ way: "token", once: `token:${content.nonce}`, node: "edge-17", replaces: true },
    nonce: content.nonce,
  });
  const refused = (code: string, ...args: Parameters<typeof prove>) =>
    t.throws(() => prove(...args), { code });
  refused("enroll/token-expired", token, { nowMs: nowMs + 24 * 60 * minute });
  refused("enroll/token-expired", token, { nowMs: nowMs - 2 * 60 * minute });
  refused("enroll/token-other", token, {
    machine: { ...machine, instanceId: "i-0123456789abcdef0" },
  });
  refused("enroll/token-other", token, { machine: { ...machine, instanceId: null } });
  refused("enroll/token-invalid", token, {}, "other");
  const byHardware = makeToken(
    { fleet: "demo", node: "edge-18", hardware: "b".repeat(64) },
    { key: privateKey, nowMs },
  );
  refused("enroll/token-other", byHardware.token);
  const [prefix = "", text = "", signature = ""] = token.split(".");
  const forged = Buffer.from(JSON.stringify({ ...content, node: "edge-1" })).toString("base64url");
  for (const bad of [`${prefix}.${forged}.${signature}`, `${prefix}.${text}`, "", "x".repeat(9000)])
    refused("enroll/token-invalid", bad);
  const stranger = makeToken(order, { key: generateKeyPairSync("ed25519").privateKey, nowMs });
  refused("enroll/token-invalid", stranger.token);
  t.end();
});
