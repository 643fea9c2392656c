// A broker in a process of its own, so that a test can kill it: node aedes-broker.ts OPTIONS.json
import { readFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";
import { Aedes } from "aedes";
import type { BrokerOptions } from "./brokers.ts";

const file = process.argv[2] ?? "";
const {
  port,
  users,
  tls: files,
} = JSON.parse(readFileSync(file, "utf8")) as BrokerOptions & { readonly port: number };
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
const server =
  files === undefined
    ? net.createServer({ noDelay: true }, broker.handle)
    : tls.createServer(
        { cert: readFileSync(files.certificate), key: readFileSync(files.key) },
        broker.handle,
      );
server.listen(port, "127.0.0.1", () => console.log("listening"));
