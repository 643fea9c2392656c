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
  htop: [".config/htop/htoprc"],
  kitty: [".config/kitty/kitty.conf"],
  readline: [".inputrc"],
  ssh: [".ssh/config"],
  starship: [".config/starship.toml"],
  tmux: [".config/tmux/tmux.conf"],
  zsh: [".zshrc", ".zshenv"],
};

/** The files that a home asks for, as far as the spec shows them. */
export function filesOfHome(home: Home): readonly HomeFile[] {
  const own = Object.entries(home.files ?? {}).map(([path, { content, force = false }]) => ({
    ...{ path, content, force },
    from: ["files", path],
  }));
  const options = Object.entries(homeOptions(home));
  return [...own, ...options.flatMap(([name, value]) => filesBelow(name, value))];
}

/** Files of `home.file`, `xdg.configFile` and `programs`, however the names are written. */
function filesBelow(key: string, data: unknown): readonly HomeFile[] {
  const path = splitOptionName(key) ?? [key];
  const whole = path.slice(1).reduceRight<unknown>((inner, name) => ({ [name]: inner }), data);
  const from = [key];
  if (path[0] === "programs")
    return entries(whole).flatMap(([name, said]) => ofProgram(name, said, from));
  if (path[0] === "home")
    return entries(member(whole, "file")).flatMap((each) => ofFile("", each, from));
  if (path[0] === "xdg")
    return entries(member(whole, "configFile")).flatMap((each) => ofFile(".config/", each, from));
  return [];
}

function ofProgram(name: string, said: unknown, from: readonly string[]): readonly HomeFile[] {
  if (member(said, "enable") !== true || !Object.hasOwn(filesOfPrograms, name)) return [];
  return (filesOfPrograms[name] ?? []).map((path) => ({
    ...{ path, from, content: undefined, force: false },
  }));
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
