import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Io } from "#core/io.ts";
import type { CloudInstance } from "./cloud.ts";
import type { DatasourceContent, ReadTools } from "./datasource.ts";
import type { Drive } from "./drive.ts";
import { candidatesOf, gone } from "./drive-candidates.ts";
import type { DriveDetection, DriveReader, DriveReading, DriveSource } from "./drive-datasource.ts";
import { faultOfAll, findUnread, findUnusable, readFirst } from "./first-readable.ts";
import { quoted } from "./images/image.ts";
import { instanceContent } from "./instance-content.ts";
import { type Machine, readMachine } from "./machine.ts";

/** Names that a message lists at most. */
const mostNames = 12;

/** What is read, and how. */
export interface ReadDriveContent {
  readonly source: DriveSource;
  readonly detection: DriveDetection;
  readonly tools: ReadTools | undefined;
  readonly read: DriveReader;
}

/** What one drive says. */
interface DriveSeed {
  readonly instance: CloudInstance;
  readonly findings: readonly Finding[];
  readonly evidence: string;
}

/** Reads the first place that can be read. Throws its fault where none can. */
export function readDriveContent(
  io: Io,
  { source: { name }, detection, tools, read }: ReadDriveContent,
): DatasourceContent {
  const machine = readMachine(io, tools);
  const first = readFirst(
    candidatesOf(io.files, detection.places, (drive) => readSeed(drive, machine, read)),
  );
  const { used } = first;
  if (used === undefined) throw faultOfAll(first.problems) ?? gone(name);
  const { seed, ...place } = used;
  return instanceContent({
    datasource: { name, ...place, evidence: [...detection.evidence, seed.evidence] },
    instance: seed.instance,
    findings: [...findUnusable(first), ...findUnread(first), ...seed.findings],
  });
}

function readSeed(drive: Drive, machine: Machine, readInstance: DriveReader): DriveSeed {
  const { name: place } = drive;
  const sizes: string[] = [];
  const findings: Finding[] = [];
  const read = (file: string, maxBytes: number) => {
    const bytes = drive.read(file, maxBytes);
    if (bytes !== undefined) sizes.push(`${file} (${bytes.length} bytes)`);
    return bytes;
  };
  const reading: DriveReading = {
    ...machine,
    place,
    read,
    need(file, maxBytes) {
      const bytes = read(file, maxBytes);
      if (bytes !== undefined) return bytes;
      const names = drive.list("").slice(0, mostNames).map(quoted).join(", ") || "no file";
      throw new Fault("datasource/missing", `${place}/${file} was expected, there is ${names}`);
    },
    malformed: (file, problem) =>
      new Fault("datasource/malformed", `${place}: ${file}: ${problem}`),
    find: (file, about) =>
      void findings.push({ document: file, path: "", line: null, column: null, ...about }),
  };
  const instance = readInstance(reading);
  return { instance, findings, evidence: `${place}: ${sizes.join(", ")}` };
}
