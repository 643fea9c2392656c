import type { Tpm } from "#generated/provisioner/facts/facts.ts";
import type { KernelFiles } from "./kernel-files.ts";
import { type Bank, parseTpmLog, type Registers } from "./tpm-log.ts";

const directory = "/sys/class/tpm/tpm0";
const kernelSecurity = "/sys/kernel/security";
const logFile = `${kernelSecurity}/tpm0/binary_bios_measurements`;
const maxLogBytes = 4 * 1024 * 1024;

/** Version of the first TPM, and what its event log is worth; `null` when the kernel shows no TPM. */
export function readTpm(kernel: KernelFiles): Tpm | null {
  if (!kernel.exists(directory)) return null;
  return { version: versionOf(kernel), eventLog: readEventLog(kernel) };
}

function versionOf(kernel: KernelFiles): Tpm["version"] {
  const major = kernel.number(`${directory}/tpm_version_major`);
  if (major === 2) return "2.0";
  // Before Linux 5.6 only a TPM 1.2 showed its capabilities here.
  return major === 1 || kernel.exists(`${directory}/device/caps`) ? "1.2" : null;
}

/**
 * Whether the log explains the registers that the firmware fills (0 to 7). The TPM is asked for them
 * by the kernel, which has a deadline for it; only root comes so far.
 */
function readEventLog(kernel: KernelFiles): Tpm["eventLog"] {
  if (!kernel.exists(logFile)) {
    // Without anything beside it, this file system is not mounted, and says nothing.
    const mounted = (kernel.list(kernelSecurity, 64) ?? []).length > 0;
    return mounted ? "absent" : null;
  }
  const bytes = kernel.bytes(logFile, maxLogBytes);
  if (bytes === null) return null;
  const log = parseTpmLog(bytes);
  if (log === null) {
    kernel.note(logFile, "malformed");
    return null;
  }
  const bank = log.banks.find((name) => hasRegisters(kernel, name));
  if (bank === undefined) {
    kernel.note(`${directory}/pcr-${log.banks[0] ?? "sha1"}`, "failed"); // before Linux 5.12
    return null;
  }
  return sameRegisters(kernel, bank, log.replay(bank));
}

function hasRegisters(kernel: KernelFiles, bank: Bank): boolean {
  return (
    kernel.exists(`${directory}/pcr-${bank}/0`) ||
    (bank === "sha1" && kernel.exists(`${directory}/pcrs`))
  );
}

function sameRegisters(kernel: KernelFiles, bank: Bank, replayed: Registers): Tpm["eventLog"] {
  const old = bank === "sha1" ? readOldRegisters(kernel) : null;
  for (const [register, expected] of replayed) {
    const held =
      old === null ? kernel.value(`${directory}/pcr-${bank}/${register}`) : old.get(register);
    if (held === null || held === undefined) return null;
    if (held.toLowerCase() !== expected.toString("hex")) return "incomplete";
  }
  return "complete";
}

/** A TPM 1.2 has all registers in one file: `PCR-00: 3A 3F …`. */
function readOldRegisters(kernel: KernelFiles): ReadonlyMap<number, string> | null {
  const text = kernel.text(`${directory}/pcrs`);
  if (text === null) return null;
  return new Map(
    [...text.matchAll(/^PCR-([0-9]{2}): ([0-9A-Fa-f ]+)$/gm)].map(([, register, bytes = ""]) => [
      Number(register),
      bytes.replaceAll(" ", ""),
    ]),
  );
}
