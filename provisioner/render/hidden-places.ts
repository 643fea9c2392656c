import { addFinding, type Concern } from "./assignment.ts";

/** Directories that a running system lives in: a file system that is mounted over one hides it. */
interface HiddenPlace {
  readonly pattern: RegExp;
  /** What lies there, as the subject of a sentence. */
  readonly what: string;
  /** Whether the system goes on without it. */
  readonly level: "error" | "warning";
}

const place = (pattern: string, what: string, level: HiddenPlace["level"] = "error") => ({
  pattern: new RegExp(`^(?:${pattern})$`, "s"),
  what,
  level,
});

/**
 * Those that NixOS mounts in its first stage, from a disk that has what belongs there (`pathsNeededForBoot` in
 * nixos/lib/utils.nix), and what else may not go away while the system runs.
 */
const places: readonly HiddenPlace[] = [
  place("/nix(/.*)?", "the store, and with it every program of the system,"),
  place("/var|/var/lib", "the state of every service, firstlight's credentials among it,"),
  place(
    "/var/lib/(firstlight|firstlight-agent|private)(/.*)?",
    "the state and the credentials of firstlight",
  ),
  place(
    "/var/lib/systemd(/.*)?",
    "the key that the credentials of this machine are encrypted with",
  ),
  place("/var/lib/nixos(/.*)?", "what NixOS knows of the numbers of users and groups"),
  place("/etc", "the configuration of the system"),
  place("/usr|/usr/bin|/bin", "what NixOS has of /usr/bin/env and /bin/sh"),
  place(
    "/run(/(booted-system|credentials|current-system|firstlight|nixos|systemd|udev|wrappers)(/.*)?)?",
    "the system that runs, with all its programs,",
  ),
  place("/boot(/.*)?|/efi", "what the boot loader starts", "warning"),
  place("/var/log(/journal)?", "what was logged until then", "warning"),
];

/**
 * Says of a mount that hides what the system needs, where the machine is not mounted so already; whether it
 * can be taken all the same.
 */
export function checkHidden(concern: Concern, from: readonly string[], path: string): boolean {
  const known = concern.base.platform?.fileSystems ?? [];
  const found = places.find(({ pattern }) => pattern.test(path));
  if (found === undefined || known.some((each) => each.path === path)) return true;
  const isError = found.level === "error";
  const message = isError
    ? `${found.what} would be hidden below what is mounted at ${path}`
    : `${found.what} is hidden below what is mounted at ${path}`;
  const hint =
    path === "/boot" || path.startsWith("/boot/") || path === "/efi"
      ? "declare it in the image's own configuration; where it cannot be mounted, a change is written beside it, and is not booted"
      : "lay the disk out when the machine is installed (disko), and declare it in the image's own configuration; or mount the directory of one service, such as /var/lib/postgresql";
  addFinding(concern, [...from, "path"], found.level, "render/mount-hides", message, hint);
  return !isError;
}
