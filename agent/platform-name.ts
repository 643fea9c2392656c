/** Nix's names of processors where they differ from Node's. */
const architectures: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/** What this machine is, as Nix writes it: `x86_64-linux`. The fleet is told it, and releases are held against it. */
export function platformName(): string {
  return `${architectures[process.arch] ?? process.arch}-${process.platform}`;
}
