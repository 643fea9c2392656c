/**
 * Attributes of nixpkgs whose licence is not free, of those that servers and desktops ask for; nixpkgs
 * evaluates them only with `allowUnfree`. The list need not be whole: it makes a warning, never more.
 */
const unfree: ReadonlySet<string> = new Set([
  "_1password-cli",
  "_1password-gui",
  "anydesk",
  "boundary",
  "cockroachdb",
  "consul",
  "cudatoolkit",
  "discord",
  "dropbox",
  "elasticsearch",
  "google-chrome",
  "megacli",
  "microsoft-edge",
  "minecraft-server",
  "mongodb",
  "mongodb-ce",
  "ngrok",
  "nomad",
  "nvidia-x11",
  "obsidian",
  "ookla-speedtest",
  "packer",
  "plex",
  "postman",
  "rar",
  "slack",
  "spotify",
  "steam",
  "storcli",
  "sublime4",
  "teamviewer",
  "terraform",
  "unifi",
  "unrar",
  "vagrant",
  "vault",
  "vault-bin",
  "vscode",
  "waypoint",
  "zoom-us",
]);

/** Sets of which everything is not free. */
const unfreeSets: readonly string[] = ["cudaPackages"];

/** Whether an attribute is known for a licence that is not free. */
export function isUnfree(attribute: string): boolean {
  const [set = "", ...inner] = attribute.split(".");
  return unfree.has(attribute) || (inner.length > 0 && unfreeSets.includes(set));
}
