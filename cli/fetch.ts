import { apartFetcher } from "#agent/fetch-apart.ts";
import { sourceFetcher } from "#agent/fetch-sources.ts";
import type { FetchSources } from "#agent/resolve-spec.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { thisProgram } from "./this-program.ts";

/**
 * Reads addresses: as root under systemd those of the network in a child without privileges, else
 * all in this process.
 */
export function openFetcher(io: Io, log: Log): FetchSources {
  const here = sourceFetcher(log);
  const isRoot = io.files.root === "/" && process.geteuid?.() === 0;
  const hasSystemd = io.files.stat("/run/systemd/system")?.kind === "directory";
  if (!isRoot || !hasSystemd) return here;
  const apart = apartFetcher({ io, log, argv: thisProgram("fetch-sources") });
  return async (urls) => {
    const isLocal = (url: string) => url.startsWith("data:");
    const network = urls.filter((url) => !isLocal(url));
    const local = await here(urls.filter(isLocal));
    return network.length === 0 ? local : new Map([...local, ...(await apart(network))]);
  };
}
