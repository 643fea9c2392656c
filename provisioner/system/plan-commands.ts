import type { HookRecord } from "#provisioner/render/hooks.ts";
import { hostBootPlaces } from "./boot-places.ts";
import { type CommandLine, shownArgv } from "./command-lines.ts";
import type { SwitchRequest } from "./commands.ts";
import { hooksOf } from "./hooks.ts";
import { initrdPrograms } from "./initrd-programs.ts";
import type { Closure, Plan } from "./system.ts";
import type { TrialWay } from "./trial-way.ts";
import { isRooted, type Work } from "./work.ts";

/** The exact commands of a change, in order: of its trial, and of its commit. None where it has no way. */
export function planCommands(
  work: Work,
  { transaction: txn, toplevel }: Closure,
  { previous, way }: { readonly previous: string | null; readonly way: TrialWay | undefined },
): Plan["commands"] {
  if (way === undefined) return [];
  const { lines } = work;
  const hooks = (when: HookRecord["when"]) =>
    hooksOf(work, toplevel, when).map((hook) => lines.runHook({ txn, toplevel, hook }));
  const root = { txn, toplevel, role: "system" } as const;
  const commands = [
    ...hooks("pre-update"),
    lines.check(toplevel),
    isRooted(work, root) ? undefined : lines.addRoot(root),
    previous === null ? undefined : lines.addRoot({ txn, toplevel: previous, role: "previous" }),
    ...(way.by === "restart"
      ? restartCommands(work, { txn, toplevel, way })
      : [
          previous === null ? undefined : lines.armWayBack(txn, previous),
          lines.syncStore(),
          lines.switchTo({ txn, toplevel, action: "test", purpose: "switch" }),
          previous === null ? undefined : lines.disarmWayBack(txn),
        ]),
    lines.syncStore(),
    lines.setProfile(toplevel),
    lines.syncStore(),
    menuLine(work, { txn, toplevel }, toplevel),
    syncBoot(work),
    ...hooks("post-update"),
  ];
  return commands.flatMap((line) => (line === undefined ? [] : [shownArgv(line)]));
}

interface RestartSubject {
  readonly txn: string;
  readonly toplevel: string;
  readonly way: Extract<TrialWay, { readonly by: "restart" }>;
}

/** What chooses the entry is left to the loader, and its name known only when it is written. */
function restartCommands(
  work: Work,
  { txn, toplevel, way: { loader, bootDefault } }: RestartSubject,
): readonly (CommandLine | undefined)[] {
  const { lines, settings } = work;
  return [
    lines.setTrialProfile(toplevel),
    lines.syncStore(),
    loader.needsEntry ? menuLine(work, { txn, toplevel: bootDefault }, toplevel) : undefined,
    loader.needsEntry ? syncBoot(work) : undefined,
    lines.restart(loader.restart),
    lines.armRestart(txn, settings.wayBackMs),
    lines.disarmWayBack(txn),
  ];
}

/** Who writes the boot menu, with the entry of what is tried or committed in it. */
function menuLine(
  work: Work,
  request: Pick<SwitchRequest, "txn" | "toplevel">,
  tried: string,
): CommandLine {
  const initrdSecrets = initrdPrograms(work, request.toplevel, tried);
  const boot = { ...request, action: "boot", purpose: "boot" } as const;
  return work.lines.switchTo(initrdSecrets.length === 0 ? boot : { ...boot, initrdSecrets });
}

function syncBoot({ io, lines }: Work): CommandLine | undefined {
  const places = hostBootPlaces(io.files);
  return places.length === 0 ? undefined : lines.syncBoot(places);
}
