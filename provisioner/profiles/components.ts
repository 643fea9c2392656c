import { canonicalJson } from "#core/canonical-json.ts";
import { joinValues } from "./join-values.ts";
import type { CompiledProfile } from "./profile.ts";

/** Two parts of one machine that want different things. */
export interface ComponentConflict {
  /** The component, whose value gives way. */
  readonly component: string;
  /** `kernel.params` or `nixos.options`, and the name in it. */
  readonly place: "kernel.params" | "nixos.options";
  readonly name: string;
}

/** A machine with its parts. */
export interface Composition {
  readonly profile: CompiledProfile;
  /** Empty, unless a model or component that ships is wrong: the lint looks at every pair. */
  readonly conflicts: readonly ComponentConflict[];
}

/**
 * A model with the settings of its components behind its own: lists add up, values must be the
 * same. Where they are not, what came first stays, and the conflict is told.
 */
export function compose(
  model: CompiledProfile,
  components: readonly CompiledProfile[],
): Composition {
  const conflicts: ComponentConflict[] = [];
  const profile = components.reduce((whole, part) => add(whole, part, conflicts), model);
  return { profile, conflicts };
}

function add(
  whole: CompiledProfile,
  part: CompiledProfile,
  conflicts: ComponentConflict[],
): CompiledProfile {
  const union = (ours: readonly string[], theirs: readonly string[]) => [
    ...new Set([...ours, ...theirs]),
  ];
  const merge = <T>(
    place: ComponentConflict["place"],
    [ours, theirs]: readonly [Readonly<Record<string, T>>, Readonly<Record<string, T>>],
    join: (ours: T, theirs: T) => T | undefined,
  ): Readonly<Record<string, T>> => {
    const values = new Map(Object.entries(ours));
    for (const [name, value] of Object.entries(theirs)) {
      const own = values.get(name);
      const joined = own === undefined ? value : join(own, value);
      if (joined !== undefined) values.set(name, joined);
      else if (canonicalJson(own) !== canonicalJson(value))
        conflicts.push({ component: part.id, place, name });
    }
    return Object.fromEntries(values);
  };
  const modules = whole.nixos.modules.map(({ id }) => id);
  const quirks = whole.quirks.map(({ id }) => id);
  return {
    ...whole,
    nixos: {
      imports: union(whole.nixos.imports, part.nixos.imports),
      options: merge("nixos.options", [whole.nixos.options, part.nixos.options], (ours, theirs) =>
        joinValues(theirs, ours),
      ),
      platform: whole.nixos.platform,
      modules: [
        ...whole.nixos.modules,
        ...part.nixos.modules.filter(({ id }) => !modules.includes(id)),
      ],
    },
    kernel: {
      min: newerKernel(whole.kernel.min, part.kernel.min),
      params: merge("kernel.params", [whole.kernel.params, part.kernel.params], () => undefined),
      modules: union(whole.kernel.modules, part.kernel.modules),
      blacklist: union(whole.kernel.blacklist, part.kernel.blacklist),
    },
    initrd: {
      availableModules: union(whole.initrd.availableModules, part.initrd.availableModules),
      modules: union(whole.initrd.modules, part.initrd.modules),
    },
    quirks: [...whole.quirks, ...part.quirks.filter(({ id }) => !quirks.includes(id))],
  };
}

/** The later of two releases of Linux: a machine works once all of its parts do. */
export function newerKernel(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  const [left, right] = [a, b].map((text) => text.split(".").map(Number));
  for (let at = 0; at < 3; at++) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0);
    if (difference !== 0) return difference > 0 ? a : b;
  }
  return a;
}
