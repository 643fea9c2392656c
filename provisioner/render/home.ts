import { holdsPrivateKey } from "#core/private-key.ts";
import { fromJson, isTakeOver, type PlainData } from "#provisioner/nix-language/from-json.ts";
import {
  attrs,
  bind,
  bool,
  call,
  list,
  type NixExpr,
  ref,
  str,
} from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, attempt, type Concern } from "./assignment.ts";
import { type Home, homeOptions } from "./home-files.ts";
import { isModuleKey, splitOptionName } from "./option-name.ts";
import { warnOfSecrets } from "./readable-secrets.ts";
import { warnOfUndeclared } from "./undeclared.ts";

/** home-manager's part: its module, and what each user asks of it. */
export interface RenderedHome {
  readonly imports: readonly NixExpr[];
  readonly assignments: readonly Assignment[];
}

const nothing: RenderedHome = { imports: [], assignments: [] };

/**
 * Packages, files and options of home-manager for each user. Where it is not pinned that is said, and all
 * else of the homes is still looked at.
 */
export function renderHome(concern: Concern): RenderedHome {
  const users = Object.entries(concern.spec.home ?? {});
  if (users.length === 0) return nothing;
  const pin = concern.base.pins["home-manager"];
  if (pin === undefined) tellOfPin(concern);
  const assignments = users.flatMap(([name, home]) => {
    checkUser(concern, name);
    const parts = renderUser(concern, name, home);
    const path = ["home-manager", "users", name];
    return parts === undefined
      ? []
      : [assign(path, call(ref("lib", "mkMerge"), list(parts)), ["home", name])];
  });
  return {
    imports: pin === undefined ? [] : [str(`${pin.storePath}/nixos`)],
    assignments: [...wholeSystem(concern), ...assignments],
  };
}

function tellOfPin(concern: Concern): void {
  const [level, code, message] = concern.base.isPreview
    ? ([
        "note",
        "render/pin-unknown",
        "needs an image that pins home-manager, whose options are not known here: its module is left out",
      ] as const)
    : (["error", "render/pin-missing", "home-manager is not pinned on this machine"] as const);
  const hint =
    "pin the release that belongs to nixpkgs in the image, its place in the store as `services.firstlight.pins.home-manager.storePath` (docs/home.md), or remove `home`";
  addFinding(concern, ["home"], level, code, message, hint);
}

/**
 * One nixpkgs for the system and every home, and packages where the system has those of its users: nothing is
 * evaluated or installed twice. Defaults, for an image that has decided otherwise.
 */
function wholeSystem({ spec }: Concern): readonly Assignment[] {
  return ["useGlobalPkgs", "useUserPackages"]
    .filter((name) => !Object.hasOwn(spec.options ?? {}, `home-manager.${name}`))
    .map((name) => assign(["home-manager", name], call(ref("lib", "mkDefault"), bool(true))));
}

/** home-manager takes the home's place from the account; a machine without the account has no such system. */
function checkUser(concern: Concern, name: string): void {
  const otherwise = "home-manager needs the account, and no system is built without it";
  const { kind, isPreview } = concern.base;
  const level = kind === "platform" && !isPreview ? "error" : "warning";
  warnOfUndeclared(concern, { kind: "user", name, at: ["home", name], otherwise, level });
}

/** What is merged into one home, `undefined` where nothing of it can be said. */
function renderUser(concern: Concern, name: string, home: Home): readonly NixExpr[] | undefined {
  const from = ["home", name];
  const options = homeOptions(home);
  warnOfSecrets(concern, from, name, options);
  const isRefused = refuseOptions(concern, from, options);
  const parts = attempt(concern, from, () => [
    attrs([bind("home", attrs(ownPart(concern, from, home)))]),
    ...optionSets(concern, from, options),
  ]);
  return isRefused ? undefined : parts;
}

function ownPart(concern: Concern, from: readonly string[], { packages = [], files = {} }: Home) {
  // Fixed with the instance, as the system's is; a default, because the user's own data may say it.
  const version = call(ref("lib", "mkDefault"), str(concern.base.stateVersion));
  const entries = Object.entries(files).map(([path, file]) => {
    checkFile(concern, [...from, "files", path], path, file.content);
    const { content, executable, force } = file;
    return bind(
      ["file", path],
      attrs([
        bind("text", str(content)),
        ...(executable === undefined ? [] : [bind("executable", bool(executable))]),
        ...(force === undefined ? [] : [bind("force", bool(force))]),
      ]),
    );
  });
  const names = packages.map((name) => ref("pkgs", ...name.split(".")));
  return [
    bind("stateVersion", version),
    ...(packages.length === 0 ? [] : [bind("packages", list(names))]),
    ...entries,
  ];
}

function checkFile(concern: Concern, from: readonly string[], path: string, content: string): void {
  if (path.split("/").some((part) => part === ".." || part === "." || part === "")) {
    const message = "a path in a home may hold no empty name, nor . or ..";
    addFinding(concern, from, "error", "render/home-option", message, "write the path out");
  }
  if (!holdsPrivateKey(content)) return;
  const message = "a private key that everybody may read: files of a home stand in the Nix store";
  const hint = "put it under `files` of the spec, as a `secret` with the user as its owner";
  addFinding(concern, from, "warning", "render/readable-key", message, hint);
}

/** What home-manager would refuse, or take for something else. */
function refuseOptions(
  concern: Concern,
  from: readonly string[],
  options: Readonly<Record<string, unknown>>,
): boolean {
  const refuse = (at: readonly string[], message: string, hint: string) => {
    addFinding(concern, [...from, ...at], "error", "render/home-option", message, hint);
    return true;
  };
  const inHome = options["home"] as { readonly packages?: unknown } | null | undefined;
  const flat = options["home.packages"];
  const refusals = [
    (flat ?? inHome?.packages) !== undefined &&
      refuse(
        flat === undefined ? ["home", "packages"] : ["home.packages"],
        "home.packages takes packages, and data holds only their names",
        "write the names under `packages`",
      ),
    Object.keys(options).some((name) => /^nixpkgs(\.|$)/.test(name)) &&
      refuse(
        ["nixpkgs"],
        "homes use the nixpkgs of the system, which has no options of its own here",
        "set nixpkgs.config under `options` of the spec",
      ),
  ];
  return refusals.some(Boolean);
}

/** Data as it is nested, and each option of a dotted name in a set of its own. */
function optionSets(
  concern: Concern,
  from: readonly string[],
  options: Readonly<Record<string, unknown>>,
): readonly NixExpr[] {
  const nested: Record<string, unknown> = {};
  const dotted: NixExpr[] = [];
  for (const [name, value] of Object.entries(options)) {
    const path = splitOptionName(name);
    if (path === undefined || (isModuleKey(path) && !isTakeOver(name))) {
      const message = "expected the name of an option of home-manager";
      const hint = 'write it as in a module, names that hold dots in quotes: programs.x."a.b"';
      addFinding(concern, [...from, name], "error", "render/option-name", message, hint);
    } else if (path.length === 1) nested[name] = value;
    // As nested data, so that what NixOS obeys is found in the name as well.
    else dotted.push(fromJson(path.reduceRight<unknown>(nest, value) as PlainData));
  }
  return [...(Object.keys(nested).length === 0 ? [] : [fromJson(nested as PlainData)]), ...dotted];
}

function nest(inner: unknown, name: string): unknown {
  return { [name]: inner };
}
