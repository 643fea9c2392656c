import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { hostClock } from "#core/host-io.ts";
import { httpCourier } from "#provisioner/system/fetch/http-courier.ts";
import { readFile } from "../fetch-sources.ts";
import { bigstep } from "./bigstep.ts";
import type { ReadTools } from "./datasource.ts";
import { writeTree } from "./images/make-images.ts";
import { type FakeAnswer, fakeService, first } from "./metadata/fake-service.ts";

const document = {
  metadata: {
    "instance-id": "i-7",
    "local-hostname": "edge-7",
    "public-keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A a"],
  },
  userdata_raw: "#cloud-config\n",
  vendordata_raw: "",
};

/** A network that is up. */
const network: ReadTools = {
  ...{ budgetMs: 1_000, defaultUser: "nixos" },
  fetch: (url, maxBytes) => readFile(url, maxBytes, { clock: hostClock, courier: httpCourier }),
};

async function read(t: { testdir(): string }, url: string, tools: ReadTools | undefined = network) {
  const root = path.join(t.testdir(), "root");
  writeTree(root, { "var/lib/cloud/data/seed/bigstep/url": `${url}\n` });
  const io = fakeIo(root);
  const detection = bigstep.detect(io);
  if (detection === undefined) throw new Error("not detected");
  return bigstep.read(io, detection, tools);
}

async function serve(t: { teardown(end: () => void): void }, answer: FakeAnswer): Promise<string> {
  const { url } = await fakeService(t, { "/canary": answer });
  return `${url}/canary`;
}

t.test("Bigstep: a machine without the file is not on it", async (t) => {
  t.equal(bigstep.detect(fakeIo(t.testdir())), undefined);
});

t.test("Bigstep: what it says, also after a server that is busy", async (t) => {
  const text = JSON.stringify(document);
  for (const answer of [text, first(1, { status: 503 }, text)]) {
    const { instance, secrets, findings } = await read(t, await serve(t, answer));
    t.match(instance, {
      ...{
        instanceId: "i-7",
        hostname: "edge-7",
        publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A a"],
      },
      ...{ vendorData: null, datasource: { name: "Bigstep" } },
    });
    t.equal(Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString(), "#cloud-config\n");
    t.same(findings, []);
    t.notMatch(JSON.stringify(instance), /canary/);
  }
});

t.test("Bigstep: what cannot be meant", async (t) => {
  const wrong: readonly (readonly [FakeAnswer, RegExp])[] = [
    ["{", /metadata document: no JSON/],
    ["{}", /metadata: a mapping was expected, there is none/],
    [JSON.stringify({ ...document, userdata_raw: {} }), /userdata_raw: a text was expected/],
  ];
  for (const [answer, message] of wrong)
    await t.rejects(read(t, await serve(t, answer)), { code: "datasource/malformed", message });
  await t.rejects(read(t, await serve(t, { status: 404 })), { code: "datasource/missing" });
  await t.rejects(read(t, "file:///etc/shadow"), { code: "datasource/malformed" });
  const early = { budgetMs: 1_000, defaultUser: "nixos" };
  await t.rejects(read(t, "http://192.0.2.1/", early), { code: "datasource/none" });
});
