import { isFault } from "#core/fault.ts";
import { nearest } from "#core/nearest.ts";
import { fromJson, type PlainData } from "#provisioner/nix-language/from-json.ts";
import { attrs, bind, bool, int, list, ref, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern } from "./assignment.ts";

/** Packages for everybody. */
export function renderPackages({ spec }: Concern): readonly Assignment[] {
  if (spec.packages === undefined || spec.packages.length === 0) return [];
  const packages = spec.packages.map((name) => ref("pkgs", ...name.split(".")));
  return [assign(["environment", "systemPackages"], list(packages), ["packages"])];
}

/** systemd units as their text, or as lines added to one that exists. */
export function renderUnits({ spec }: Concern): readonly Assignment[] {
  return Object.entries(spec.units ?? {}).map(([name, unit]) => {
    const text = unit.text ?? unit.dropIn;
    const value = attrs([
      ...(unit.enable === undefined ? [] : [bind("enable", bool(unit.enable))]),
      ...(text === undefined ? [] : [bind("text", str(text))]),
      ...(unit.text === undefined ? [bind("overrideStrategy", str("asDropin"))] : []),
      ...(unit.wantedBy === undefined || unit.wantedBy.length === 0
        ? []
        : [bind("wantedBy", list(unit.wantedBy.map(str)))]),
    ]);
    return assign(["systemd", "units", name], value, ["units", name]);
  });
}

/** File systems and swap. */
export function renderStorage({ spec }: Concern): readonly Assignment[] {
  const mounts = (spec.mounts ?? []).map((mount, index) => {
    const value = attrs([
      bind("device", str(mount.device)),
      ...(mount.type === undefined ? [] : [bind("fsType", str(mount.type))]),
      ...(mount.options === undefined ? [] : [bind("options", list(mount.options.map(str)))]),
      ...(mount.check === undefined ? [] : [bind("noCheck", bool(!mount.check))]),
    ]);
    return assign(["fileSystems", mount.path], value, ["mounts", String(index)]);
  });
  const swap = (spec.swap ?? []).map(({ device, sizeMiB }) =>
    attrs([
      bind("device", str(device)),
      ...(sizeMiB === undefined ? [] : [bind("size", int(sizeMiB))]),
    ]),
  );
  return [...mounts, ...(swap.length === 0 ? [] : [assign(["swapDevices"], list(swap), ["swap"])])];
}

/** Options of home-manager, where it is pinned. */
export function renderHome(concern: Concern): readonly Assignment[] {
  const users = Object.entries(concern.spec.home ?? {});
  if (users.length > 0 && concern.base.pins["home-manager"] === undefined) {
    addFinding(
      concern,
      ["home"],
      "error",
      "render/pin-missing",
      "home-manager is not pinned on this machine",
      "pin it in the image (`services.firstlight.pins.home-manager`), or remove `home`",
    );
    return [];
  }
  return users.flatMap(([name, options]) =>
    data(concern, ["home-manager", "users", name], options as PlainData, ["home", name]),
  );
}

/** Raw options by dotted name; those that the rest of the spec sets are refused. */
export function renderRawOptions(
  concern: Concern,
  others: readonly Assignment[],
): readonly Assignment[] {
  const set = others.map(({ path }) => path.join("\0"));
  return Object.entries(concern.spec.options ?? {}).flatMap(([name, value]) => {
    const from = ["options", name];
    const path = splitOptionName(name);
    if (path === undefined) {
      addFinding(
        concern,
        from,
        "error",
        "render/option-name",
        "expected names joined by dots",
        'put names that hold dots in quotes: services.x."a.b"',
      );
      return [];
    }
    const key = path.join("\0");
    if (
      set.some(
        (other) => other === key || other.startsWith(`${key}\0`) || key.startsWith(`${other}\0`),
      )
    ) {
      addFinding(
        concern,
        from,
        "error",
        "render/option-twice",
        "another part of the spec sets this option",
        "say it in one place",
      );
      return [];
    }
    set.push(key);
    return data(concern, path, value as PlainData, from);
  });
}

/** Data under an option; what cannot be Nix is a finding. */
function data(
  concern: Concern,
  path: readonly string[],
  value: PlainData,
  from: readonly string[],
): readonly Assignment[] {
  try {
    return [assign(path, fromJson(value), from)];
  } catch (error) {
    if (!isFault(error, "nix/unprintable") && !isFault(error, "nix/take-over-key")) throw error;
    addFinding(concern, from, "error", error.code, error.message);
    return [];
  }
}

/** `a.b."c.d"` -> `["a", "b", "c.d"]`; `undefined` when it is not of this form. */
export function splitOptionName(name: string): readonly string[] | undefined {
  if (
    !/^("[^"\\$]+"|[A-Za-z_][A-Za-z0-9_'-]*)(\.("[^"\\$]+"|[A-Za-z0-9_][A-Za-z0-9_'-]*))*$/.test(
      name,
    )
  )
    return undefined;
  return [...name.matchAll(/"([^"]+)"|([^."]+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? "",
  );
}

/** A name like one that is known, for findings. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? `known are ${known.join(", ")}` : `did you mean \`${near}\`?`;
}
