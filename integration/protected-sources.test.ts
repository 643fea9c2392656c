import { readFileSync } from "node:fs";
import { createServer as createPlain, type RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { setDefaultCACertificates } from "node:tls";
import t, { type Test } from "tap";
import { sourceFetcher } from "#agent/fetch-sources.ts";
import { hostClock } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import { httpCourier } from "#provisioner/system/fetch/http-courier.ts";
import { brokerMissing, makeCertificates } from "./brokers.ts";

async function listen(t: Test, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test(
  "an address with https that leads to one with http is not followed",
  { skip: brokerMissing("aedes") },
  async (t) => {
    const { authority, certificate, key } = makeCertificates(t);
    setDefaultCACertificates([readFileSync(authority, "utf8")]);
    const asked: string[] = [];
    const plain = await listen(
      t,
      createPlain((request, response) => {
        asked.push(request.url ?? "");
        response.end("#!/bin/sh\n");
      }),
    );
    const answer: RequestListener = (request, response) => {
      if (request.url === "/there") return void response.end("#cloud-config\n");
      const to = request.url === "/plain" ? `http://127.0.0.1:${plain}/x` : "/there";
      response.writeHead(302, { location: to }).end();
    };
    const options = { cert: readFileSync(certificate), key: readFileSync(key) };
    const secure = await listen(t, createServer(options, answer));
    const pauseMs = (ms: number) => (ms < 30_000 ? 1 : ms); // between tries
    const fetchSources = sourceFetcher({
      log: silentLog,
      clock: { ...hostClock, sleep: (ms, signal) => hostClock.sleep(pauseMs(ms), signal) },
      courier: httpCourier,
    });
    const at = (path: string) => `https://127.0.0.1:${secure}${path}`;
    const found = await fetchSources([at("/plain"), at("/secure")]);
    t.same([...found.keys()], [at("/secure")]);
    t.same(asked, [], "nothing is asked without protection");
  },
);
