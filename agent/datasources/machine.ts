import type { Io } from "#core/io.ts";
import { defaultUserName } from "../default-user.ts";
import type { ReadTools } from "./datasource.ts";
import { type Identity, readIdentity } from "./identity.ts";
import { listInterfaces } from "./interfaces.ts";

/** What reading knows of the machine itself. */
export interface Machine {
  readonly identity: Identity;
  /** Names of this machine's network interfaces by their MAC addresses, in lower case. */
  readonly interfaces: ReadonlyMap<string, string>;
  /** Account that keys without a user go to. */
  readonly defaultUser: string;
  /** Milliseconds since 1970. */
  now(): number;
}

/** The machine behind `io`, from the kernel's files. */
export function readMachine(
  { files, clock }: Pick<Io, "files" | "clock">,
  { defaultUser = defaultUserName }: Partial<Pick<ReadTools, "defaultUser">> = {},
): Machine {
  return {
    identity: readIdentity(files),
    interfaces: listInterfaces(files),
    defaultUser,
    now: () => clock.now(),
  };
}
