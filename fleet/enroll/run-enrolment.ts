import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { type Authority, keyPem, newKey } from "./authority.ts";
import { serveEnrolment } from "./https-server.ts";
import { enrolmentFiles, openEnrolment } from "./open-enrolment.ts";
import { peerPace } from "./peer-pace.ts";

/** What running needs. */
export interface RunOptions {
  readonly io: Io;
  readonly log: Log;
  readonly directory: string;
  /** Ends it. */
  readonly signal: AbortSignal;
}

const dayMs = 24 * 3_600_000;
const renewServerMs = 60 * dayMs;
const defaultPort = 8443;

/** Runs the enrolment server until the signal; `onListening` is told the port. */
export async function runEnrolment(
  { io, log, directory, signal }: RunOptions,
  onListening: (port: number) => void,
): Promise<void> {
  const deps = openEnrolment(io, directory);
  try {
    const { url, listen } = deps.settings;
    const identity = () => serverIdentity(io, directory, { authority: deps.authority, url });
    const server = await serveEnrolment(
      { ...deps, log, pace: peerPace() },
      { host: listen?.host, port: listen?.port ?? defaultPort, ...identity() },
    );
    onListening(server.port);
    log.info("enroll.listening", { port: server.port });
    try {
      for (; !signal.aborted; ) {
        await io.clock.sleep(dayMs, signal).catch(() => {});
        if (!signal.aborted) server.use(identity());
      }
    } finally {
      await server.close();
    }
  } finally {
    deps.store.close();
  }
}

/** Key and certificate of the server for the host in its address; made anew long before their end. */
function serverIdentity(
  { files, clock }: Io,
  directory: string,
  { authority, url }: { readonly authority: Authority; readonly url: string },
): { readonly key: string; readonly certificate: string } {
  const { serverKey, serverCertificate } = enrolmentFiles(directory);
  const names = [new URL(url).hostname.replace(/^\[|\]$/g, "")];
  const there = files.readText(serverCertificate);
  const key = files.readText(serverKey);
  if (there !== undefined && key !== undefined && isGood(there, { key, names, nowMs: clock.now() }))
    return { key, certificate: there };
  const made = newKey("p256");
  const order = { names, publicKey: createPublicKey(made), nowMs: clock.now() };
  const { pem } = authority.issueServer(order);
  // The certificate comes last: without a fitting key both are made again.
  files.write(serverKey, keyPem(made), { mode: 0o600 });
  files.write(serverCertificate, pem, { mode: 0o644 });
  return { key: keyPem(made), certificate: pem };
}

interface ServerCheck {
  readonly key: string;
  readonly names: readonly string[];
  readonly nowMs: number;
}

function isGood(pem: string, { key, names: [name = ""], nowMs }: ServerCheck): boolean {
  try {
    const certificate = new X509Certificate(pem);
    const isNamed = certificate.checkHost(name) ?? certificate.checkIP(name);
    const isLong = Date.parse(certificate.validTo) > nowMs + renewServerMs;
    return isNamed !== undefined && isLong && certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false; // one of the two is torn
  }
}
