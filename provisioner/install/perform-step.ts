import { Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { Secret } from "#core/secret.ts";
import { systemPaths } from "#provisioner/system/paths.ts";
import { publishSources } from "#provisioner/system/publish.ts";
import { writeSources } from "#provisioner/system/write-sources.ts";
import type { InstallPlan } from "./plan.ts";
import { type InstallStep, target } from "./steps.ts";

/** What a step works with. */
export interface Performing {
  readonly io: Io;
  readonly plan: InstallPlan;
  readonly passphrase: Secret<string> | null;
  readonly signal?: AbortSignal;
}

/** cryptsetup(8): no permission, which is a passphrase that is wrong. */
const wrongPassphrase = 2;

/** Does one step. Throws `install/step-failed`, `install/passphrase`. */
export async function performStep(
  { io, plan, passphrase, signal }: Performing,
  { id, does, action }: InstallStep,
): Promise<void> {
  switch (action.kind) {
    case "directory":
      io.files.makeDirectory(action.path);
      return;
    case "configuration":
      writeConfiguration(io.files, plan);
      return;
    case "run": {
      const [file, ...args] = action.argv;
      const { input, env, timeoutMs } = action;
      const stdin =
        input === undefined
          ? undefined
          : "text" in input
            ? input.text
            : (passphrase?.reveal() ?? "");
      const result = await io.exec({
        ...{ file, args, timeoutMs, effect: `install ${id}` },
        ...(env === undefined ? {} : { env }),
        ...(stdin === undefined ? {} : { stdin }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (result.code === 0) return;
      const said = result.stderr.trim().split("\n").slice(-5).join("\n");
      if (file === "cryptsetup" && result.code === wrongPassphrase)
        throw new Fault("install/passphrase", `${does}: cryptsetup refuses the passphrase`);
      const how = result.timedOut
        ? `no end within ${timeoutMs / 1000} s`
        : `exit ${result.code ?? result.signal}`;
      throw new Fault(
        "install/step-failed",
        `${does}: ${file}: ${how}${said === "" ? "" : `: ${said}`}`,
      );
    }
  }
}

/** The sources as the node itself keeps them, and what says that this is a NixOS. */
function writeConfiguration(files: Files, { configuration }: InstallPlan): void {
  const sources = `${target}/var/lib/firstlight/sources`;
  const { digest, files: rendered } = configuration;
  writeSources(files, sources, { digest, files: rendered, credentials: [], nixpkgs: null });
  const paths = { ...systemPaths({}), sources, etcNixos: `${target}/etc/nixos` };
  publishSources(files, paths, digest);
  files.write(`${target}/etc/NIXOS`, "");
  files.link("/proc/mounts", `${target}/etc/mtab`);
}
