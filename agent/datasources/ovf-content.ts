import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Io } from "#core/io.ts";
import type { DatasourceContent, ReadTools } from "./datasource.ts";
import type { Drive } from "./drive.ts";
import { candidatesOf, gone } from "./drive-candidates.ts";
import { describePlaces } from "./drive-places.ts";
import { faultOfAll, findUnread, findUnusable, type Place, readFirst } from "./first-readable.ts";
import { askGuestInfo } from "./guestinfo.ts";
import { instanceContent } from "./instance-content.ts";
import { mergeMetaData } from "./meta-data.ts";
import { readSeedFrom } from "./nocloud-seed-from.ts";
import { type OvfEnvironment, readOvfEnvironment } from "./ovf-environment.ts";
import { guestInfoPlace, type OvfDetection, ovfEnvName } from "./ovf-places.ts";

const maxBytes = 2 * 1024 * 1024;

/** An environment, and where it was. */
interface Found extends Place {
  readonly environment: OvfEnvironment;
  readonly findings: readonly Finding[];
}

/**
 * Reads the environment, and the seed that it names. Throws `datasource/none` where it could only be in
 * guestinfo and is not.
 */
export async function readOvf(
  io: Io,
  { places, guestInfo, guestInfoFirst = false, evidence, tentative }: OvfDetection,
  tools: ReadTools | undefined,
): Promise<DatasourceContent> {
  const comesFirst = guestInfoFirst || places.directories.length === 0;
  const isAsked = comesFirst && guestInfo.length > 0 && tools !== undefined;
  const asked = isAsked ? await askGuestInfo(io, guestInfo, "ovfEnv") : undefined;
  if (asked === undefined && tentative === true) {
    const problem = isAsked ? "the hypervisor says nothing" : "it is read by the boot itself";
    throw new Fault("datasource/none", `guestinfo.ovfEnv: ${problem}`);
  }
  const found = asked === undefined ? readPlaces(io, places) : ofGuestInfo(asked, places);
  const { place, identity, removable, environment } = found;
  const datasource = { name: "OVF", place, identity, removable };
  const { seedFrom, metaData, ...documents } = environment;
  const findings = [...found.findings, ...environment.findings];
  const said = { ...documents, metaData, defaultInstanceId: "iid-dsovf" };
  if (seedFrom === undefined)
    return instanceContent({ datasource: { ...datasource, evidence }, instance: said, findings });
  const { seed, place: seedPlace } = await readSeedFrom(io.files, seedFrom, tools);
  return instanceContent({
    datasource: {
      ...datasource,
      place: `${place}, ${seedPlace}`,
      evidence: [...evidence, seed.evidence],
    },
    instance: {
      ...said,
      ...{ userData: seed.documents.userData, vendorData: seed.documents.vendorData },
      networkConfig: documents.networkConfig ?? seed.documents.networkConfig,
      metaData: mergeMetaData([metaData, seed.metaData.value]),
    },
    findings: [...findings, ...seed.metaData.findings],
  });
}

function ofGuestInfo(text: string, places: OvfDetection["places"]): Found {
  const environment = readOvfEnvironment(Buffer.from(text), guestInfoPlace.place);
  const used = { ...guestInfoPlace, seed: environment };
  const findings = findUnread({ used, problems: [], unread: describePlaces(places) });
  return { ...guestInfoPlace, environment, findings };
}

function readPlaces(io: Io, places: OvfDetection["places"]): Found {
  const first = readFirst(candidatesOf(io.files, places, readDrive));
  if (first.used === undefined) throw faultOfAll(first.problems) ?? gone("OVF");
  const { seed: environment, ...place } = first.used;
  return { ...place, environment, findings: [...findUnusable(first), ...findUnread(first)] };
}

function readDrive(drive: Drive): OvfEnvironment {
  const file = drive.list("").find((name) => ovfEnvName.test(name));
  const bytes = file === undefined ? undefined : drive.read(file, maxBytes);
  if (bytes !== undefined) return readOvfEnvironment(bytes, `${drive.name}: ${file}`);
  throw new Fault("datasource/missing", `${drive.name}: ovf-env.xml was expected, there is none`);
}
