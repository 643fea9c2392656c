/**
 * A machine as its kernel shows it, written down as data: enough for the fact reader, the
 * datasources and the demo. Every machine here was put together by us from public identities; its
 * addresses are from the documentation ranges.
 */
export interface Machine {
  /** Short name: `framework-13-amd-7040`. */
  readonly name: string;
  /** Release of the running kernel. */
  readonly kernelRelease: string;
  /** The kernel's name of the architecture. */
  readonly architecture: "x86_64" | "aarch64";
  /** Text of `/proc/cpuinfo` for one processor; `{n}` stands for its number, `{core}` for its core of two. */
  readonly cpuinfo: string;
  /** What follows the processors in `/proc/cpuinfo`, or empty. */
  readonly cpuinfoEnd: string;
  readonly threads: number;
  readonly memoryKibibytes: number;
  /** Files of `/sys/class/dmi/id` by name, or `null` without SMBIOS. */
  readonly dmi: Readonly<Record<string, string>> | null;
  readonly deviceTree: { readonly model: string; readonly compatible: readonly string[] } | null;
  readonly pci: readonly MachinePci[];
  readonly usb: readonly MachineUsb[];
  readonly disks: readonly MachineDisk[];
  /** What is mounted, as `/proc/self/mountinfo` tells it. */
  readonly fileSystems: readonly MachineFileSystem[];
  readonly network: readonly MachineInterface[];
  readonly uefi: { readonly secureBoot: boolean; readonly setupMode: boolean } | null;
  readonly tpm: 1 | 2 | null;
  /** Names of the kernel's clocks, by which a guest knows its hypervisor. */
  readonly clocks: string;
  /** Further files by path: what only this machine has. */
  readonly files: Readonly<Record<string, string>>;
}

/** One PCI function; `subsystem` and ids as `vendor:device`. */
export interface MachinePci {
  readonly slot: string;
  readonly id: string;
  readonly subsystem: string;
  /** Six hexadecimal digits. */
  readonly class: string;
  readonly driver?: string;
  /** Absent where the driver is built in. */
  readonly module?: string;
  /** Whether the firmware has shown its screen on it; only known of graphics processors. */
  readonly bootVga?: boolean;
}

/** One USB device with its interfaces. */
export interface MachineUsb {
  readonly port: string;
  /** `vendor:product`. */
  readonly id: string;
  readonly manufacturer: string;
  readonly product: string;
  readonly interfaces: readonly { readonly class: number; readonly driver?: string }[];
}

/** One disk. */
export interface MachineDisk {
  readonly name: string;
  /** Its directory below `/sys/devices`, ending in `name`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly rotational: boolean;
  /** Files of its `device` directory, for example `model`. */
  readonly device: Readonly<Record<string, string>>;
  readonly wwid?: string;
  /** Names below `/dev/disk/by-id`. */
  readonly byId: readonly string[];
  /** Directories on the way (below `/sys/devices`) that have a driver, and its module. */
  readonly drivers: Readonly<Record<string, string>>;
}

/** One mounted partition; the table that it is in is GPT where there is UEFI, else MBR. */
export interface MachineFileSystem {
  readonly path: string;
  /** The kernel's name: `nvme0n1p2`. */
  readonly partition: string;
  readonly type: string;
  readonly label: string;
}

/** One network interface with a device behind it. */
export interface MachineInterface {
  readonly name: string;
  readonly mac: string;
  /** Directory of the device below `/sys/devices`. */
  readonly device: string;
  readonly driver: string;
  readonly module?: string;
  readonly wifi?: boolean;
}
