import { formatBytes } from "#core/bytes.ts";
import { Fault } from "#core/fault.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import type { DiskRequest } from "./choose-disk.ts";
import {
  type LayoutName,
  type LayoutWishes,
  layoutNames,
  type RootFileSystem,
  rootFileSystems,
} from "./layout.ts";

/** What a person asks for; what is not said is decided by the profile and the machine. */
export interface Asked {
  readonly layout?: string | undefined;
  readonly fileSystem?: string | undefined;
  readonly swap?: string | undefined;
  readonly home?: string | undefined;
  /** Whether the home that an earlier installation made stays. */
  readonly keepHome?: boolean | undefined;
}

/** One decision, and who made it. */
export interface Reason {
  readonly what: string;
  readonly value: string;
  readonly why: string;
}

export interface Wishes {
  readonly layout: LayoutWishes;
  readonly transports: DiskRequest["transports"];
  readonly reasons: readonly Reason[];
}

const swaps = ["memory", "zram", "none"] as const;
const homes = ["root", "partition"] as const;
const usualEspMebibytes = 1024;
const carried: readonly Facts["chassis"][] = ["laptop", "convertible", "tablet", "handheld"];

/** The layout of an installation, with the reason for each part of it. Throws `cli/usage`, `install/layout`. */
export function decideWishes(asked: Asked, profile: CompiledProfile | null, facts: Facts): Wishes {
  const reasons: Reason[] = [];
  const install = profile?.install ?? {};
  const by = `the profile ${profile?.id ?? ""} says so`;
  const decide = <T extends string | number>(
    what: string,
    value: T,
    why: string,
    shown = String(value),
  ): T => {
    reasons.push({ what, value: shown, why });
    return value;
  };
  const said = "it was asked for";

  const name = decideName();
  function decideName(): LayoutName {
    if (asked.layout !== undefined)
      return decide("layout", oneOf("--layout", asked.layout, layoutNames), said);
    if (install.encryption === "luks2") return decide("layout", "encrypted", by);
    if (install.encryption === "none") return decide("layout", "plain", by);
    return carried.includes(facts.chassis)
      ? decide("layout", "encrypted", "a machine that is carried can be lost")
      : decide("layout", "plain", "nobody is there to type a passphrase when it starts");
  }

  const fileSystem =
    asked.fileSystem === undefined
      ? decide<RootFileSystem>("file system", "ext4", "it is the one that is known best")
      : decide("file system", oneOf("--file-system", asked.fileSystem, rootFileSystems), said);

  const swap = decideSwap();
  function decideSwap(): LayoutWishes["swap"] {
    const inMemory = (why: string) => decide("swap", "zram", why, "in memory, compressed");
    if (asked.swap !== undefined) return decide("swap", oneOf("--swap", asked.swap, swaps), said);
    if (install.swap === "none")
      return inMemory(`${by.replace("says so", "wants none on the disk")}`);
    if (install.swap !== "memory") return inMemory("the profile does not ask for hibernation");
    if (name !== "encrypted")
      return inMemory("hibernation would write the memory to the disk in the clear");
    if (facts.memoryBytes === null) return inMemory("nobody knows how large the memory is");
    const size = formatBytes(facts.memoryBytes);
    return decide("swap", "memory", by, `for hibernation, on the disk: all of ${size} of memory`);
  }

  const home =
    asked.home === undefined ? "root" : decide("home", oneOf("--home", asked.home, homes), said);
  const wanted = install.espMebibytes ?? usualEspMebibytes;
  const espMebibytes = Math.max(wanted, usualEspMebibytes);
  decide(
    "EFI system partition",
    espMebibytes,
    wanted === espMebibytes && install.espMebibytes !== undefined
      ? by
      : "kernels of several generations and firmware updates lie on it",
    `${espMebibytes} MiB`,
  );
  const transports = install.transports ?? null;
  if (transports !== null)
    decide(
      "disk",
      transports.join(", "),
      by.replace("says so", "installs on nothing else unasked"),
    );
  return { layout: { name, fileSystem, swap, home, espMebibytes }, transports, reasons };
}

function oneOf<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((each) => each === value);
  if (found !== undefined) return found;
  throw new Fault(
    "cli/usage",
    `${flag}: expected ${known.join(", ")}, got ${JSON.stringify(value)}`,
  );
}

/** What of the machine speaks for or against unlocking it by itself later; for a person. */
export function remarksOf(facts: Facts): readonly string[] {
  const { tpm, features, firmware } = facts;
  const log = {
    complete:
      "has a TPM 2.0 whose event log is whole: it can be enrolled after the first good boot",
    incomplete:
      "has a TPM 2.0 whose event log is incomplete: what it will hold cannot be foretold, so the passphrase stays",
    absent: "has a TPM 2.0 without an event log: the passphrase stays",
  };
  return [
    ...(tpm === null
      ? ["has no TPM that the kernel knows: it is opened by its passphrase"]
      : tpm.version === "1.2"
        ? ["has a TPM 1.2, which is too old to keep a key of LUKS"]
        : [
            tpm.eventLog === null
              ? "has a TPM, whose event log only root may read"
              : log[tpm.eventLog],
          ]),
    ...(features.fingerprint === true
      ? ["has a fingerprint reader, which the profile's module sets up"]
      : []),
    ...(firmware.secureBoot === true
      ? [
          "enforces Secure Boot, which the system that is installed does not sign for yet: switch it off in the firmware",
        ]
      : []),
  ];
}
