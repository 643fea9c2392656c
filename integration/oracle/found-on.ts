import { chooseDatasources } from "#agent/datasources/choose.ts";
import type { Datasource } from "#agent/datasources/datasource.ts";
import { findSwitch } from "#agent/datasources/discover.ts";
import { datasources } from "#agent/datasources/table.ts";
import { isFault } from "#core/fault.ts";
import { hostIo } from "#core/host-io.ts";
import type { Io } from "#core/io.ts";

/** The datasources that are on a machine, also those that are broken. */
export async function foundOn(root: string): Promise<readonly string[]> {
  const io = hostIo({ root, env: { PATH: "/usr/bin:/bin" } });
  const names: string[] = [];
  if (findSwitch(io.files) !== undefined) return names;
  for (const { datasource, forcedBy } of chooseDatasources(io.files, datasources, undefined)) {
    if (typeof datasource === "string") continue;
    if (forcedBy !== undefined || (await isThere(io, datasource))) names.push(datasource.name);
  }
  return names.sort();
}

async function isThere(io: Io, datasource: Datasource): Promise<boolean> {
  try {
    const detection = datasource.detect(io);
    if (detection?.tentative !== true) return detection !== undefined;
    await datasource.read(io, detection, { budgetMs: 1_000, defaultUser: "nixos" });
    return true;
  } catch (error) {
    return !isFault(error, "datasource/none");
  }
}
