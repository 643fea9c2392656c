import { crc32 } from "node:zlib";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import { needs } from "../images/make-images.ts";
import { smartOs } from "./smartos.ts";
import { frameOf, speakSmartOs } from "./smartos-protocol.ts";
import { identityOf, networkOf, readFrom } from "./try-cloud.ts";
import { type FakeHost, fakeSerialHost, fakeSocketHost } from "./try-line.ts";

const userData = "#cloud-config\ntimezone: UTC\n# é\n";
const uuid = "dc4fae17-2b4c-4a6c-9c35-5d5b9c7f0a11";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlbmNo alice";
const nics = [
  {
    ...{ interface: "net0", mac: "90:B8:D0:F5:E4:F5", primary: true, mtu: 1500 },
    ...{ ips: ["192.0.2.7/24", "2001:db8::7/64"], gateways: ["192.0.2.1", "2001:db8::1"] },
  },
  { interface: "net1", mac: "90:b8:d0:a5:ff:cd", ips: ["dhcp"], gateways: ["198.51.100.1"] },
];
const said: Readonly<Record<string, string>> = {
  "sdc:uuid": uuid,
  hostname: "edge-7\n",
  root_authorized_keys: `${key}\n`,
  "sdc:datacenter_name": "us-east-1",
  "cloud-init:user-data": userData,
  "sdc:nics": JSON.stringify(nics),
  "sdc:resolvers": '["192.0.2.53"]',
  "sdc:routes": '[{"linklocal": false, "dst": "203.0.113.0/24", "gateway": "192.0.2.9"}]',
  "sdc:dns_domain": "example.org",
};

/** A host that speaks the protocol as its specification has it; `wrong` may answer in its place. */
function hostOf(
  values: Readonly<Record<string, string>>,
  wrong: (body: string, connection: number) => string | undefined = () => undefined,
): FakeHost {
  let isNew = true;
  return (received, connection) => {
    if (received === "\n" && isNew) {
      isNew = false;
      return "an old answer\nFAILURE\n";
    }
    if (received === "\n") return "invalid command\n";
    if (received === "NEGOTIATE V2\n") return wrong("NEGOTIATE", connection) ?? "V2_OK\n";
    const [, length, sum, body = ""] = /^V2 (\d+) ([0-9a-f]{8}) (.*)\n$/.exec(received) ?? [];
    const isGood = Number(length) === body.length && Number.parseInt(sum ?? "", 16) === crc32(body);
    if (!isGood) return "invalid command\n";
    const [id, , name = ""] = body.split(" ");
    const value = values[Buffer.from(name, "base64").toString()];
    if (value === undefined) return wrong(body, connection) ?? frameOf(`${id} NOTFOUND`);
    const encoded = Buffer.from(value).toString("base64");
    return wrong(body, connection) ?? frameOf(`${id} SUCCESS ${encoded}`);
  };
}

t.test(
  "SmartOS: told by the firmware, in a zone by kernel and socket, and by nothing else",
  async (t) => {
    const kernelVersion = "BrandZ virtual linux";
    const markSockets = ["/native/.zonecontrol/metadata.sock"];
    for (const on of [{ productName: "SmartDC HVM" }, { kernelVersion, markSockets }])
      t.type(smartOs.identify(identityOf(on)), "string");
    for (const off of [{}, { kernelVersion }, { markSockets }, { productName: "SmartOS" }])
      t.equal(smartOs.identify(identityOf(off)), undefined);
  },
);

const expected = {
  ...{ instanceId: uuid, hostname: "edge-7", publicKeys: [key] },
  metaData: { "availability-zone": "us-east-1" },
};

t.test("SmartOS: what it says over a socket", async (t) => {
  const url = await fakeSocketHost(t, hostOf(said));
  const { instance, secrets, findings, attempts } = await readFrom(smartOs, { url });
  t.match(instance, { ...expected, datasource: { name: "SmartOS", place: url } });
  t.equal(Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString(), userData);
  t.same(findings, []);
  t.match(attempts?.[0], { url: `${url} sdc:uuid`, status: 200 });
  const { network, resolver } = await networkOf(smartOs, { url });
  t.match(network?.ethernets, {
    net0: { addresses: ["192.0.2.7/24", "2001:db8::7/64"] },
    net1: { dhcp4: true },
  });
  t.match(resolver, { nameservers: ["192.0.2.53"] });
  t.match(JSON.stringify(network?.ethernets?.["net0"]?.routes), /203\.0\.113\.0\/24/);
  t.notMatch(JSON.stringify(network), /198\.51\.100\.1/, "only the primary one leads out");
});

t.test("SmartOS: what it says over a serial port", needs("python3"), async (t) => {
  const url = await fakeSerialHost(t, hostOf(said));
  const { instance, secrets } = await readFrom(smartOs, { url });
  t.match(instance, { ...expected, datasource: { place: url } });
  t.equal(Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString(), userData);
});

