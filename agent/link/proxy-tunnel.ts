import type { Socket } from "node:net";
import { Fault } from "#core/fault.ts";
import type { ProxySettings } from "./link-settings.ts";
import { closedEarly } from "./until-event.ts";

/** Where to, and through what. */
export interface TunnelOptions {
  readonly proxy: ProxySettings;
  readonly host: string;
  readonly port: number;
  readonly signal: AbortSignal;
}

const maxHeadBytes = 16 * 1024;
const endOfHead = Buffer.from("\r\n\r\n");

/**
 * Asks an HTTP proxy for a tunnel (RFC 9110 section 9.3.6). When it resolves the socket is that of the
 * broker; what it said already can still be read. Throws `link/proxy-refused`, and what the system says.
 */
export async function openTunnel(socket: Socket, options: TunnelOptions): Promise<void> {
  const { proxy, host, port, signal } = options;
  const where = `${proxy.host}:${proxy.port}`;
  const to = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const lines = [`CONNECT ${to} HTTP/1.1`, `Host: ${to}`, ...credentials(proxy)];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const head = await readHead(socket, signal, where);
  const [, status, reason = ""] = /^HTTP\/1\.[01] ([0-9]{3}) ?(.*)/.exec(head) ?? [];
  if (status?.startsWith("2") === true) return;
  if (status === undefined) {
    throw new Fault("link/proxy-refused", `proxy ${where}: what answers there speaks no HTTP`, {
      hint: "name a proxy that takes CONNECT in `report.mqtt.proxy`",
    });
  }
  throw new Fault(
    "link/proxy-refused",
    `proxy ${where}: ${status} ${printable(reason)} for a tunnel to ${to}`,
    { hint: hintFor(status, to) },
  );
}

function credentials({ username, password }: ProxySettings): readonly string[] {
  if (username === undefined) return [];
  const both = Buffer.from(`${username}:${password?.reveal() ?? ""}`).toString("base64");
  return [`Proxy-Authorization: Basic ${both}`];
}

function hintFor(status: string, to: string): string {
  if (status === "407") return "check `username` and `passwordFile` of `report.mqtt.proxy`";
  if (status === "403") return `the proxy must allow CONNECT to ${to}; many allow port 443 only`;
  return "look at the proxy's log";
}

/** The head of the answer; what comes after it stays in the socket. */
async function readHead(socket: Socket, signal: AbortSignal, where: string): Promise<string> {
  signal.throwIfAborted();
  const done = new AbortController();
  try {
    return await new Promise<string>((resolve, reject) => {
      let bytes = Buffer.alloc(0);
      const listen = (name: string, act: (error: Error) => void) => {
        socket.on(name, act);
        done.signal.addEventListener("abort", () => socket.off(name, act));
      };
      const look = () => {
        for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
          bytes = Buffer.concat([bytes, chunk as Buffer]);
        }
        const end = bytes.indexOf(endOfHead);
        if (end >= 0) {
          done.abort();
          const rest = bytes.subarray(end + endOfHead.length);
          if (rest.length > 0) socket.unshift(rest);
          resolve(bytes.subarray(0, end).toString("latin1"));
        } else if (bytes.length > maxHeadBytes) {
          reject(new Fault("link/proxy-refused", `proxy ${where}: its answer has no end`));
        }
      };
      listen("readable", look);
      listen("error", reject);
      listen("end", () => reject(closedEarly()));
      listen("close", () => reject(closedEarly()));
      signal.addEventListener("abort", () => reject(signal.reason), { signal: done.signal });
    });
  } finally {
    done.abort();
  }
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 100);
}
