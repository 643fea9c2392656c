import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { FoundCredential } from "./find-credentials.ts";

const deadlineMs = 20_000;

/** The bytes of a credential; systemd-creds decrypts one that is encrypted. Throws `secret/decrypt-failed`. */
export async function readCredential(
  io: Io,
  { name, value, sealedFile }: FoundCredential,
): Promise<Uint8Array> {
  if (value !== undefined) return value;
  const { code, signal, stdout, stderr } = await io.exec({
    file: "systemd-creds",
    args: [
      ...["decrypt", `--name=${name}`, "--transcode=base64"],
      ...[io.files.hostPath(sealedFile ?? ""), "-"],
    ],
    timeoutMs: deadlineMs,
  });
  if (code === 0) return Buffer.from(stdout, "base64");
  const said = stderr.trim().split("\n").at(-1) ?? "";
  throw new Fault(
    "secret/decrypt-failed",
    `${sealedFile}: systemd-creds ended with ${code ?? signal}: ${said}`,
  );
}
