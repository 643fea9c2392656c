import { bootstrap, bootstrapLinkLocal, bootstrapNetwork } from "#agent/bootstrap.ts";
import { lookForLateDisks } from "#agent/datasources/late-disks.ts";
import { NeedsNetwork } from "#agent/datasources/needs-network.ts";
import { localNetwork } from "#agent/datasources/network/choose-network.ts";
import { resolveSpec } from "#agent/resolve-spec.ts";
import { readSettings } from "#agent/settings.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { isFault } from "#core/fault.ts";
import type { Command } from "../command.ts";
import { findContent, offlineTools } from "../node.ts";

/** `firstlight bootstrap` */
export const command: Command = {
  usage: "bootstrap [--root DIR]",
  summary: "Bring up network, keys and name from a local datasource, until the next boot.",
  help: "Started before the network. Does nothing where a generation carries them already. A disk that is\nlate is waited for, up to 5 s, while udev or the kernel is still finding disks.",
  arity: [0, 0],
  async run(invocation) {
    const { io, log, json, out, signal } = invocation;
    const settings = await readSettings(io.files);
    try {
      const done = await bootstrap(io, log, async () => {
        const { datasources } = settings;
        const look = () => findContent(invocation, settings, { offline: true });
        const content = await lookForLateDisks({ io, log, datasources, signal }, look);
        return resolveSpec(content, settings, offlineTools(io));
      });
      if (json) out.data(prettyJson({ v: 1, ...done }));
      return 0;
    } catch (error) {
      if (error instanceof NeedsNetwork) {
        if (error.linkLocal) bootstrapLinkLocal(io, log);
        const said = localNetwork(io.files, settings.networkSources);
        if (said !== undefined) await bootstrapNetwork(io, log, said);
      }
      if (!isFault(error, "datasource/none") && !isFault(error, "datasource/disabled")) throw error;
      log.info("bootstrap.nothing", { why: error.message });
      return 0;
    }
  },
};
