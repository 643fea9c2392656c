import type { Json } from "#core/canonical-json.ts";
import type { OpenPorts } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { getOwn, setOwn } from "../own-key.ts";

/** Sets an option of NixOS that the spec has no word for, as said by a value of the document. */
export function setOption(draft: SpecDraft, name: string, value: Json, input: Input): void {
  draft.spec.options ??= {};
  setOwn(draft.spec.options as { [name: string]: Json }, name, value);
  draft.origin(["options", name], input);
}

/** Agrees to packages that are not free, as a value of the document says. */
export function addUnfree(draft: SpecDraft, input: Input, names: readonly string[]): void {
  draft.spec.unfree ??= [];
  for (const name of names) {
    if (draft.spec.unfree.includes(name)) continue;
    draft.origin(["unfree", draft.spec.unfree.length], input);
    draft.spec.unfree.push(name);
  }
}

/** Whether a number is that of a port. */
export function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= 65_535;
}

/** Opens a port of the firewall, to everybody or on one interface, as a value of the document asks for it. */
export function openPort(
  draft: SpecDraft,
  at: { readonly protocol: "tcp" | "udp"; readonly port: number; readonly on?: string },
  input: Input,
): void {
  const { protocol, port, on } = at;
  const path: (string | number)[] = ["firewall"];
  draft.spec.firewall ??= {};
  let open: OpenPorts = draft.spec.firewall;
  if (on !== undefined) {
    draft.spec.firewall.interfaces ??= {};
    const { interfaces } = draft.spec.firewall;
    open = getOwn(interfaces, on) ?? {};
    setOwn(interfaces, on, open);
    path.push("interfaces", on);
  }
  const key = `${protocol}Ports` as const;
  open[key] ??= [];
  if (open[key].includes(port)) return;
  draft.origin([...path, key, open[key].length], input);
  open[key].push(port);
}
