import type { Sources } from "#provisioner/render/sources.ts";
import { arrayPath, devicePath, mapperName, partitionPath } from "./devices.ts";
import type { Layout, LayoutFileSystem, LayoutMount } from "./layout.ts";
import { sfdiskScript } from "./repart.ts";
import { mdUuid } from "./storage-options.ts";

/** Where the new system is put together. */
export const target = "/mnt";
/** The first ESP once more, while it is installed: where the journal of the installation lies. */
export const journalPlace = "/var/lib/firstlight/install/esp";

export const stages = ["partition", "format", "mount", "configure", "system", "boot"] as const;
export type Stage = (typeof stages)[number];

/** One step of an installation, as it stands in the plan: data, and no secret in it. */
export interface InstallStep {
  /** Unlike any other of the plan, and the same for the same layout. */
  readonly id: string;
  readonly stage: Stage;
  /** What it does, for a person. */
  readonly does: string;
  readonly action: StepAction;
  /** Steps that are one: where one of them is not done, all are done again from the first. */
  readonly group?: string;
  /** Of a step that is begun again at each start, because a restart takes it back: when it need not be. */
  readonly again?: Until;
}

export type StepAction =
  | {
      readonly kind: "run";
      readonly argv: readonly [string, ...string[]];
      readonly env?: Readonly<Record<string, string>>;
      /** What it reads: the passphrase, which stands nowhere, or a text. */
      readonly input?: { readonly secret: "passphrase" } | { readonly text: string };
      readonly timeoutMs: number;
    }
  /** Writes the sources of the configuration below {@link target}. */
  | { readonly kind: "configuration" }
  /** Makes a directory. */
  | { readonly kind: "directory"; readonly path: string };

/** What says that a step need not be done again. */
export type Until =
  | { readonly until: "exists"; readonly path: string }
  | { readonly until: "mounted"; readonly path: string }
  /** It costs nothing, and is always done again. */
  | { readonly until: "never" };

const quickMs = 120_000;
const formatMs = 15 * 60_000;
/** A whole system built on a slow machine. */
const buildMs = 6 * 3_600_000;

/** What is installed: built from the sources, or a system that the medium has in its store. */
export type SystemSource =
  | { readonly kind: "build"; readonly nixpkgs: string | null }
  | { readonly kind: "medium"; readonly toplevel: string };

export interface StepsFor {
  readonly layout: Layout;
  readonly sources: Pick<Sources, "digest">;
  readonly system: SystemSource;
}

/** Every step, in order. Pure. */
export function installSteps({ layout, sources, system }: StepsFor): readonly InstallStep[] {
  return [
    ...partitionSteps(layout),
    ...formatSteps(layout),
    ...mountSteps(layout),
    {
      id: "configuration",
      stage: "configure",
      does: "write the configuration",
      action: { kind: "configuration" },
    },
    ...systemSteps(sources.digest, system),
    ...bootSteps(),
  ];
}

type Argv = readonly [string, ...string[]];
type RunAction = Extract<StepAction, { readonly kind: "run" }>;

function run(
  head: Pick<InstallStep, "id" | "stage" | "does" | "again">,
  argv: Argv,
  more: Partial<Pick<RunAction, "input" | "timeoutMs" | "env">> = {},
): InstallStep {
  return { ...head, action: { kind: "run", argv, timeoutMs: quickMs, ...more } };
}

function partitionSteps(layout: Layout): readonly InstallStep[] {
  const stage = "partition";
  return [
    ...(layout.kept === true ? [] : layout.disks).map((disk, index) =>
      run(
        {
          id: `table-${index + 1}`,
          stage,
          does: `write a new partition table to ${disk.binding.id}`,
        },
        [
          "sfdisk",
          "--lock",
          "--wipe",
          "always",
          "--wipe-partitions",
          "always",
          `/dev/disk/by-id/${disk.binding.id}`,
        ],
        { input: { text: sfdiskScript(disk) } },
      ),
    ),
    run(
      {
        id: "settle",
        stage,
        does: "wait for the names of the partitions",
        again: { until: "never" },
      },
      ["udevadm", "settle", "--timeout=60"],
    ),
  ];
}

