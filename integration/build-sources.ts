import { sha256 } from "#core/canonical-json.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import type { ChangeReason } from "#provisioner/system/system.ts";

/** Why tests build. */
export const buildReason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };

/** Sources of a small system with one file that tells it apart. */
export function smallSources(motd: string, more = ""): Sources {
  const entry = "{ ... }:\n{\n  imports = [ ./firstlight/instance.nix ];\n}\n";
  const instance = `{ lib, pkgs, ... }:
{
  networking.hostName = "edge";
  boot.isContainer = true;
  environment.etc."motd".text = ${JSON.stringify(motd)};
  ${more}
  system.stateVersion = "25.11";
}
`;
  const files = [
    { path: "configuration.nix", content: entry, mode: 0o644 },
    { path: "firstlight/instance.nix", content: instance, mode: 0o644 },
  ];
  return { digest: sha256(instance), files, credentials: [], nixpkgs: null };
}

/** An option whose value is built by a script of its own, as the derivation `x`. */
export function builderOption(script: string): string {
  const text = JSON.stringify(script).replaceAll("${", "\\${");
  return `environment.etc."x".source = derivation { name = "x"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" ${text} ]; };`;
}
