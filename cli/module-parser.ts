import type { ParseModule } from "#agent/check-modules.ts";
import { isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";

/** Parses modules of NixOS; one that runs as it is was parsed before. Where there is no Nix, nothing is said. */
export function moduleParser(io: Io): ParseModule {
  return async (text, name) => {
    const running = `/etc/nixos/firstlight/modules/${name}.nix`;
    if (io.files.realPath(running) !== undefined && io.files.readText(running) === text)
      return undefined;
    const { parseNix } = await import("#provisioner/system/parse-nix.ts");
    try {
      return await parseNix(io, text);
    } catch (error) {
      if (isFault(error, "exec/not-found")) return undefined;
      throw error;
    }
  };
}
