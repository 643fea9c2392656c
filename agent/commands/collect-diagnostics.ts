import { prettyJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { type Io, timestamp } from "#core/io.ts";
import type { Executor } from "./executor.ts";

/** Bundles that a fleet has asked for; the newest few. For root. */
export const diagnosticsDirectory = "/var/lib/firstlight/diagnostics";

const keptBundles = 3;
const maxBundleBytes = 4 * 1024 * 1024;

/**
 * Writes a bundle of what firstlight knows of this machine, once per command. It stays here, unless the
 * command names an address, which is signed by a key that is online, at a host that the owner of the image
 * has named.
 */
export const collectDiagnostics: Executor = {
  isQuick: false,
  knows: ["url"],
  async prepare({ arguments: { url } }) {
    if (url === undefined) return { url: null };
    if (typeof url === "string" && isUpload(url)) return { url };
    throw new Fault(
      "command/argument-invalid",
      "url: expected an address with https, and no account in it",
    );
  },
  async carryOut({ command, note }, { io, diagnostics, upload, uploadHosts }) {
    const path = `${diagnosticsDirectory}/${command.id}.json`;
    const text = io.files.readText(path, { maxBytes: maxBundleBytes }) ?? (await write(path));
    const url = note["url"];
    if (typeof url === "string") {
      requireUploadHost(url, uploadHosts, path);
      await upload(url, text);
    }
    return {
      ...{ path, bytes: Buffer.byteLength(text), sha256: sha256(text) },
      uploaded: typeof url === "string",
    };

    async function write(file: string): Promise<string> {
      const made = { v: 1, id: command.id, at: timestamp(io.clock), ...(await diagnostics()) };
      const bundle = prettyJson(made);
      if (Buffer.byteLength(bundle) > maxBundleBytes)
        throw new Fault("command/failed", `the bundle has more than ${maxBundleBytes} bytes`);
      io.files.write(file, bundle, { mode: 0o600 });
      dropOthers(io, file);
      return bundle;
    }
  },
};

function isUpload(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === "https:" && url.username === "" && url.password === "";
}

function requireUploadHost(url: string, hosts: readonly string[], path: string): void {
  const { host } = new URL(url);
  if (hosts.some((each) => URL.parse(`https://${each}`)?.host === host)) return;
  throw new Fault(
    "command/upload-forbidden",
    `${host}: fleet.diagnostics.uploadTo names no such host, so that the bundle stays at ${path}`,
  );
}

function dropOthers({ files }: Io, kept: string): void {
  const others = files
    .list(diagnosticsDirectory)
    .map((name) => `${diagnosticsDirectory}/${name}`)
    .filter((path) => path !== kept)
    .map((path) => ({ path, at: files.stat(path)?.modifiedMs ?? 0 }))
    .sort((one, other) => other.at - one.at);
  for (const { path } of others.slice(keptBundles - 1)) files.remove(path);
}