t.test("SmartOS: a line that ends, or loses a character, is taken up again", async (t) => {
  const gone: FakeHost = (received, connection) =>
    connection === 1 ? "end" : hostOf(said)(received, connection);
  const noisy = hostOf(said, (body, connection) =>
    connection < 3 && body.includes("GET") ? "V2 4 00000000 lost\n" : undefined,
  );
  for (const host of [gone, noisy]) {
    const url = await fakeSocketHost(t, host);
    const { instance, attempts = [] } = await readFrom(smartOs, { url });
    t.match(instance, expected);
    t.match(attempts[0], { status: null }, "and that is told");
  }
});

t.test("SmartOS: malformed", async (t) => {
  const other = (body: string) => frameOf(`00000000 SUCCESS ${body.split(" ")[2]}`);
  const wrong: Readonly<Record<string, readonly [FakeHost, RegExp]>> = {
    "version 1": [
      hostOf(said, (body) => (body === "NEGOTIATE" ? "invalid command\n" : undefined)),
      /version 2/,
    ],
    "no frame": [
      hostOf(said, (body) => (body === "NEGOTIATE" ? undefined : "SUCCESS\n")),
      /a frame was expected/,
    ],
    "a wrong checksum": [
      hostOf(said, (body) =>
        body === "NEGOTIATE" ? undefined : other(body).replace(/ \w{8} /, " 00000000 "),
      ),
      /length or checksum/,
    ],
    "another's answer": [
      hostOf(said, (body) => (body === "NEGOTIATE" ? undefined : other(body))),
      /the answer to another question/,
    ],
    "no id": [hostOf({ ...said, "sdc:uuid": "" }), /sock: sdc:uuid: answered with nothing$/],
    "interfaces that are no JSON": [hostOf({ ...said, "sdc:nics": "{" }), /sdc:nics: no JSON/],
    "user-data that is no base64": [
      hostOf({ ...said, base64_keys: "x,cloud-init:user-data" }),
      /cloud-init:user-data: base64/,
    ],
  };
  for (const [what, [host, message]] of Object.entries(wrong)) {
    const url = await fakeSocketHost(t, host);
    const code = /^datasource\/(?:malformed|unreachable)$/; // the latter where no frame is right
    await t.rejects(readFrom(smartOs, { url }), { code, message }, what);
  }
});

t.test("SmartOS: a host that is silent, or not there, ends with the budget", async (t) => {
  const silent = await fakeSocketHost(t, () => "");
  const reads = [silent, "unix:/nowhere", "serial:/nowhere"].map((url) =>
    t.rejects(readFrom(smartOs, { url }, { budgetMs: 300 }), {
      ...{ code: "datasource/unreachable", message: /within 300 ms/ },
    }),
  );
  await Promise.all(reads);
});

t.test("SmartOS: what is encoded, and what is not run", async (t) => {
  const encoded = {
    ...{ "sdc:uuid": uuid, base64_all: "true", "user-script": "canary" },
    "cloud-init:user-data": Buffer.from(userData).toString("base64"),
  };
  const url = await fakeSocketHost(t, hostOf(encoded));
  const { instance, secrets, findings } = await readFrom(smartOs, { url });
  t.match(instance, { hostname: uuid, networkConfig: null });
  t.equal(Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString(), userData);
  t.match(findings, [{ document: "user-script", code: "datasource/not-read" }]);
  t.notMatch(JSON.stringify([instance, findings]), /canary/);
});

t.test("SmartOS: one value may be encoded by a key of its own", async (t) => {
  const encoded = Buffer.from(userData).toString("base64");
  const given = async (more: Readonly<Record<string, string>>) => {
    const values = { "sdc:uuid": uuid, "cloud-init:user-data": encoded, ...more };
    const url = await fakeSocketHost(t, hostOf(values));
    const { secrets } = await readFrom(smartOs, { url });
    return Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString();
  };
  const key = "b64-cloud-init:user-data";
  t.equal(await given({ [key]: "true" }), userData);
  t.equal(await given({ [key]: "false" }), encoded);
  t.equal(await given({ [key]: "false", base64_keys: "cloud-init:user-data" }), encoded);
  t.equal(await given({ "b64-sdc:vendor-data": "true" }), encoded, "of another value");
});

t.test("whatever a host says is an answer or a fault", async (t) => {
  const piece = fc.constantFrom(
    "V2",
    " ",
    "SUCCESS",
    "NOTFOUND",
    "00000000",
    "22",
    "=",
    "YQ==",
    "é",
  );
  const answer = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  const property = fc.asyncProperty(answer, async (said) => {
    const lines = ["V2_OK", said];
    const line = {
      isSerial: false,
      write: async () => {},
      readLine: async () => lines.shift() ?? "",
      close: () => {},
    };
    const talk = await speakSmartOs(line);
    await t.rejects(talk.get("x"), { code: "datasource/malformed" }, said);
  });
  await fc.assert(property, { numRuns: 100 });
});

t.test("a frame has the length and the checksum of its body", async (t) => {
  t.equal(frameOf("123456789"), "V2 9 cbf43926 123456789\n");
});
