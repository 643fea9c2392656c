import { openCredentialStore } from "#agent/secrets/credential-store.ts";
import { ensureIdentity, readIdentity } from "#agent/secrets/node-identity.ts";
import { recipientOf } from "#agent/secrets/open-envelope.ts";
import { readHostKey } from "#agent/secrets/ssh-host-key.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Command } from "../command.ts";

/** `firstlight identity` */
export const command: Command = {
  usage: "identity [--root DIR] [--json]",
  summary: "Print what age seals secrets to so that this machine alone can open them.",
  help: "Its own key, made now where there is none yet, and its ssh host key where it has an Ed25519 one. Either\nis enough: `firstlight identity > node.txt`, and elsewhere `age -a -R node.txt secret > secret.age`.",
  arity: [0, 0],
  async run({ io, out, json }) {
    await ensureIdentity(io, await openCredentialStore(io));
    const key = await readIdentity(io);
    if (key === undefined) throw new Fault("secret/identity-unreadable", "it is gone again");
    const recipient = await recipientOf(key);
    const ssh = readHostKey(io.files)?.publicKey;
    const hostKey = ssh === undefined ? null : `ssh-ed25519 ${Buffer.from(ssh).toString("base64")}`;
    const lines = [recipient, ...(hostKey === null ? [] : [hostKey])];
    out.data(json ? prettyJson({ v: 1, recipient, hostKey }) : lines.join("\n"));
    return 0;
  },
};
