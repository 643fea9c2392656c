import type { Io } from "#core/io.ts";
import type { Detection, Observe } from "./datasource.ts";
import { type DrivePlaces, describePlaces, preferPinned } from "./drive-places.ts";
import type { Place } from "./first-readable.ts";
import { findGuestInfoTools, type GuestInfoTool } from "./guestinfo.ts";
import { readIdentity } from "./identity.ts";
import type { Volume } from "./images/volume.ts";
import { findDisks, hasLabel } from "./seed-disks.ts";

const seedDirectory = "/var/lib/cloud/seed/ovf";
const labels = ["OVF-TRANSPORT", "ovf-transport", "OVFENV", "ovfenv", "OVF ENV", "ovf env"];
/** Discs of others that have such a document, or none. */
const otherLabels = /^(?:config-2|cidata|rd_rdfe_stable.*)$/i;
const discNames = /^(?:sr\d+|hd[a-z]+|xvd[a-z]+\d*)$/;
/** One that is larger is no environment. */
const maxDiscBytes = 10 * 1024 * 1024;
const maxBytes = 2 * 1024 * 1024;
const namespace = "http://schemas.dmtf.org/ovf/environment/1";
const azureAsset = "7783-7084-3265-9085-8269-3286-77";

/** A detection that remembers where the environment may be. */
export interface OvfDetection extends Detection {
  readonly places: DrivePlaces;
  readonly guestInfo: readonly GuestInfoTool[];
  /** Whether guestinfo is asked before a seed directory is read. */
  readonly guestInfoFirst?: boolean;
}

/** VMware's guestinfo as a place. */
export const guestInfoPlace: Place = {
  place: "guestinfo.ovfEnv",
  identity: "guestinfo",
  removable: false,
};

/** Names that the document has, as programs that make such discs write them. */
export const ovfEnvName: RegExp = /^ovf[-_]env\.xml$/i;

/** Looks for the environment of this machine; of discs little more than the label is read. */
export function findOvf(io: Io, observe: Observe): OvfDetection | undefined {
  const { files } = io;
  const identity = readIdentity(files);
  if (identity.chassisAssetTag === azureAsset) return undefined; // its disc is Azure's
  const evidence: string[] = [];
  const tell = (observation: string) => {
    evidence.push(observation);
    observe(observation);
  };
  const seed = files.list(seedDirectory).find((name) => ovfEnvName.test(name));
  if (seed !== undefined) tell(`${seedDirectory}: ${seed}`);
  const fits = (volume: Volume, { name, sizeBytes }: { name: string; sizeBytes: number }) =>
    volume.type === "iso9660" &&
    discNames.test(name) &&
    (hasLabel(volume, labels) || (sizeBytes < maxDiscBytes && holdsEnvironment(volume)));
  const places = {
    directories: seed === undefined ? [] : [seedDirectory],
    disks: findDisks(files, { fits, observe: tell }),
  };
  const guestInfo = findGuestInfoTools(io);
  const [first] = describePlaces(places);
  if (first !== undefined) return { ...first, evidence, places, guestInfo };
  const [tool] = guestInfo;
  if (tool === undefined) return undefined;
  tell(`guest of VMware with ${tool.name}`);
  return { ...guestInfoPlace, evidence, places, guestInfo, tentative: true };
}

/** The place first that a node is pinned to: guestinfo too, which is not asked where it is another one. */
export function preferPinnedOvf(detection: OvfDetection, identity: string): OvfDetection {
  const { guestInfo, places } = detection;
  if (identity === guestInfoPlace.identity && guestInfo.length > 0)
    return { ...detection, ...guestInfoPlace, guestInfoFirst: true };
  const isFound = describePlaces(places).some((place) => place.identity === identity);
  return isFound ? { ...preferPinned(detection, identity), guestInfo: [] } : detection;
}

function holdsEnvironment(volume: Volume): boolean {
  if (volume.labels.some((label) => otherLabels.test(label))) return false;
  const entry = volume.list().find(({ name }) => ovfEnvName.test(name));
  const bytes = entry === undefined ? undefined : volume.read(entry.name, maxBytes);
  return bytes !== undefined && Buffer.from(bytes).includes(namespace);
}
