import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { type Courier, viaProxy } from "#provisioner/system/fetch/courier.ts";
import { httpCourier } from "#provisioner/system/fetch/http-courier.ts";
import { makeCertificates } from "./brokers.ts";
import { startProxy } from "./fake-proxy.ts";

const never = new AbortController().signal;

async function listen(t: Test, server: http.Server | https.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function read(courier: Courier, url: string, ca: string): Promise<string> {
  const asked = { url, offset: 0, answerMs: 5_000, signal: never, ca };
  const { status, body } = await courier.open(asked);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return `${status} ${Buffer.concat(chunks)}`;
}

t.test("https goes through a tunnel, and the server at its end has to be the one", async (t) => {
  const made = makeCertificates(t);
  const ca = readFileSync(made.authority, "utf8");
  const files = { key: readFileSync(made.key), cert: readFileSync(made.certificate) };
  const unprotected = await listen(
    t,
    http.createServer((_, response) => response.end("anybody's")),
  );
  const port = await listen(
    t,
    https.createServer(files, ({ url }, response) => {
      const location = `http://127.0.0.1:${unprotected}/x`;
      if (url === "/out") response.writeHead(302, { location }).end();
      else response.end("through");
    }),
  );
  const proxy = await startProxy(t, "edge:s3cret");
  const url = `http://127.0.0.1:${proxy.port}`;
  const authorization = `Basic ${Buffer.from("edge:s3cret").toString("base64")}`;
  const courier = viaProxy(httpCourier, { url, authorization });
  const at = `https://localhost:${port}`;
  t.equal(await read(courier, `${at}/file`, ca), "200 through");
  t.same(proxy.asked, [`localhost:${port}`]);
  await t.rejects(read(courier, `${at}/out`, ca), { message: /leads to one with http/ });
  const other = readFileSync(makeCertificates(t).authority, "utf8");
  await t.rejects(read(courier, `${at}/file`, other), /certificate/);
  const stranger = viaProxy(httpCourier, { url });
  await t.rejects(read(stranger, `${at}/file`, ca));
  t.ok(
    proxy.asked.every((to) => to === `localhost:${port}`),
    "nobody was asked straight",
  );
});
