import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, readFileSync } from "node:fs";
import type net from "node:net";
import tls from "node:tls";
import t from "tap";
import { defaultLimits, type LinkSettings, readLinkSettings } from "#agent/link/link-settings.ts";
import { Secret } from "#core/secret.ts";
import {
  brokerKinds,
  brokerMissing,
  freePort,
  makeCertificates,
  makeClientCertificate,
  startBroker,
} from "./brokers.ts";
import { startProxy } from "./fake-proxy.ts";
import { connect, makeNode, settingsFor, topics } from "./link-node.ts";

t.setTimeout(60_000);

const message = { topic: topics.of("get"), payload: "{}", qos: 1, retained: false } as const;
const pinOf = (file: string) => {
  const { publicKey } = new X509Certificate(readFileSync(file));
  const key = publicKey.export({ type: "spki", format: "der" });
  return `sha256/${createHash("sha256").update(key).digest("base64")}`;
};

for (const kind of brokerKinds) {
  t.test(kind, { skip: brokerMissing(kind) }, async (t) => {
    const certificates = makeCertificates(t);
    const [own, foreign] = [
      makeClientCertificate(t, certificates, "edge-17"),
      makeClientCertificate(t, makeCertificates(t), "edge-17"),
    ];
    const options = { tls: certificates, asksForCertificate: true, webSocket: true };
    const broker = await startBroker(t, kind, options);
    const node = await makeNode(t);
    const ca = readFileSync(certificates.authority, "utf8");
    const io = { ...node.io, env: { CREDENTIALS_DIRECTORY: "/credentials" } };
    const machine = { ...node, io };
    const give = ({ certificate, key }: typeof own) => {
      io.files.write("/credentials/certificate", readFileSync(certificate));
      io.files.write("/credentials/key", readFileSync(key));
    };
    const identity = { certFile: "credential:certificate", keyFile: "credential:key" };
    const secure = (more: Partial<LinkSettings> = {}, tlsMore: LinkSettings["tls"] = {}) =>
      settingsFor(broker, { tls: { ca, identity, ...tlsMore }, ...more });
    const fails = (settings: LinkSettings) =>
      connect(t, machine, settings)
        .then((session) => session.publish(message))
        .then(
          () => "connected",
          (error: unknown) => error,
        );

    await t.test("a certificate is read for each connection, as it is then", async (t) => {
      t.match(await fails(secure()), {
        code: "link/settings-invalid",
        message: /certFile: \/credentials\/certificate does not exist/,
      });
      give(foreign);
      t.match(await fails(secure()), { code: /^link\/(untrusted|unreachable|lost)$/ });
      give(own);
      t.equal(await fails(secure()), "connected");
      const anonymous = settingsFor(broker, { tls: { ca } });
      t.match(await fails(anonymous), { code: /^link\/(untrusted|unreachable|lost)$/ });
    });

    await t.test("of pinned keys one must be the broker's, or above it", async (t) => {
      for (const file of [certificates.certificate, certificates.authority])
        t.equal(await fails(secure({}, { keyPins: [pinOf(file)] })), "connected");
      const fault = await fails(secure({}, { keyPins: [pinOf(own.certificate)] }));
      t.match(fault, { code: "link/untrusted", message: /none of the broker's keys is pinned/ });
      t.ok((fault as Error).message.includes(pinOf(certificates.certificate)), "it says which");
    });

    await t.test("in a WebSocket, through a proxy, with both", async (t) => {
      const proxy = await startProxy(t, "edge:horse");
      const through = (password: string, port = proxy.port) => ({
        proxy: { host: "127.0.0.1", port, username: "edge", password: new Secret(password) },
      });
      const inWeb = { port: broker.webSocketPort, webSocketPath: "/mqtt" };
      for (const more of [through("horse"), inWeb, { ...inWeb, ...through("horse") }])
        t.equal(await fails(secure(more)), "connected");
      t.same(
        [...new Set(proxy.asked)],
        [`127.0.0.1:${broker.port}`, `127.0.0.1:${broker.webSocketPort}`],
      );

      const refused = await fails(secure(through("wrong")));
      t.match(refused, { code: "link/proxy-refused", message: /: 407 / });
      t.notMatch(JSON.stringify(refused), /wrong/);
      t.match(await fails(secure(through("horse", broker.port))), {
        code: /^link\/(proxy-refused|unreachable)$/,
      });
      t.match(await fails(secure(through("horse", await freePort()))), {
        code: "link/unreachable",
      });
      if (kind === "aedes") {
        t.match(await fails(secure({ ...inWeb, webSocketPath: "/other" })), {
          code: "link/refused",
          message: /\/other: HTTP 400 in place of a WebSocket/,
        });
      }
    });
  });
}

t.test("TLS 1.2 is spoken only where that is said", async (t) => {
  const { authority, certificate, key } = makeCertificates(t);
  const server = tls.createServer({
    cert: readFileSync(certificate),
    key: readFileSync(key),
    maxVersion: "TLSv1.2",
  });
  const protocols: (string | null)[] = [];
  server.on("tlsClientError", () => {});
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {});
    protocols.push(socket.getProtocol());
    socket.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => void server.close());
  const { port } = server.address() as net.AddressInfo;
  const node = await makeNode(t);
  const settings = (more: object) =>
    settingsFor(
      { host: "127.0.0.1", port },
      { tls: { ca: readFileSync(authority, "utf8"), ...more } },
    );
  await t.rejects(connect(t, node, settings({})), {
    code: "link/untrusted",
    hint: /`report.mqtt.tlsMinimum`/,
  });
  t.same(protocols, []);
  await t.rejects(connect(t, node, settings({ minimum: "1.2" })), { code: "link/unreachable" });
  t.same([...new Set(protocols)], ["TLSv1.2"]);
});

