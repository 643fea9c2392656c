import { Fault } from "#core/fault.ts";
import type { OnceWish } from "../commands.ts";
import { extlinux } from "./extlinux.ts";
import { grub } from "./grub.ts";
import { kexec } from "./kexec.ts";
import type { LoaderPlace, OnceLoader, OnceName } from "./loader.ts";
import { systemdBoot } from "./systemd-boot.ts";

/** The machine's own boot loader first. */
const onceLoaders: Readonly<Record<OnceName, OnceLoader>> = {
  "systemd-boot": systemdBoot,
  grub,
  kexec,
};

/** A loader by its name. */
export function onceLoader(name: OnceName): OnceLoader {
  return onceLoaders[name];
}

/** Forgets the choice for the next boot where it is this system. Throws `system/boot-once-failed`. */
export async function forgetChoice(place: LoaderPlace, toplevel: string): Promise<void> {
  for (const loader of Object.values(onceLoaders)) {
    if (loader.chose(place, toplevel)) await loader.forget(place);
  }
}

/** A loader that can boot a system once on this machine. */
export interface AbleLoader {
  readonly loader: OnceLoader;
}

/**
 * The machine's boot loader where it can boot a system once, else kexec, as far as the policy allows
 * either. Throws `system/reboot-impossible` with what stands in the way of each.
 */
export async function chooseLoader(
  place: LoaderPlace,
  { policy, bootDefault }: OnceWish,
): Promise<AbleLoader> {
  const whys: string[] = [];
  const allowed = Object.values(onceLoaders).filter(
    ({ name }) => policy === "allow" || (name === "kexec") === (policy === "kexec"),
  );
  for (const loader of allowed) {
    const probe = await loader.probe(place, bootDefault);
    if (probe.is === "able") return { loader };
    if (probe.is === "unable") whys.push(`${loader.name}: ${probe.why}`);
  }
  const other = await extlinux.probe(place, bootDefault);
  if (other.is === "unable") whys.push(`${extlinux.name}: ${other.why}`);
  throw new Fault("system/reboot-impossible", whys.join("; "));
}
