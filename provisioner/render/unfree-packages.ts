/**
 * Attributes of nixpkgs whose licence is not free, of those that servers and desktops ask for, with the
 * names of the packages where these differ: nixpkgs evaluates them only where their names are allowed.
 * The list need not be whole: it makes a warning, never more.
 */
const unfree: ReadonlyMap<string, readonly string[]> = new Map(
  [
    ["_1password-cli", "1password-cli"],
    ["_1password-gui", "1password"],
    ["anydesk"],
    ["boundary"],
    ["cockroachdb"],
    ["consul"],
    ["cudatoolkit", "cuda*", "libcu*", "libnv*", "libnpp*"],
    ["discord"],
    ["dropbox"],
    ["elasticsearch"],
    ["google-chrome"],
    ["megacli", "MegaCli"],
    ["microsoft-edge"],
    ["minecraft-server"],
    ["mongodb"],
    ["mongodb-ce"],
    ["ngrok"],
    ["nomad"],
    ["nvidia-x11"],
    ["obsidian"],
    ["ookla-speedtest"],
    ["packer"],
    ["plex", "plexmediaserver"],
    ["postman"],
    ["rar"],
    ["slack"],
    ["spotify"],
    ["steam", "steam", "steam-original", "steam-unwrapped"],
    ["storcli"],
    ["sublime4", "sublimetext4"],
    ["teamviewer"],
    ["terraform"],
    ["unifi", "unifi-controller"],
    ["unrar"],
    ["vagrant"],
    ["vault"],
    ["vault-bin"],
    ["vscode"],
    ["waypoint"],
    ["zoom-us", "zoom"],
  ].map(([attribute = "", ...names]) => [attribute, names.length === 0 ? [attribute] : names]),
);

/** Sets of which everything is not free, with the names in them. */
const unfreeSets: Readonly<Record<string, string>> = { cudaPackages: "cudatoolkit" };

/** The driver of NVIDIA, with the programs that belong to it. */
export const nvidiaDriver = "nvidia-x11";
export const nvidiaSettings = "nvidia-settings";
export const nvidiaPersistenced = "nvidia-persistenced";

/** Names of what is not free in an attribute, as far as it is known for that; none of one that is free. */
export function unfreeNames(attribute: string): readonly string[] {
  const [set = "", ...inner] = attribute.split(".");
  const known = inner.length > 0 ? (unfreeSets[set] ?? attribute) : attribute;
  return unfree.get(known) ?? [];
}

/** Whether a name is among those that are allowed: one that ends in a star is the beginning of names. */
export function isAllowed(name: string, allowed: readonly string[]): boolean {
  return allowed.some(
    (each) => each === name || (each.endsWith("*") && name.startsWith(each.slice(0, -1))),
  );
}
