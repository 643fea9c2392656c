// What answers at the addresses of a cloud: its metadata service, names and time.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** Of both families, at every address. */
for (const port of [53, 80, 8080]) {
  const server = createServer((socket) => socket.on("error", () => {}).end("answered"));
  await once(server.listen(port, "::"), "listening");
}
for (const port of [53, 80, 123]) {
  for (const [type, address] of [
    ["udp4", "169.254.169.254"],
    ["udp6", "fd00:ec2::254"],
  ] as const) {
    const socket = createSocket(type);
    socket.on("message", (_message, from) => socket.send("answered", from.port, from.address));
    await new Promise<void>((resolve) => socket.bind(port, address, resolve));
  }
}
console.log("listening");
