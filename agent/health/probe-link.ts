import type { Io } from "#core/io.ts";
import { createLog } from "#core/log.ts";
import { type Connector, connector } from "../link/client.ts";
import type { LinkSettings } from "../link/link-settings.ts";
import type { ProbeResult } from "./probe.ts";

/** Where the node reports; `undefined` where nobody has named a broker. */
export type ReadLinkSettings = () => Promise<LinkSettings | undefined>;

/**
 * Whether the broker answers: name, TCP, TLS, CONNECT and its password, as a visitor beside the
 * agent who leaves nothing behind. A broker that lets every node in under its own client id only
 * never answers: it was not reachable before a change either, and so is not asked for.
 */
export function linkProbe(
  io: Io,
  readSettings: ReadLinkSettings,
): (signal: AbortSignal) => Promise<ProbeResult> {
  const log = createLog(io.clock, () => {}); // the message is all that is told
  let known: { readonly where: string; readonly connect: Connector } | undefined;
  return async (signal) => {
    const settings = await readSettings();
    if (settings === undefined) return { passed: false, message: "link: no broker is named" };
    const where = `${settings.host}:${settings.port}`;
    if (known?.where !== where) known = { where, connect: visitor(io, log, settings) };
    try {
      const session = await known.connect.connect({
        will: null,
        onMessage: async () => {},
        signal,
      });
      await session.end();
      return { passed: true, message: `link ${where}: the broker answers` };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { passed: false, message: `link: ${reason}` };
    }
  };
}

function visitor(io: Io, log: ReturnType<typeof createLog>, settings: LinkSettings): Connector {
  return connector(io, log, { ...settings, clientId: `${settings.clientId}-trial` });
}