function formatSteps(layout: Layout): readonly InstallStep[] {
  const stage = "format";
  const esps = layout.fileSystems.filter(({ type }) => type === "vfat");
  const others = layout.fileSystems.filter(({ type }) => type !== "vfat");
  const [first] = esps;
  return [
    ...esps.filter(({ kept }) => kept !== true).map((esp) => makeFileSystem(esp)),
    {
      id: "journal-directory",
      stage,
      does: "make a place for the journal",
      action: { kind: "directory", path: journalPlace },
      again: { until: "exists", path: journalPlace },
    },
    ...(first === undefined
      ? []
      : [
          run(
            {
              ...{ id: "journal", stage, does: "keep the journal of the installation on the ESP" },
              again: { until: "mounted", path: journalPlace },
            } as const,
            ["mount", "-t", "vfat", "-o", "umask=0077", devicePath(first.on), journalPlace],
          ),
        ]),
    ...layout.arrays.flatMap(({ name, uuid, members }) => {
      const paths = members.map(partitionPath);
      return [
        run({ id: `array-${name}`, stage, does: `make the mirror ${name}` }, [
          "mdadm",
          "--create",
          arrayPath(name),
          "--run",
          "--level=1",
          ...["--metadata=1.2", "--bitmap=internal", `--raid-devices=${members.length}`],
          ...[`--uuid=${mdUuid(uuid)}`, `--name=${name}`, ...paths],
        ]),
        run(
          {
            ...{ id: `assemble-${name}`, stage, does: `assemble the mirror ${name}` },
            again: { until: "exists", path: arrayPath(name) },
          } as const,
          ["mdadm", "--assemble", arrayPath(name), `--uuid=${mdUuid(uuid)}`, ...paths],
        ),
      ];
    }),
    ...layout.encrypted.flatMap(({ name, uuid, on, kept }) => [
      ...(kept === true
        ? []
        : [
            run(
              { id: `encrypt-${name}`, stage, does: `encrypt ${name} with LUKS2` },
              [
                "cryptsetup",
                "luksFormat",
                "--batch-mode",
                "--type",
                "luks2",
                ...["--uuid", uuid, "--label", name, "--key-file", "-", devicePath(on)],
              ],
              { input: { secret: "passphrase" }, timeoutMs: formatMs },
            ),
          ]),
      run(
        {
          ...{ id: `open-${name}`, stage, does: `open ${name}` },
          again: { until: "exists", path: `/dev/mapper/${mapperName(name)}` },
        } as const,
        [
          "cryptsetup",
          "open",
          "--type",
          "luks2",
          "--key-file",
          "-",
          ...[devicePath(on), mapperName(name)],
        ],
        { input: { secret: "passphrase" } },
      ),
    ]),
    ...others
      .filter(({ kept }) => kept !== true)
      .flatMap((fileSystem) => {
        const steps = [
          ...eraseFirst(fileSystem),
          makeFileSystem(fileSystem),
          ...subvolumes(fileSystem),
        ];
        return steps.map((step) => ({ ...step, group: `file-system-${fileSystem.label}` }));
      }),
    ...(layout.swap === null
      ? []
      : [
          run({ id: "make-swap", stage, does: "make the swap" }, [
            "mkswap",
            "--uuid",
            layout.swap.uuid,
            "--label",
            "swap",
            devicePath(layout.swap.on),
          ]),
        ]),
  ];
}

function makeFileSystem({ role, type, uuid, label, on }: LayoutFileSystem): InstallStep {
  const device = devicePath(on);
  const argv: Readonly<Record<LayoutFileSystem["type"], Argv>> = {
    vfat: ["mkfs.vfat", "-F", "32", "-i", uuid.replace("-", ""), "-n", label, device],
    ext4: ["mkfs.ext4", "-q", "-F", "-U", uuid, "-L", label, device],
    xfs: ["mkfs.xfs", "-q", "-f", "-m", `uuid=${uuid}`, "-L", label, device],
    btrfs: ["mkfs.btrfs", "-q", "-f", "-U", uuid, "-L", label, device],
  };
  const what = label.toLowerCase() === role ? role : `${role} (${label})`;
  return run(
    { id: `make-${label.toLowerCase()}`, stage: "format", does: `make ${type} for ${what}` },
    argv[type],
    { timeoutMs: formatMs },
  );
}

/** btrfs refuses a UUID that is there already, also where it is that of the device itself, made before a cut. */
function eraseFirst({ type, label, on }: LayoutFileSystem): readonly InstallStep[] {
  if (type !== "btrfs") return [];
  const head = {
    id: `erase-${label}`,
    stage: "format",
    does: `erase what stands on ${label}`,
  } as const;
  return [run(head, ["wipefs", "--all", "--quiet", devicePath(on)])];
}

/** They are made while all of the file system is mounted in the place of the system. */
function subvolumes({ label, on, subvolumes }: LayoutFileSystem): readonly InstallStep[] {
  if (subvolumes.length === 0) return [];
  const stage = "format";
  const head = (id: string, does: string) => ({ id: `${id}-${label}`, stage, does }) as const;
  return [
    {
      ...head("top-directory", `make ${target}`),
      action: { kind: "directory", path: target },
    },
    run(head("top", `mount all of ${label}`), [
      "mount",
      "-t",
      "btrfs",
      "-o",
      "subvolid=5",
      devicePath(on),
      target,
    ]),
    ...subvolumes.map((name) =>
      run(head(`subvolume-${name}`, `make the subvolume ${name}`), [
        "btrfs",
        "subvolume",
        "create",
        `${target}/${name}`,
      ]),
    ),
    run(head("top-leave", `unmount all of ${label}`), ["umount", target]),
  ];
}

