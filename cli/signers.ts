import { Fault } from "#core/fault.ts";
import { type Flags, textFlag } from "./command.ts";
import { readInput } from "./read-input.ts";

/** Flag of commands that look at documents away from their node. */
export const signersOption = { signers: { type: "string" } } as const;

/** Of a command's help. */
export const signersHelp =
  "--signers names a file with the public keys that may sign, one a line, as userData.signers in the settings; without it nobody's signature counts.";

/** Lines of public keys, none where no file is named. Throws `cli/bad-input`, `cli/no-file`. */
export async function readSigners(flags: Flags, signal: AbortSignal): Promise<readonly string[]> {
  const file = textFlag(flags, "signers");
  if (file === undefined) return [];
  const bytes = await readInput(file, { signal, maxBytes: 1024 * 1024 });
  const lines = Buffer.from(bytes)
    .toString()
    .split("\n")
    .map((text, index) => ({ text: text.trim(), number: index + 1 }))
    .filter(({ text }) => text !== "" && !text.startsWith("#"));
  const { findNoSigner } = await import("#provisioner/userdata/signed/open-signed.ts");
  const wrong = findNoSigner(lines.map(({ text }) => text));
  if (wrong === undefined && lines.length > 0) return lines.map(({ text }) => text);
  const place = wrong === undefined ? file : `${file}:${lines[wrong]?.number}`;
  throw new Fault("cli/bad-input", `${place}: expected a public key that can sign`, {
    hint: "write lines of `.pub` files: Ed25519, ECDSA (nistp256), RSA from 2048 bits on, or sk-ssh-ed25519",
  });
}
