import { sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import { credentialLimitBytes } from "#provisioner/render/credential-limit.ts";
import { instanceScope } from "#provisioner/render/instance-scope.ts";
import type { KeptIncludes } from "./read-parts.ts";
import { encryptCredential, openCredentialStore } from "./secrets/credential-store.ts";
import { decryptCredential } from "./secrets/decrypt-credential.ts";

/** Where documents lie that are included once, by instance; mode 0700. */
export const keptIncludesDirectory = "/var/lib/firstlight/include-once";

const maxBytes = 32 * 1024 * 1024;

/**
 * Documents that were included once for an instance, each a secret like the user-data that names it: encrypted
 * where this machine can, else a root-only file. Those of other instances go with the first one that is kept.
 */
export function keptIncludes(io: Io, instanceId: string): KeptIncludes {
  const scope = instanceScope(instanceId);
  const nameOf = (address: string) => `include-${sha256(address).slice(0, 32)}`;
  const fileOf = (name: string) => `${keptIncludesDirectory}/${scope}/${name}`;
  return {
    async read(address) {
      const name = nameOf(address);
      const sealed = `${fileOf(name)}.cred`;
      if (io.files.stat(sealed) === undefined) return io.files.read(fileOf(name), { maxBytes });
      try {
        return await decryptCredential(io, { name, file: sealed });
      } catch (error) {
        if (error instanceof Fault) return undefined; // it is read anew
        throw error;
      }
    },
    async keep(address, bytes) {
      const name = nameOf(address);
      const { encrypted } = await (await openCredentialStore(io)).protection();
      const isSealed = encrypted && bytes.length <= credentialLimitBytes;
      io.files.makeDirectory(keptIncludesDirectory, { mode: 0o700 });
      for (const other of io.files.list(keptIncludesDirectory)) {
        if (other === scope) continue;
        io.files.remove(`${keptIncludesDirectory}/${other}`, { overwrite: true });
      }
      const data = isSealed ? await encryptCredential(io, name, bytes) : bytes;
      io.files.write(`${fileOf(name)}${isSealed ? ".cred" : ""}`, data, { mode: 0o400 });
    },
  };
}
