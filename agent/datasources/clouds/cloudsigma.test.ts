import t from "tap";
import { needs } from "../images/make-images.ts";
import { cloudSigma } from "./cloudsigma.ts";
import { identityOf, readFrom } from "./try-cloud.ts";
import { type FakeHost, fakeSerialHost, fakeSocketHost } from "./try-line.ts";

const userData = "#cloud-config\ntimezone: UTC\n";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlbmNo alice";
const uuid = "65b2fb23-8c03-4187-a3ba-8b7c919e8890";
const server = {
  ...{ cpu: 1000, name: "edge-7", uuid, vnc_password: "canary" },
  meta: { ssh_public_key: key, "cloudinit-user-data": userData },
  vendor_data: { cloudinit: "#cloud-config\n", location: "zrh" },
};

function answering(context: unknown): FakeHost {
  const text = typeof context === "string" ? context : JSON.stringify(context);
  return (received) => (received === "<\n\n>" ? `${text}\n\u0004` : "");
}

t.test("CloudSigma: told by the firmware, and by nothing else", async (t) => {
  t.type(cloudSigma.identify(identityOf({ productName: "CloudSigma" })), "string");
  for (const off of [{}, { productName: "CloudSigma 2" }, { sysVendor: "CloudSigma" }])
    t.equal(cloudSigma.identify(identityOf(off)), undefined);
});

const expected = { instanceId: uuid, hostname: "edge-7", publicKeys: [key] };

t.test("CloudSigma: what it says over a serial port", needs("python3"), async (t) => {
  const url = await fakeSerialHost(t, answering(server));
  const { instance, secrets, findings } = await readFrom(cloudSigma, { url });
  t.match(instance, { ...expected, datasource: { name: "CloudSigma", place: url } });
  const given = (name: string) => Buffer.from(secrets.get(name)?.reveal() ?? []).toString();
  t.same([given("user-data"), given("vendor-data")], [userData, "#cloud-config\n"]);
  t.same(findings, []);
  t.notMatch(JSON.stringify(instance), /canary/);
});

t.test("CloudSigma: a line that ends is taken up again", async (t) => {
  const url = await fakeSocketHost(t, (received, connection) =>
    connection === 1 ? "end" : answering(server)(received, connection),
  );
  const { instance, attempts = [] } = await readFrom(cloudSigma, { url });
  t.match(instance, expected);
  t.match(attempts, [{ status: null }, { status: 200 }], "and that is told");
});

t.test("CloudSigma: malformed, and an owner who does not want it", async (t) => {
  const meta = { ...server.meta, base64_fields: "cloudinit-user-data" };
  const wrong: readonly (readonly [unknown, string, RegExp])[] = [
    ["{", "malformed", /\/: no JSON/],
    ["[]", "malformed", /a mapping was expected/],
    [{ ...server, uuid: undefined }, "malformed", /uuid: a text was expected/],
    [{ ...server, meta }, "malformed", /cloudinit-user-data: base64/],
    [{ ...server, meta: { "cloudinit-dsmode": "disabled" } }, "none", /dsmode/],
  ];
  for (const [context, code, message] of wrong) {
    const url = await fakeSocketHost(t, answering(context));
    await t.rejects(readFrom(cloudSigma, { url }), { code: `datasource/${code}`, message });
  }
});

t.test("CloudSigma: what is encoded, and a name that is none of a host", async (t) => {
  const encoded = Buffer.from(userData).toString("base64");
  const meta = { "cloudinit-user-data": encoded, base64_fields: "x,cloudinit-user-data" };
  const url = await fakeSocketHost(t, answering({ ...server, name: "my server", meta }));
  const { instance, secrets } = await readFrom(cloudSigma, { url });
  t.match(instance, { hostname: "65b2fb23", publicKeys: [] });
  t.equal(Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString(), userData);
});
