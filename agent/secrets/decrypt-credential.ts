import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";

const deadlineMs = 20_000;

/** The bytes of a file that systemd-creds encrypted under this name. Throws `secret/decrypt-failed`. */
export async function decryptCredential(
  io: Io,
  { name, file }: { readonly name: string; readonly file: string },
): Promise<Uint8Array> {
  const host = io.files.hostPath(file);
  const { code, signal, stdout, stderr } = await io.exec({
    file: "systemd-creds",
    args: ["decrypt", `--name=${name}`, "--transcode=base64", host, "-"],
    timeoutMs: deadlineMs,
  });
  if (code === 0) return Buffer.from(stdout, "base64");
  const said = stderr.trim().split("\n").at(-1) ?? "";
  const message = `${file}: systemd-creds ended with ${code ?? signal}: ${said}`;
  throw new Fault("secret/decrypt-failed", message);
}
