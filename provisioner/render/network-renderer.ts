import type { Network, Spec } from "#generated/provisioner/spec/v1.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import { addFinding, type Concern } from "./assignment.ts";
import type { Base } from "./base.ts";
import { splitOptionName } from "./option-name.ts";
import type { Templates } from "./templates.ts";

/** A program that sets a network up. */
export type NetworkRenderer = NonNullable<Network["renderer"]>;

/** What sets the network up, and who runs NetworkManager, whatever becomes of it. */
export interface RendererChoice {
  readonly renderer: NetworkRenderer;
  /** What runs it, as the end of a sentence; `undefined` where nothing that can be read does. */
  readonly managerRunsBy: string | undefined;
}

const manager = ["networking", "networkmanager", "enable"];

interface ChoiceInput {
  readonly spec: Spec;
  readonly base: Base;
  readonly profile: CompiledProfile | null;
  readonly templates: Templates;
}

/**
 * The spec's word counts first; then NetworkManager where a template, an option or the image runs it;
 * then what the hardware profile asks for; else systemd-networkd.
 */
export function chooseRenderer(input: ChoiceInput): RendererChoice {
  const managerRunsBy = whoRunsManager(input);
  const asked = managerRunsBy === undefined ? input.profile?.network.renderer : "NetworkManager";
  const isOff = optionValue(input.spec, manager) === false;
  const renderer = input.spec.network?.renderer ?? (isOff ? "networkd" : (asked ?? "networkd"));
  return { renderer, managerRunsBy };
}

function whoRunsManager({ spec, base, templates }: ChoiceInput): string | undefined {
  const said = optionValue(spec, manager);
  if (said === true) return "an option of the spec";
  if (said === false) return undefined;
  const template = (spec.templates ?? []).find(
    ({ name }) => templates.get(name)?.networkRenderer === "NetworkManager",
  );
  if (template !== undefined) return `the template ${template.name}`;
  const texts = [...base.files.map(({ content }) => content), base.local ?? ""];
  return texts.some(enablesManager) ? "the configuration of the image" : undefined;
}

/** Whether a module switches NetworkManager on, in one of the two ways that people write it. */
export function enablesManager(text: string): boolean {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/#.*$/gm, "");
  return (
    /\bnetworkmanager\.enable\s*=\s*(lib\.)?(mk[A-Za-z]+\s+)?true\b/.test(code) ||
    /\bnetworkmanager\s*=\s*\{[^{}]*\benable\s*=\s*(lib\.)?(mk[A-Za-z]+\s+)?true\b/.test(code)
  );
}

/** What the raw options of a spec set an option to, however its name is split. */
export function optionValue({ options = {} }: Spec, path: readonly string[]): unknown {
  for (const [name, data] of Object.entries(options)) {
    const at = splitOptionName(name) ?? [];
    if (at.length === 0 || !at.every((part, index) => part === path[index])) continue;
    const value = valueBelow(data, path.slice(at.length));
    if (value !== undefined) return value;
  }
  return undefined;
}

function valueBelow(data: unknown, path: readonly string[]): unknown {
  let here = data;
  for (const part of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, part)) return undefined;
    here = (here as Readonly<Record<string, unknown>>)[part];
  }
  return here;
}

/** What else runs a network of its own, or switches off what is to run this one. */
export function checkRenderer(concern: Concern): void {
  const { renderer, managerRunsBy } = concern.networkRenderer;
  const path = ["network", ...(concern.spec.network?.renderer === undefined ? [] : ["renderer"])];
  const say = (level: "error" | "note", message: string, hint: string) =>
    addFinding(concern, path, level, "render/network-renderer", message, hint);
  if (renderer === "networkd") {
    if (managerRunsBy === undefined) return;
    say(
      "note",
      `NetworkManager runs as well, by ${managerRunsBy}: it is told to leave these interfaces to networkd`,
      "say `renderer: NetworkManager` to have it set up the network",
    );
    return;
  }
  for (const [name, value] of contradictions) {
    if (optionValue(concern.spec, name) !== value) continue;
    const option = `${name.join(".")} = ${value}`;
    say(
      "error",
      `NetworkManager is to set the network up, and the options say \`${option}\``,
      "say one of them only, or `renderer: networkd`",
    );
  }
}

/** Options that another program would set the same interfaces up by. */
const contradictions: readonly (readonly [readonly string[], boolean])[] = [
  [manager, false],
  [["networking", "useNetworkd"], true],
  [["networking", "wireless", "enable"], true],
];
