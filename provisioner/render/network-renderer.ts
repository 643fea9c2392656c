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
  /** Whose text asks for systemd-networkd, as the end of a sentence; absent where none that can be read does. */
  readonly networkdAskedBy?: string;
  /** Nobody but the hardware profile has chosen. */
  readonly isByProfile?: true;
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
 * then systemd-networkd where an option or the image asks for it; then what the hardware profile asks for; else
 * systemd-networkd.
 */
export function chooseRenderer(input: ChoiceInput): RendererChoice {
  const managerRunsBy = whoRunsManager(input);
  const networkdAskedBy = whoAsksForNetworkd(input);
  const said =
    input.spec.network?.renderer ?? (managerRunsBy === undefined ? undefined : "NetworkManager");
  const isOpen = said === undefined && networkdAskedBy === undefined && !asksByOption(input.spec);
  const byProfile = isOpen ? input.profile?.network.renderer : undefined;
  return {
    renderer: said ?? byProfile ?? "networkd",
    managerRunsBy,
    ...(networkdAskedBy === undefined ? {} : { networkdAskedBy }),
    ...(byProfile === undefined ? {} : { isByProfile: true }),
  };
}

function asksByOption(spec: Spec): boolean {
  return (
    optionValue(spec, manager) === false ||
    optionValue(spec, ["networking", "useNetworkd"]) === true ||
    optionValue(spec, ["systemd", "network", "enable"]) === true
  );
}

/** The owner's own file counts before the image's. */
function textsOf({ base }: ChoiceInput): readonly (readonly [string, readonly string[]])[] {
  return [
    ["local.nix", base.local === null ? [] : [base.local]],
    ["the configuration of the image", base.files.map(({ content }) => content)],
  ];
}

function whoAsksForNetworkd(input: ChoiceInput): string | undefined {
  return textsOf(input).find(([, texts]) => texts.some(asksForNetworkd))?.[0];
}

function whoRunsManager(input: ChoiceInput): string | undefined {
  const { spec, templates } = input;
  const said = optionValue(spec, manager);
  if (said === true) return "an option of the spec";
  if (said === false) return undefined;
  const template = (spec.templates ?? []).find(
    ({ name }) => templates.get(name)?.networkRenderer === "NetworkManager",
  );
  if (template !== undefined) return `the template ${template.name}`;
  for (const [who, texts] of textsOf(input)) {
    if (texts.some(enablesManager)) return who;
    if (texts.some(asksForNetworkd)) return undefined;
  }
  return undefined;
}

/** Whether a module switches NetworkManager on, in one of the two ways that people write it. */
export function enablesManager(text: string): boolean {
  return (
    sets(text, "networkmanager\\.enable", true) ||
    sets(text, "networkmanager\\s*=\\s*\\{[^{}]*\\benable", true)
  );
}

/** Whether a module has systemd-networkd set the network up, or NetworkManager not, or brings files for networkd. */
export function asksForNetworkd(text: string): boolean {
  const within = "(?:\\.|\\s*=\\s*\\{[^{}]*\\b)";
  const networkd = `systemd${within}network${within}`;
  return (
    sets(text, "useNetworkd", true) ||
    sets(text, `${networkd}enable`, true) ||
    sets(text, `networkmanager${within}enable`, false) ||
    new RegExp(`\\b${networkd}networks\\b`).test(withoutComments(text))
  );
}

function sets(text: string, option: string, value: boolean): boolean {
  const said = `\\b${option}\\s*=\\s*(?:lib\\.)?(?:mk[A-Za-z]+\\s+)?${value}\\b`;
  return new RegExp(said).test(withoutComments(text));
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/#.*$/gm, "");
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
  const { renderer, managerRunsBy, networkdAskedBy } = concern.networkRenderer;
  const path = ["network", ...(concern.spec.network?.renderer === undefined ? [] : ["renderer"])];
  const say = (level: "error" | "warning" | "note", message: string, hint: string) =>
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
  if (networkdAskedBy !== undefined)
    say(
      "warning",
      `NetworkManager is to set the network up, and ${networkdAskedBy} asks for networkd`,
      "say `renderer: networkd` to have networkd do it, else take that out of there",
    );
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
