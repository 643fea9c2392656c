import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import {
  azureDocument,
  ec2Document,
  fakeAmazon,
  fakeAzure,
  fakeGoogle,
} from "#fleet/enroll/fake-clouds.ts";
import { startEnrolment } from "./enrol-world.ts";

const day = 24 * 3_600_000;
const minute = 60_000;

/** A metadata service; `answer` gives `undefined` for what it does not have. */
async function metadataService(
  t: Test,
  answer: (request: IncomingMessage) => string | undefined | Promise<string | undefined>,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const text = await answer(request);
    response.writeHead(text === undefined ? 404 : 200).end(text ?? "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Instance metadata of EC2, by sessions only. */
const ec2Service = (t: Test, document: () => string) =>
  metadataService(t, ({ method, url, headers }) => {
    if (method === "PUT" && url === "/latest/api/token") return "a-session";
    if (headers["x-aws-ec2-metadata-token"] !== "a-session") return undefined;
    return url === "/latest/dynamic/instance-identity/rsa2048" ? document() : undefined;
  });

t.test("an instance of EC2 enrols by its document, once, and nobody else by it", async (t) => {
  const amazon = fakeAmazon(t);
  const world = await startEnrolment(
    t,
    {
      ec2: {
        ...{ accounts: ["123456789012"], regions: ["eu-central-1"] },
        certificates: { "eu-central-1": "/aws.pem" },
      },
    },
    {},
    { "/aws.pem": amazon.certificate },
  );
  const signed = amazon.sign(ec2Document(world.clock.now() - minute));
  // In lines, as the service gives it.
  const lines = signed.replaceAll(/.{64}/g, "$&\n");
  const metadata = await ec2Service(t, () => lines);
  const cloud = { via: ["ec2"], datasource: "Ec2", metadata } as const;
  const instance = world.machine(cloud);
  t.match(await instance.run(), { kind: "enrolled", node: "i-0abc1234def567890" });
  t.match(await instance.run(), { kind: "enrolled" });

  const refused = async (code: string, document: string, more: object = {}) => {
    const service = await ec2Service(t, () => document);
    const machine = world.machine({ ...cloud, metadata: service, ...more });
    t.match(await machine.run(), { kind: "refused", fault: { code } }, code);
  };
  await refused("enroll/instance-used", lines, { serial: "S2" });
  const others = (more: object) => amazon.sign(ec2Document(world.clock.now() - minute, more));
  await refused("enroll/foreign", others({ accountId: "210987654321", instanceId: "i-00000001" }));
  await refused(
    "enroll/document-invalid",
    others({ region: "us-east-1", instanceId: "i-00000002" }),
  );
  await refused(
    "enroll/document-stale",
    amazon.sign(ec2Document(world.clock.now() - 31 * minute, { instanceId: "i-00000003" })),
  );
  await refused("enroll/document-invalid", fakeAmazon(t).sign(ec2Document(world.clock.now())));
  await refused("enroll/document-invalid", "MIAG".repeat(8));
  await refused("enroll/document-invalid", "not base64 at all, and no document");
  await refused("enroll/malformed", "A".repeat(30_000));
  const elsewhere = world.machine({ via: ["ec2"], datasource: "NoCloud", metadata });
  t.match(
    await elsewhere.run(),
    { fault: { code: "enroll/no-claim" } },
    "no cloud is asked by guess",
  );

  // Set up anew, with the key lost: a person says so.
  await world.deps.store.revoke("i-0abc1234def567890", { nowMs: world.clock.now(), again: true });
  const again = world.machine({ ...cloud, serial: "S3" });
  t.match(await again.run(), { kind: "enrolled", node: "i-0abc1234def567890" });
  t.equal((await world.deps.store.nodes()).length, 1);
  world.clock.advance(31 * day);
  t.match(await instance.run(), { kind: "refused" }, "who had it before does not renew");
});

t.test(
  "instances of Google and Azure enrol by what is made for this server and this key",
  async (t) => {
    const google = await fakeGoogle();
    const azure = fakeAzure(t);
    const keys = await metadataService(t, () => JSON.stringify(google.keys));
    const world = await startEnrolment(
      t,
      {
        gce: { projects: ["edge-fleet-1"], keys: `${keys}/certs` },
        azure: {
          subscriptions: ["8d10da13-8125-4ba9-a717-bf7490507b3d"],
          authorities: ["/azure.pem"],
        },
      },
      {},
      { "/azure.pem": azure.authority },
    );
    const engine = { project_id: "edge-fleet-1", instance_id: "1234567890123456789" };
    const seen: string[] = [];
    const atGoogle = await metadataService(t, ({ url = "", headers }) => {
      const query = new URL(url, "http://localhost").searchParams;
      const audience = query.get("audience") ?? "";
      seen.push(audience);
      if (headers["metadata-flavor"] !== "Google" || query.get("format") !== "full")
        return undefined;
      return google.token(audience, { nowMs: world.clock.now(), google: engine });
    });
    const gce = { via: ["gce"], datasource: "GCE", metadata: atGoogle } as const;
    t.match(await world.machine(gce).run(), { kind: "enrolled", node: "gce-1234567890123456789" });
    t.match(seen[0], /^https:\/\/localhost:\d+\/enroll\/1\?challenge=/);
    t.match(await world.machine({ ...gce, serial: "S2" }).run(), {
      fault: { code: "enroll/instance-used" },
    });
    const replayed = await google.token(seen[0] ?? "", {
      nowMs: world.clock.now(),
      google: { ...engine, instance_id: "2" },
    });
    const thief = await metadataService(t, () => replayed);
    t.match(
      await world.machine({ ...gce, metadata: thief, serial: "S3" }).run(),
      { fault: { code: "enroll/document-invalid" } },
      "a token that was made for another key's challenge",
    );

    let signed = "";
    const atAzure = await metadataService(t, ({ url = "", headers }) => {
      const nonce = new URL(url, "http://localhost").searchParams.get("nonce") ?? "";
      if (headers["metadata"] !== "true" || !/^\d{10}$/.test(nonce)) return undefined;
      signed = azure.sign(azureDocument(nonce, world.clock.now() + 6 * 60 * minute));
      return JSON.stringify({ encoding: "pkcs7", signature: signed });
    });
    const vm = { via: ["azure"], datasource: "Azure", metadata: atAzure } as const;
    t.match(await world.machine(vm).run(), {
      kind: "enrolled",
      node: "02aab8a4-74ef-476e-8182-f6d2ba4166a6",
    });
    const old = JSON.stringify({ encoding: "pkcs7", signature: signed });
    const replay = await metadataService(t, () => old);
    t.match(
      await world.machine({ ...vm, metadata: replay, serial: "S2" }).run(),
      { fault: { code: "enroll/document-invalid" } },
      "a document that was made for another key's challenge",
    );
    const away = await metadataService(t, () => undefined);
    t.match(await world.machine({ ...vm, metadata: away, serial: "S3" }).run(), {
      fault: { code: "enroll/no-claim" },
    });
  },
);
