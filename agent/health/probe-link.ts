import { sha256 } from "#core/canonical-json.ts";
import type { Io } from "#core/io.ts";
import { createLog } from "#core/log.ts";
import { type Connector, connector } from "../link/client.ts";
import { type LinkSettings, settingsOfBrokers } from "../link/link-settings.ts";
import type { ProbeResult } from "./probe.ts";

/** Looks at the link that these settings describe. */
export type LinkProbe = (settings: LinkSettings, signal: AbortSignal) => Promise<ProbeResult>;

/**
 * Whether a broker answers: name, TCP, TLS, CONNECT and its password, as a visitor beside the
 * agent who leaves nothing behind; of several the first that does is enough. A broker that lets every
 * node in under its own client id only never answers: it was not reachable before a change either, and
 * so is not asked for.
 */
export function linkProbe(io: Io): LinkProbe {
  const log = createLog(io.clock, () => {}); // the message is all that is told
  // What is remembered is how these brokers speak, with exactly these settings.
  let known: { readonly key: string; readonly visitors: readonly Visitor[] } | undefined;
  return async (settings, signal) => {
    const key = keyOf(settings);
    if (known?.key !== key) {
      const visitors = settingsOfBrokers(settings).map((each) => visitor(io, log, each));
      known = { key, visitors };
    }
    const reasons: string[] = [];
    for (const { where, connect } of known.visitors) {
      try {
        const session = await connect.connect({ will: null, onMessage: async () => {}, signal });
        await session.end();
        return { passed: true, message: `link ${where}: the broker answers` };
      } catch (error) {
        reasons.push(error instanceof Error ? error.message : String(error));
        if (signal.aborted) break;
      }
    }
    return { passed: false, message: `link: ${reasons.join("; ")}` };
  };
}

/** How to look at one broker. */
interface Visitor {
  readonly where: string;
  readonly connect: Connector;
}

/** Differs with anything that a connection is made with. */
function keyOf({ password, proxy, ...rest }: LinkSettings): string {
  const { password: proxyPassword, ...through } = proxy ?? {};
  const secrets = [password?.reveal(), proxyPassword?.reveal()];
  return sha256(JSON.stringify([rest, through, secrets]));
}

function visitor(io: Io, log: ReturnType<typeof createLog>, settings: LinkSettings): Visitor {
  const { clientId, host, port } = settings;
  const connect = connector(io, log, { ...settings, clientId: `${clientId}-trial` });
  return { where: `${host}:${port}`, connect };
}
