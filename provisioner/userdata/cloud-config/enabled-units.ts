import type { Input } from "../input.ts";
import { readMode } from "./file-mode.ts";

/** What a command says of units that are to start at every boot. */
export interface EnableCommand {
  readonly units: readonly string[];
  /** Whether they start at once as well. */
  readonly now: boolean;
}

const unitPath =
  /^\/etc\/systemd\/system\/([A-Za-z0-9:_.-]{1,200}\.(?:service|socket|timer|path))$/;
const unitName = /^[A-Za-z0-9:_.-]{1,200}$/;
/** Says of a unit that it is enabled, from the moment at which the command came to it. */
const marks = "/var/lib/firstlight/enabled";

/**
 * The units that a cloud-config writes as files and enables by a command, by their names, with the targets
 * that their files name. NixOS has no `systemctl enable`, so that both together become a unit of the spec.
 */
export function unitsToEnable(config: Input): ReadonlyMap<string, readonly string[]> {
  const asked = new Set(
    (config.get("runcmd")?.parts() ?? []).flatMap((item) => enableCommand(item)?.units ?? []),
  );
  if (asked.size === 0) return new Map();
  const written = (config.get("write_files")?.parts() ?? []).flatMap(unitOf);
  return new Map(written.filter(([name]) => asked.has(name)));
}

/** The name of the unit that a file is, where systemd looks for those of the machine. */
export function unitNameOf(path: string): string | undefined {
  return unitPath.exec(path)?.[1];
}

/** The text of a unit that starts with its targets, but not before {@link enableLine} has been run. */
export function textOfEnabled(name: string, text: string): string {
  return `${text.replace(/\n?$/, "\n")}\n[Unit]\nConditionPathExists=${marks}/${name}\n`;
}

/** A line of shell that does what the command says. */
export function enableLine({ units, now }: EnableCommand): string {
  const paths = units.map((name) => `${marks}/${name}`).join(" ");
  const start = now ? ` && systemctl start ${units.join(" ")}` : "";
  return `mkdir -p ${marks} && touch ${paths}${start}`;
}

/** The command where it is `systemctl enable` and nothing else. */
export function enableCommand(item: Input): EnableCommand | undefined {
  const words = item.isList()
    ? item.parts().map((word) => word.value)
    : typeof item.value === "string"
      ? item.value.trim().split(/\s+/)
      : [];
  const [program, ...rest] = words[0] === "sudo" ? words.slice(1) : words;
  if (program !== "systemctl" && program !== "/bin/systemctl" && program !== "/usr/bin/systemctl") {
    return undefined;
  }
  const isQuiet = (word: unknown) =>
    ["--now", "--quiet", "-q", "--no-block"].includes(String(word));
  const [verb, ...names] = rest.filter((word) => !isQuiet(word));
  const isEach = names.every(
    (name): name is string => typeof name === "string" && unitName.test(name),
  );
  if (verb !== "enable" || names.length === 0 || !isEach) return undefined;
  const units = names.map((name) => (/\.[a-z]+$/.test(name) ? name : `${name}.service`));
  return { units, now: rest.includes("--now") };
}

/** A file that is a unit as it stands, and which targets are to start it. */
function unitOf(item: Input): readonly (readonly [string, readonly string[]])[] {
  const [path, content] = [item.get("path")?.value, item.get("content")?.value];
  if (typeof path !== "string" || typeof content !== "string") return [];
  if (["encoding", "source", "append", "defer"].some((key) => item.has(key))) return [];
  const name = unitNameOf(path);
  const targets = installTargets(content);
  return name === undefined || targets.length === 0 || !isForAll(item) ? [] : [[name, targets]];
}

function isForAll(item: Input): boolean {
  const permissions = item.get("permissions");
  return permissions === undefined || (Number.parseInt(readMode(permissions), 8) & 0o004) !== 0;
}

/** `WantedBy=` of the section `[Install]`. */
function installTargets(text: string): readonly string[] {
  const section = /^\[Install\][ \t]*$([\s\S]*?)(?=^\[|$(?![\s\S]))/m.exec(text)?.[1] ?? "";
  const said = [...section.matchAll(/^[ \t]*WantedBy[ \t]*=(.*)$/gm)].map(
    ([, targets = ""]) => targets,
  );
  return said
    .flatMap((targets) => targets.trim().split(/\s+/))
    .filter((each) => unitName.test(each));
}
