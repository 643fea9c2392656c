// A broker in a process of its own, so that a test can kill it: node aedes-broker.ts OPTIONS.json
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { Aedes } from "aedes";
import { createWebSocketStream, WebSocketServer } from "ws";
import type { BrokerOptions } from "./brokers.ts";

const file = process.argv[2] ?? "";
const {
  port,
  webSocketPort,
  users,
  tls: files,
  asksForCertificate = false,
} = JSON.parse(readFileSync(file, "utf8")) as BrokerOptions & {
  readonly port: number;
  readonly webSocketPort: number;
};
const broker = await Aedes.createBroker({
  ...(users === undefined
    ? {}
    : {
        authenticate: (_client, user, password, done) => {
          if (user !== undefined && users[user] === password?.toString()) done(null, true);
          else
            done(Object.assign(new Error("bad user name or password"), { returnCode: 4 }), false);
        },
      }),
});
const secure =
  files === undefined
    ? undefined
    : {
        cert: readFileSync(files.certificate),
        key: readFileSync(files.key),
        ca: readFileSync(files.authority),
        requestCert: asksForCertificate,
      };
const server =
  secure === undefined
    ? net.createServer({ noDelay: true }, broker.handle)
    : tls.createServer(secure, broker.handle);
if (webSocketPort !== 0) {
  const web = secure === undefined ? http.createServer() : https.createServer(secure);
  new WebSocketServer({ server: web, path: "/mqtt" }).on("connection", (socket, request) =>
    broker.handle(createWebSocketStream(socket) as never, request),
  );
  await new Promise<void>((resolve) => web.listen(webSocketPort, "127.0.0.1", resolve));
}
server.listen(port, "127.0.0.1", () => console.log("listening"));
