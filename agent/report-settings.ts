import { prettyJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { CredentialFile } from "#provisioner/render/base.ts";
import { type LinkSettings, readLinkSettings } from "./link/link-settings.ts";
import { credentialsDirectory } from "./secrets/credential-store.ts";
import { settingsFile } from "./settings.ts";

const directory = "/var/lib/firstlight/report";
/**
 * What the boot leaves for the network side: where to report; no secret in it. It lies on the root
 * side, which reads it too: the network side must not choose which file root sends as a password.
 */
export const reportSettingsFile = `${directory}/report.json`;
const caFile = `${directory}/ca.pem`;

interface ReportRecord {
  readonly v: 1;
  readonly instanceId: string;
  readonly report: NonNullable<Settings["report"]>;
  /** Credential that holds the broker's password. */
  readonly password: ReportPassword | null;
}

/** How the credential is read; its length is nobody's business. */
type ReportPassword = Pick<CredentialFile, "name" | "file" | "encrypted">;

/** What a boot knows about reporting. */
export interface ReportInput {
  readonly instanceId: string;
  readonly spec: Spec["report"];
  readonly settings: Settings["report"];
  readonly credentials: ReadonlyMap<string, CredentialFile>;
}

/**
 * Writes where to report, the spec's word before the settings'. Where neither names a broker what an
 * earlier one said is forgotten.
 */
export function writeReportSettings(io: Io, input: ReportInput): void {
  const { spec, settings } = input;
  const { password, ca, ...mqtt } = spec?.mqtt ?? {};
  const fromSpec = spec?.mqtt !== undefined;
  const { mqtt: _mqtt, ...address } = spec ?? {};
  const report = {
    ...settings,
    ...address,
    ...(fromSpec ? { mqtt: { ...mqtt, host: spec.mqtt?.host ?? "" } } : {}),
  };
  if (report.mqtt === undefined) {
    io.files.remove(reportSettingsFile);
    return;
  }
  if (ca !== undefined) {
    writeOther(io, caFile, ca);
    Object.assign(report.mqtt, { caFile });
  }
  const file = password === undefined ? undefined : input.credentials.get(password.secretRef);
  const record: ReportRecord = {
    v: 1,
    instanceId: input.instanceId,
    report,
    password: file === undefined ? null : readAs(file),
  };
  writeOther(io, reportSettingsFile, prettyJson(record));
}

/** Nothing where it already stands there. */
function writeOther({ files }: Io, path: string, text: string): void {
  if (files.readText(path) !== text) files.write(path, text, { mode: 0o644 });
}

function readAs({ name, file, encrypted }: CredentialFile): ReportPassword {
  return { name, file, encrypted };
}

/** How to reach the broker, as the last boot left it; `undefined` where nobody named one. */
export async function loadLinkSettings(
  io: Io,
  settings: Settings,
): Promise<LinkSettings | undefined> {
  const record = readRecord(io.files);
  const link = readLinkSettings(io.files, record?.report ?? settings.report, record?.instanceId);
  if (link === undefined || record === undefined || record.password === null) return link;
  return { ...link, password: new Secret(await readPassword(io, record.password)) };
}

/** Changes when {@link loadLinkSettings} would say something else. */
export function linkSettingsVersion(files: Files): string {
  const read = (file: string) => files.readText(file, { maxBytes: 1024 * 1024 }) ?? "";
  return sha256([reportSettingsFile, caFile, settingsFile].map(read).join("\0"));
}

function readRecord(files: Files): ReportRecord | undefined {
  const text = files.readText(reportSettingsFile, { maxBytes: 256 * 1024 });
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as ReportRecord;
    if (record.v === 1) return record;
  } catch (cause) {
    throw new Fault("link/settings-invalid", `${reportSettingsFile}: not JSON`, { cause });
  }
  throw new Fault("link/settings-invalid", `${reportSettingsFile}: expected version 1`);
}

/** As systemd hands it to the unit, else (as root, without the unit) from the credential itself. */
async function readPassword(io: Io, file: ReportPassword): Promise<string> {
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