t.test(
  "a connection that nobody answers on any more is given up, whatever is sent",
  { skip: brokerMissing("mosquitto") },
  async (t) => {
    const broker = await startBroker(t, "mosquitto");
    const proxy = await startProxy(t);
    const node = await makeNode(t);
    const session = await connect(
      t,
      node,
      settingsFor(broker, {
        proxy: { host: "127.0.0.1", port: proxy.port },
        limits: { ...defaultLimits, keepAliveSeconds: 1 },
      }),
    );
    proxy.goSilent();
    const health = { ...message, qos: 0 } as const;
    let sent = 0;
    while (!session.gone.aborted) {
      await session.publish(health).then(
        () => (sent += 1),
        () => {},
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    t.match(session.gone.reason, { code: "link/lost", message: /keepalive timeout/ });
    t.ok(sent > 5 && sent < 25, `within one and a half times the keep-alive: ${sent} sent`);
  },
);

t.test("what the settings say of certificates, proxies and brokers", async (t) => {
  const { io } = await makeNode(t);
  copyFileSync("/dev/null", io.files.hostPath("/empty"));
  io.files.write("/credentials/mqtt", "horse\n");
  const machine = { ...io, env: { CREDENTIALS_DIRECTORY: "/credentials" } };
  const mqtt = { host: "one.example.org", tls: true } as const;
  const read = (more: object, on: Parameters<typeof readLinkSettings>[0] = machine) =>
    readLinkSettings(on, { mqtt: { ...mqtt, ...more } }, "i-1");
  t.equal(read({ passwordFile: "credential:mqtt" })?.password?.reveal(), "horse");
  t.throws(() => read({ passwordFile: "credential:mqtt" }, io), {
    code: "link/settings-invalid",
    hint: /LoadCredential=/,
  });
  t.throws(() => read({ certFile: "/a" }), { message: /certFile: expected .*keyFile beside it/ });
  t.throws(() => read({ keyFile: "/a" }), { message: /keyFile: expected .*certFile beside it/ });
  t.throws(() => read({ tls: false, certFile: "/a", keyFile: "/b" }), { message: /with TLS only/ });
  t.throws(() => read({ keepAlive: "1s" }), { message: /keepAlive: expected 5s to 65535s/ });
  t.equal(read({ keepAlive: "4m" })?.limits.keepAliveSeconds, 240);
  t.equal(read({})?.limits.keepAliveSeconds, 60);
  t.match(read({ webSocket: "/mqtt" }), { port: 443, webSocketPath: "/mqtt" });
  t.match(read({ webSocket: "/mqtt", tls: false }), { port: 80 });
  t.match(read({ brokers: [{ host: "two.example.org", serverName: "two" }] }), {
    host: "one.example.org",
    others: [{ host: "two.example.org", port: 8883, serverName: "two" }],
  });
  const proxy = { host: "proxy", port: 3128, username: "u", passwordFile: "credential:mqtt" };
  t.equal(read({ proxy })?.proxy?.password?.reveal(), "horse");
});
