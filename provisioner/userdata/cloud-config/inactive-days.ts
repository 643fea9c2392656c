import type { Input } from "../input.ts";
import type { ModuleInput } from "./module.ts";
import { addCommand, quoted } from "./own-command.ts";

/** `inactive` of a user. */
export interface Inactive {
  readonly name: string;
  readonly days: number;
  readonly input: Input;
}

/** Days after which an account with an expired password is closed; an error for anything else. */
export function readInactive(name: string, input: Input | undefined): readonly Inactive[] {
  const days = input?.integer();
  if (input === undefined || days === undefined) return [];
  if (days <= 99_999) return [{ name, days, input }];
  input.expected("a number of days", "write 99999 for never", "more than 99999");
  return [];
}

/** NixOS has no option for it, and leaves in place what /etc/shadow says. */
export function addInactive(wishes: readonly Inactive[], { draft }: ModuleInput): void {
  const [first] = wishes;
  if (first === undefined) return;
  for (const { input } of wishes) input.mark("agent");
  const calls = wishes.map(({ name, days }) => `chage -I ${days} ${quoted(name)} || code=1`);
  const lines = ["code=0", ...calls, "exit $code"];
  addCommand(draft, { name: "inactive-users", when: "early", lines, at: first.input });
}
