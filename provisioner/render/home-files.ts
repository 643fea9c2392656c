import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { splitOptionName } from "./option-name.ts";

/** What the spec says of one home. */
export type Home = NonNullable<Spec["home"]>[string];

/** A file that home-manager would put into a home. */
export interface HomeFile {
  /** Below the home. */
  readonly path: string;
  /** Below the home in the spec: what the file comes from. */
  readonly from: readonly string[];
  /** `undefined` where only home-manager knows it. */
  readonly content: string | undefined;
  /** Whether it takes the place of what is there. */
  readonly force: boolean;
}

/** Options of home-manager: all that is not a word of ours. */
export function homeOptions(home: Home): Readonly<Record<string, unknown>> {
  const { packages: _packages, files: _files, ...options } = home;
  return options;
}

/**
 * Files that programs of home-manager write where they are enabled, those that people have of their own.
 * Sources: `home.file` and `xdg.configFile` in its modules/programs.
 */
export const filesOfPrograms: Readonly<Record<string, readonly string[]>> = {
  alacritty: [".config/alacritty/alacritty.toml"],
  bash: [".bashrc", ".bash_profile", ".profile"],
  bat: [".config/bat/config"],
  fish: [".config/fish/config.fish"],
  git: [".config/git/config"],
  htop: [".config/htop"],
  kitty: [".config/kitty/kitty.conf"],
  readline: [".inputrc"],
  ssh: [".ssh/config"],
  starship: [".config/starship.toml"],
  tmux: [".config/tmux/tmux.conf"],
  zsh: [".zshrc", ".zshenv"],
};

/** Those of them that write nothing before this option of theirs says something. */
export const settingsOfPrograms: Readonly<Record<string, string>> = {
  alacritty: "settings",
  bat: "config",
  htop: "settings",
  starship: "settings",
};

/** An option of a home, nested below the first part of its name. */
interface Said {
  /** As it is written. */
  readonly key: string;
  readonly top: string;
  readonly value: unknown;
}

/** The files that a home asks for, as far as the spec shows them. */
export function filesOfHome(home: Home): readonly HomeFile[] {
  const own = Object.entries(home.files ?? {}).map(([path, { content, force = false }]) => ({
    ...{ path, content, force },
    from: ["files", path],
  }));
  const said = Object.entries(homeOptions(home)).map(([key, data]): Said => {
    const [top = key, ...path] = splitOptionName(key) ?? [key];
    return {
      key,
      top,
      value: path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), data),
    };
  });
  return [...own, ...said.flatMap(filesBelow), ...filesByPrograms(said)];
}

/** Files of `home.file` and `xdg.configFile`. */
function filesBelow({ key, top, value }: Said): readonly HomeFile[] {
  if (top === "home")
    return entries(member(value, "file")).flatMap((each) => ofFile("", each, [key]));
  if (top === "xdg")
    return entries(member(value, "configFile")).flatMap((each) => ofFile(".config/", each, [key]));
  return [];
}

/** Files of the programs that are enabled; what is said of one may stand under several names. */
function filesByPrograms(all: readonly Said[]): readonly HomeFile[] {
  const programs = all.filter(({ top }) => top === "programs");
  return Object.entries(filesOfPrograms).flatMap(([name, paths]) => {
    const said = programs.map(({ key, value }) => ({ key, value: member(value, name) }));
    const on = said.find(({ value }) => member(value, "enable") === true);
    const needed = settingsOfPrograms[name];
    const writes =
      needed === undefined || said.some(({ value }) => !isEmpty(member(value, needed)));
    if (on === undefined || !writes) return [];
    return paths.map((path) => ({ path, from: [on.key], content: undefined, force: false }));
  });
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && entries(value).length === 0);
}

function ofFile(
  below: string,
  [name, said]: readonly [string, unknown],
  from: readonly string[],
): readonly HomeFile[] {
  if (member(said, "enable") === false) return [];
  const [target, text] = [member(said, "target"), member(said, "text")];
  const path = `${below}${typeof target === "string" ? target : name}`;
  const content = typeof text === "string" ? text : undefined;
  return [{ path, from, content, force: member(said, "force") === true }];
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function entries(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
