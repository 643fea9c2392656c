import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { NodeAddress } from "#protocol/topics.ts";
import type { ReportRecord } from "#provisioner/render/generation-record.ts";
import { readGenerationRecord } from "#provisioner/system/read-generation-record.ts";
import { readEnrolment } from "./enroll/install.ts";
import { type LinkSettings, readLinkSettings } from "./link/link-settings.ts";
import { credentialsDirectory } from "./secrets/credential-store.ts";
import { settingsFile } from "./settings.ts";

const directory = "/var/lib/firstlight/report";
/**
 * What the boot leaves for the network side: where to report; no secret in it. It lies on the root
 * side, which reads it too: the network side must not choose which file root sends as a password.
 */
export const reportSettingsFile = `${directory}/place.json`;
/**
 * The same as it was left before a generation said it. Agents of older generations read this one, and
 * no other version of it: it stays as it was, so that a way back to such a generation reports where that
 * did.
 */
const olderFile = `${directory}/report.json`;

/** Where to report while no generation says it, with its version. */
export interface ReportFile extends ReportRecord {
  readonly v: 2;
}

/** What {@link olderFile} holds: settings that the spec's word is in already. */
interface OlderReportFile {
  readonly v: 1;
  readonly instanceId: string;
  readonly report: NonNullable<Settings["report"]>;
  readonly password: ReportRecord["password"];
}

/**
 * How to reach the broker, `undefined` where nobody names one: as the generation that runs says it, so
 * that it is tried and taken back with it; of one that is older than that, as it was left then; else as
 * the last boot left it. The spec's word comes before the settings'.
 */
export async function loadLinkSettings(
  io: Io,
  settings: Settings,
): Promise<LinkSettings | undefined> {
  const running = runningRecord(io.files);
  const older = running === "says nothing" ? readOlder(io.files) : undefined;
  if (older !== undefined) {
    const link = readLinkSettings(io, older.report, older.instanceId);
    return withPassword(io, link, older.password);
  }
  const isSaid = running !== undefined && running !== "says nothing";
  const record = isSaid ? running : readRecord(io.files);
  const { ca, ...mqtt } = record?.spec?.mqtt ?? {};
  const { mqtt: named, ...address } = record?.spec ?? {};
  const report = {
    ...enrolledAs(io.files),
    ...settings.report,
    ...address,
    ...(named === undefined
      ? {}
      : { mqtt: { ...ofThisPlace(settings.report?.mqtt, named.tls), ...mqtt, host: named.host } }),
  };
  const link = readLinkSettings(io, report, record?.instanceId, ca);
  return named === undefined ? link : withPassword(io, link, record?.password);
}

/** Names that the fleet gave the node with its certificate, where no person has said others. */
function enrolledAs(files: Files): { readonly node?: string; readonly fleet?: string } {
  const { node, fleet } = readEnrolment(files) ?? {};
  return { ...(node && { node }), ...(fleet && { fleet }) };
}

/**
 * What the settings say of the node and of the network it is in, and no document can say: it holds for
 * the broker of a document as well. A certificate goes with TLS only.
 */
function ofThisPlace(mqtt: NonNullable<Settings["report"]>["mqtt"], tls = false) {
  const { proxy, keepAlive, tlsMinimum, certFile, keyFile } = mqtt ?? {};
  return {
    ...(proxy === undefined ? {} : { proxy }),
    ...(keepAlive === undefined ? {} : { keepAlive }),
    ...(tlsMinimum === undefined ? {} : { tlsMinimum }),
    ...(tls && certFile !== undefined ? { certFile } : {}),
    ...(tls && keyFile !== undefined ? { keyFile } : {}),
  };
}

/**
 * Which node of which fleet this is, as {@link loadLinkSettings} says it, also where no broker is named;
 * `undefined` as long as the node has no name.
 */
