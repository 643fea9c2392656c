import t from "tap";
import { fileOf, plainFacts, tryRender } from "./try-render.ts";

const gibibyte = 1024 ** 3;

/** Size of the swap file of a machine with so much memory. */
function sizeFor(memoryBytes: number, maxMiB?: number): string | undefined {
  const wish = { device: "/swap.img", size: "auto" as const, ...(maxMiB && { maxMiB }) };
  const result = tryRender({ swap: [wish] }, { facts: { ...plainFacts, memoryBytes } });
  t.strictSame(result.findings, []);
  return /size = ([0-9]+);/.exec(fileOf(result, "firstlight/instance.nix"))?.[1];
}

t.test("swap is as large as suits the memory", async (t) => {
  t.equal(sizeFor(gibibyte), "1024");
  t.equal(sizeFor(gibibyte - 40_000_000), "1024");
  t.equal(sizeFor(8 * gibibyte), "4096");
  t.equal(sizeFor(64 * gibibyte), "8192");
  t.equal(sizeFor(8 * gibibyte, 512), "512");
});

t.test("nothing is mounted over what the system lives in", async (t) => {
  const said = (path: string, base = {}) => {
    const result = tryRender({ mounts: [{ device: "/dev/vdb1", path, type: "ext4" }] }, { base });
    const isMounted = fileOf(result, "firstlight/instance.nix").includes("fileSystems");
    const [finding] = result.findings;
    t.equal(isMounted, finding?.level !== "error", path);
    return finding === undefined ? "nothing" : `${finding.level} ${finding.code} ${finding.path}`;
  };
  const refused = "error render/mount-hides mounts.0.path";
  for (const path of `/nix /nix/ //nix/store /nix/var /var /var/lib /var/lib/firstlight/credentials /var/lib/private
    /var/lib/systemd /var/lib/nixos /etc /usr /usr/bin /bin /run /run/wrappers /run/firstlight`.split(
    /\s+/,
  ))
    t.equal(said(path), refused, path);
  for (const path of ["/boot", "/boot/efi", "/efi", "/var/log"])
    t.equal(said(path), "warning render/mount-hides mounts.0.path", path);
  for (const path of `/home /data /srv /tmp /opt /root /mnt /var/tmp /var/cache /var/lib/docker /var/log/app /var/www
    /etc/app /usr/local /run/media /nixos /varied /var/lib/firstlights`.split(/\s+/))
    t.equal(said(path), "nothing", path);
  const own = { path: "/var", device: "/dev/disk/by-uuid/0002", type: "ext4", options: [] };
  const root = { ...own, path: "/", device: "/dev/disk/by-uuid/0001" };
  const platform = {
    ...{ fileSystems: [root, own], swaps: [], left: [] },
    ...{ bootLoader: "systemd-boot" as const, esp: null },
  };
  t.equal(said("/var", { platform }), "nothing", "where it is mounted so already");
});

t.test("what is on a device stays: only NixOS's own word for it is used", async (t) => {
  const mount = { device: "/dev/vdb1", path: "/a", type: "ext4" };
  const text = (more: object) =>
    fileOf(tryRender({ mounts: [{ ...mount, ...more }] }), "firstlight/instance.nix");
  t.match(text({ format: true }), /autoFormat = true;/);
  t.match(text({ format: false }), /autoFormat = false;/);
  t.notMatch(text({}), /autoFormat/);
});
