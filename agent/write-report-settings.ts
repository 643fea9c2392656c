import { prettyJson } from "#core/canonical-json.ts";
import type { Io } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { CredentialFile } from "#provisioner/render/base.ts";
import { reportRecord } from "#provisioner/render/generation-record.ts";
import { type ReportFile, reportSettingsFile } from "./report-settings.ts";

/** What a boot knows about reporting. */
export interface ReportInput {
  readonly instanceId: string;
  readonly spec: Spec["report"];
  readonly settings: Settings["report"];
  readonly credentials: ReadonlyMap<string, CredentialFile>;
}

/**
 * Writes where to report for as long as no generation runs that says it: on a first boot, and on a
 * system that firstlight did not make. Where neither spec nor settings name a broker what an earlier
 * one said is forgotten.
 */
export function writeReportSettings(io: Io, input: ReportInput): void {
  const { spec: report, settings, instanceId, credentials } = input;
  if (report?.mqtt === undefined && settings?.mqtt === undefined) {
    io.files.remove(reportSettingsFile);
    return;
  }
  const spec: Spec = { version: 1, ...(report === undefined ? {} : { report }) };
  const record = reportRecord({ spec, instanceId, credentials });
  const file: ReportFile = { v: 2, ...record };
  writeOther(io, reportSettingsFile, prettyJson(file));
}

/** Nothing where it already stands there. */
function writeOther({ files }: Io, path: string, text: string): void {
  if (files.readText(path) !== text) files.write(path, text, { mode: 0o644 });
}