function mountSteps(layout: Layout): readonly InstallStep[] {
  return layout.mounts.flatMap((mount) => {
    const place = mount.path === "/" ? target : `${target}${mount.path}`;
    const directories = "bind" in mount.from ? [`${target}${mount.from.bind}`, place] : [place];
    const stage = "mount";
    return [
      ...directories.map(
        (path): InstallStep => ({
          ...{ id: `directory-${path}`, stage, does: `make ${path}` },
          ...{ action: { kind: "directory", path }, again: { until: "exists", path } },
        }),
      ),
      run(
        {
          ...{ id: `mount-${mount.path}`, stage, does: `mount ${mount.path}` },
          again: { until: "mounted", path: place },
        } as const,
        mountArgv(layout, mount, place),
      ),
    ];
  });
}

function mountArgv(layout: Layout, { from, options }: LayoutMount, place: string): Argv {
  if ("bind" in from) return ["mount", "--bind", `${target}${from.bind}`, place];
  if ("memory" in from) return ["mount", "-t", "tmpfs", "-o", options.join(","), "none", place];
  const found = layout.fileSystems.find(({ uuid }) => uuid === from.fileSystem);
  const all = [...(from.subvolume === null ? [] : [`subvol=${from.subvolume}`]), ...options];
  return [
    "mount",
    "-t",
    found?.type ?? "auto",
    ...(all.length === 0 ? [] : ["-o", all.join(",")]),
    ...[found === undefined ? "" : devicePath(found.on), place],
  ];
}

const systemProfile = "/nix/var/nix/profiles/system";

function systemSteps(digest: string, system: SystemSource): readonly InstallStep[] {
  const stage = "system";
  const profile = ["--store", target, "-p", `${target}${systemProfile}`];
  const into = ["--option", "extra-substituters", "auto?trusted=1"];
  if (system.kind === "medium")
    return [
      run(
        { id: "copy-system", stage, does: "copy the system from the medium" },
        [
          "nix",
          "--extra-experimental-features",
          "nix-command",
          "copy",
          ...["--no-check-sigs", "--to", target, system.toplevel],
        ],
        { timeoutMs: buildMs },
      ),
      run({ id: "set-system", stage, does: "make it the system" }, [
        "nix-env",
        ...profile,
        "--set",
        system.toplevel,
      ]),
    ];
  const configuration = `${target}/var/lib/firstlight/sources/${digest}/configuration.nix`;
  return [
    run(
      {
        id: "build-system",
        stage,
        does: "build the system, or fetch it from a cache, and make it the system",
      },
      [
        "nix-env",
        ...profile,
        ...into,
        "-I",
        `nixos-config=${configuration}`,
        ...["-f", "<nixpkgs/nixos>", "--set", "-A", "config.system.build.toplevel"],
      ],
      {
        timeoutMs: buildMs,
        ...(system.nixpkgs === null ? {} : { env: { NIX_PATH: `nixpkgs=${system.nixpkgs}` } }),
      },
    ),
  ];
}

/**
 * What the boot loader's installer wants to see of a machine, and then that installer itself. As slaves:
 * what is unmounted there must not go from the running system too.
 */
function bootSteps(): readonly InstallStep[] {
  const stage = "boot";
  const mounts: readonly (readonly [string, Argv])[] = [
    ["/proc", ["mount", "-t", "proc", "proc", `${target}/proc`]],
    ["/sys", ["mount", "--rbind", "--make-rslave", "/sys", `${target}/sys`]],
    ["/dev", ["mount", "--rbind", "--make-rslave", "/dev", `${target}/dev`]],
    ["/run", ["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", `${target}/run`]],
  ];
  const chroot = (...argv: readonly string[]): Argv => ["chroot", target, ...argv];
  return [
    ...mounts.flatMap(([path, argv]) => [
      {
        ...({ id: `directory-${path}`, stage, does: `make ${target}${path}` } as const),
        action: { kind: "directory", path: `${target}${path}` },
        again: { until: "exists", path: `${target}${path}` },
      } as InstallStep,
      run(
        {
          id: `enter${path}`,
          stage,
          does: `mount ${path} in the new system`,
          again: { until: "mounted", path: `${target}${path}` },
        },
        argv,
      ),
    ]),
    run(
      { id: "activate", stage, does: "make /etc and the accounts of the new system" },
      chroot(`${systemProfile}/activate`),
      {
        timeoutMs: formatMs,
      },
    ),
    run(
      { id: "boot-loader", stage, does: "install the boot loader" },
      chroot(`${systemProfile}/bin/switch-to-configuration`, "boot"),
      { env: { NIXOS_INSTALL_BOOTLOADER: "1" }, timeoutMs: formatMs },
    ),
    run({ id: "sync", stage, does: "write everything to the disks" }, ["sync"], {
      timeoutMs: formatMs,
    }),
  ];
}