export function readNodeAddress(files: Files, settings: Settings): NodeAddress | undefined {
  const running = runningRecord(files);
  const older = running === "says nothing" ? readOlder(files) : undefined;
  const isSaid = running !== undefined && running !== "says nothing";
  const record = isSaid ? running : readRecord(files);
  const said = older?.report ?? { ...enrolledAs(files), ...settings.report, ...record?.spec };
  const node = said.node ?? older?.instanceId ?? record?.instanceId;
  return node === undefined ? undefined : { fleet: said.fleet ?? "default", node };
}

/** Whether what says where to report wants the node's public ssh host keys told there too. */
export function tellsHostKeys(files: Files): boolean {
  const running = runningRecord(files);
  const record = running === undefined ? readRecord(files) : running;
  return record !== undefined && record !== "says nothing" && record.spec?.hostKeys === true;
}

async function withPassword(
  io: Io,
  link: LinkSettings | undefined,
  password: ReportRecord["password"] | undefined,
): Promise<LinkSettings | undefined> {
  if (link === undefined || password == null) return link;
  return { ...link, password: new Secret(await readPassword(io, password)) };
}

/** What the system that runs says; `undefined` of one that firstlight did not make. */
function runningRecord(files: Files): ReportRecord | "says nothing" | undefined {
  const running = readGenerationRecord(files, "/run/current-system");
  if (running === undefined || running === "unreadable") return undefined;
  // One of before this was part of it has no such field.
  return (running.report as ReportRecord | undefined) ?? "says nothing";
}

/** Where older generations report; `undefined` where that was never left, or cannot be read. */
function readOlder(files: Files): OlderReportFile | undefined {
  try {
    const text = files.readText(olderFile, { maxBytes: 256 * 1024 }) ?? "null";
    const record = JSON.parse(text) as OlderReportFile | null;
    return record?.v === 1 && typeof record.report === "object" ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Changes when {@link loadLinkSettings} would say something else, and not with a generation that reports
 * where the one before it did.
 */
export function linkSettingsVersion(files: Files): string {
  const read = (file: string) => files.readText(file, { maxBytes: 1024 * 1024 }) ?? "";
  const running = runningRecord(files);
  const isSaid = running !== undefined && running !== "says nothing";
  const left = running === undefined ? [reportSettingsFile] : [olderFile, reportSettingsFile];
  const where = isSaid ? canonicalJson(running) : left.map(read).join("\0");
  const enrolled = canonicalJson(enrolledAs(files));
  return sha256([where, read(settingsFile), enrolled].join("\0"));
}

function readRecord(files: Files): ReportFile | undefined {
  const text = files.readText(reportSettingsFile, { maxBytes: 256 * 1024 });
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as ReportFile;
    if (record.v === 2) return record;
  } catch (cause) {
    throw new Fault("link/settings-invalid", `${reportSettingsFile}: not JSON`, { cause });
  }
  throw new Fault("link/settings-invalid", `${reportSettingsFile}: expected version 2`, {
    hint: "the next boot writes it",
  });
}

/** As systemd hands it to the unit, else (as root, without the unit) from the credential itself. */
async function readPassword(io: Io, file: NonNullable<ReportRecord["password"]>): Promise<string> {
  const directory = io.env["CREDENTIALS_DIRECTORY"];
  const given =
    directory === undefined
      ? undefined
      : io.files.readText(`${directory}/${file.name}`, { maxBytes: 64 * 1024 });
  if (given !== undefined) return given;
  const path = `${credentialsDirectory}/${file.file}`;
  if (!file.encrypted) {
    const text = io.files.readText(path, { maxBytes: 64 * 1024 });
    if (text !== undefined) return text;
    throw new Fault("link/settings-invalid", `the password of the broker: ${path} does not exist`);
  }
  const result = await io.exec({
    file: "systemd-creds",
    args: ["decrypt", `--name=${file.name}`, io.files.hostPath(path), "-"],
    timeoutMs: 20_000,
  });
  if (result.code === 0) return result.stdout;
  throw new Fault(
    "link/settings-invalid",
    `the password of the broker: ${path} cannot be decrypted here`,
  );
}
