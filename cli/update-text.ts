import type { UpdateState } from "#generated/protocol/messages/update.ts";
import { printable } from "#provisioner/system/plan-words.ts";

/** Where the update stands, in one line for a person. */
export function updateText(update: UpdateState | undefined, waits?: string): string {
  if (update?.updateId === undefined) return "no update was assigned yet";
  const { updateId, release, number, state, since, attempt, reason, code, progress } = update;
  const parts = [
    `${updateId}: ${state}`,
    ...(progress === undefined ? [] : [`${Math.floor(progress * 100)} %`]),
    ...(since === undefined ? [] : [`since ${since}`]),
    `release ${release} (${number})`,
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(waits === undefined ? [] : [`waits: ${waits}`]),
    ...(reason === undefined || reason === waits ? [] : [reason]),
    ...(code === undefined ? [] : [`[${code}]`]),
  ];
  return printable(parts.join("  "));
}
