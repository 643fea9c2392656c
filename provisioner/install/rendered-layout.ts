import { diskoConfiguration } from "./disko.ts";
import { repartDefinitions } from "./repart.ts";
import { sampleLayout, sampleWishes } from "./sample-layouts.ts";
import { stepLines } from "./step-text.ts";
import { installSteps } from "./steps.ts";
import { storageModule } from "./storage-options.ts";

export const sources = { digest: "d".repeat(64) };
export const system = {
  kind: "build",
  nixpkgs: "/nix/store/00000000000000000000000000000000-nixpkgs",
} as const;

/** For tests: everything that a layout is rendered to. */
export function everything(name: string): string {
  const layout = sampleLayout(sampleWishes[name] ?? missing(name));
  return [
    `# ${name}`,
    "## storage.nix",
    storageModule(layout).content,
    "## disko",
    diskoConfiguration(layout),
    ...repartDefinitions(layout).flatMap(({ path, content }) => [`## repart.d/${path}`, content]),
    "## steps",
    ...stepLines(installSteps({ layout, sources, system })),
    "",
  ].join("\n");
}

function missing(name: string): never {
  throw new Error(`no sample ${name}`);
}
