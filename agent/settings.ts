import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";

/** Where the owner of the image says how firstlight behaves; written by `nixos/module.nix`. */
export const settingsFile = "/etc/firstlight/settings.json";

/** The settings, empty when there is no file. Throws `settings/invalid` with every fault of the file. */
export async function readSettings(files: Files): Promise<Settings> {
  const text = files.readText(settingsFile, { maxBytes: 1024 * 1024 });
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Fault("settings/invalid", `${settingsFile}: not JSON`, { cause: error });
  }
  const { validate } = await import("#generated/agent/settings.validate.js");
  if (validate(value)) return value as Settings;
  const findings = (validate.errors ?? []).map(toFinding);
  const message = findings
    .map((finding) => `${finding.path || "settings"}: ${finding.message}`)
    .join("; ");
  throw new Fault("settings/invalid", `${settingsFile}: ${message}`, { findings });
}

function toFinding(error: { instancePath: string; message?: string | undefined }): Finding {
  return {
    document: settingsFile,
    path: error.instancePath.replace(/^\//, "").replaceAll("/", "."),
    line: null,
    column: null,
    level: "error",
    code: "settings/invalid",
    message: error.message ?? "does not fit",
    hint: null,
  };
}
