// Asks a cloud for everything that it has at its addresses, and says what came.

import { createSocket } from "node:dgram";
import { connect } from "node:net";

const patienceMs = 3_000;

function overTcp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: patienceMs });
    socket.on("data", (bytes) => resolve(bytes.toString()));
    socket.on("timeout", () => resolve("silent"));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function overUdp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.on("message", (bytes) => resolve(bytes.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    setTimeout(() => resolve("silent"), patienceMs);
    socket.send("?", port, host);
  });
}

const hosts = { IPv4: "169.254.169.254", IPv6: "fd00:ec2::254" };
const asked = Object.entries(hosts).flatMap(([family, host]) => [
  [`http ${family}`, overTcp(host, 80)] as const,
  [`password ${family}`, overTcp(host, 8080)] as const,
  [`dns-tcp ${family}`, overTcp(host, 53)] as const,
  [`dns ${family}`, overUdp(host, 53)] as const,
  [`ntp ${family}`, overUdp(host, 123)] as const,
]);
const said = await Promise.all(asked.map(async ([what, came]) => [what, await came] as const));
console.log(JSON.stringify(Object.fromEntries(said)));
process.exit();
