import { sha256 } from "#core/canonical-json.ts";
import type { Io } from "#core/io.ts";
import { createLog } from "#core/log.ts";
import { type Connector, connector } from "../link/client.ts";
import type { LinkSettings } from "../link/link-settings.ts";
import type { ProbeResult } from "./probe.ts";

/** Looks at the link that these settings describe. */
export type LinkProbe = (settings: LinkSettings, signal: AbortSignal) => Promise<ProbeResult>;

/**
 * Whether the broker answers: name, TCP, TLS, CONNECT and its password, as a visitor beside the
 * agent who leaves nothing behind. A broker that lets every node in under its own client id only
 * never answers: it was not reachable before a change either, and so is not asked for.
 */
export function linkProbe(io: Io): LinkProbe {
  const log = createLog(io.clock, () => {}); // the message is all that is told
  // What is remembered is how this broker speaks, with exactly these settings.
  let known: { readonly key: string; readonly connect: Connector } | undefined;
  return async (settings, signal) => {
    const key = keyOf(settings);
    if (known?.key !== key) known = { key, connect: visitor(io, log, settings) };
    try {
      const session = await known.connect.connect({
        will: null,
        onMessage: async () => {},
        signal,
      });
      await session.end();
      const where = `${settings.host}:${settings.port}`;
      return { passed: true, message: `link ${where}: the broker answers` };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { passed: false, message: `link: ${reason}` };
    }
  };
}

/** Differs with anything that a connection is made with. */
function keyOf({ host, port, clientId, tls, username, password }: LinkSettings): string {
  return sha256(JSON.stringify([host, port, clientId, tls, username, password?.reveal()]));
}

function visitor(io: Io, log: ReturnType<typeof createLog>, settings: LinkSettings): Connector {
  return connector(io, log, { ...settings, clientId: `${settings.clientId}-trial` });
}
