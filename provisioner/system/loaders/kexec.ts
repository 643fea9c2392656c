import { Fault, isFault } from "#core/fault.ts";
import type { LoaderPlace, OnceLoader } from "./loader.ts";

/**
 * The kernel boots the next one itself, past every loader: whatever resets the machine after that
 * boots the default. https://docs.kernel.org/admin-guide/sysctl/kernel.html#kexec-load-disabled
 */
export const kexec: OnceLoader = {
  name: "kexec",
  needsEntry: false,
  restart: "kexec",
  async probe(place) {
    const why = await unable(place);
    return why === undefined ? { is: "able" } : { is: "unable", why };
  },
  async choose(place, toplevel) {
    const parameters = place.storeFiles.readText(`${toplevel}/kernel-params`) ?? "";
    await load(place, [
      "--load",
      `${toplevel}/kernel`,
      `--initrd=${toplevel}/initrd`,
      `--command-line=init=${toplevel}/init ${parameters.trim()}`.trim(),
    ]);
    if (!isLoaded(place)) {
      throw new Fault("system/boot-once-failed", "kexec: the kernel says that none is loaded");
    }
    return `${toplevel}/kernel`;
  },
  /** The kernel does not say what it has loaded. */
  chose: () => false,
  /** Nor which: what is loaded is unloaded. */
  async forget(place) {
    if (isLoaded(place)) await load(place, ["--unload"]);
  },
};

/** Where NixOS has the program; a service's path need not. */
const program = "/run/current-system/sw/bin/kexec";
const notThere = `${program} is not there (boot.kexec.enable)`;

async function unable({ files, run }: LoaderPlace): Promise<string | undefined> {
  const disabled = files.readText("/proc/sys/kernel/kexec_load_disabled")?.trim();
  if (disabled === undefined) return "this kernel cannot load another one (kexec)";
  if (disabled !== "0") return "kexec is switched off until the next boot (kexec_load_disabled)";
  try {
    const { code, stderr } = await run({ argv: [program, "--version"], timeoutMs: 60_000 });
    if (stderr.startsWith("Failed to find executable")) return notThere; // says systemd-run
    return code === 0 ? undefined : `kexec --version: exit code ${code}`;
  } catch (error) {
    if (!isFault(error)) throw error;
    return notThere;
  }
}

async function load({ run }: LoaderPlace, args: readonly string[]): Promise<void> {
  // The newer of the two calls where the kernel has it: Secure Boot allows no other.
  const { code, stderr } = await run({
    argv: [program, "--kexec-syscall-auto", ...args],
    timeoutMs: 120_000,
    effect: `kexec ${args[0]}`,
  });
  if (code === 0) return;
  const said = stderr.trim().split("\n").at(-1) || `exit code ${code}`;
  throw new Fault("system/boot-once-failed", `kexec ${args[0]}: ${said}`);
}

function isLoaded({ files }: LoaderPlace): boolean {
  return files.readText("/sys/kernel/kexec_loaded")?.trim() === "1";
}
