import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { type ConfigDriveSeed, readDrive } from "./config-drive-documents.ts";
import { makeContent } from "./content.ts";
import type { DatasourceContent } from "./datasource.ts";
import { candidatesOf, gone } from "./drive-candidates.ts";
import type { DrivePlaces } from "./drive-places.ts";
import { faultOfAll, findUnread, findUnusable, readFirst } from "./first-readable.ts";

/** What a drive is read as. */
export interface ReadAs {
  /** Name of the datasource. */
  readonly name: string;
  /** Where the drive was found, and what was looked at on the way. */
  readonly places: DrivePlaces;
  readonly evidence: readonly string[];
  readonly defaultInstanceId: string;
}

/**
 * Reads the first drive in OpenStack's layout that can be read. Throws its fault where there is none,
 * and `datasource/none` where its owner does not want it (`dsmode`).
 */
export function readConfigDrive(
  files: Files,
  { name, places, evidence, defaultInstanceId }: ReadAs,
): DatasourceContent {
  const first = readFirst(candidatesOf(files, places, readDrive));
  const { used } = first;
  if (used === undefined) throw faultOfAll(first.problems) ?? gone(name);
  const { seed, ...place } = used;
  refuseUnwanted(seed, place.place);
  return makeContent({
    datasource: { name, ...place, evidence: [...evidence, seed.evidence] },
    metaData: seed.metaData,
    publicKeys: seed.publicKeys,
    documents: seed.documents,
    defaultInstanceId,
    findings: [...findUnusable(first), ...findUnread(first), ...seed.findings],
  });
}

/** `pass` is cloud-init's word for what only writes files and claims nothing. */
function refuseUnwanted({ dsmode }: ConfigDriveSeed, place: string): void {
  if (dsmode !== "disabled" && dsmode !== "pass") return;
  throw new Fault("datasource/none", `${place}: the meta-data says dsmode: ${dsmode}`);
}
