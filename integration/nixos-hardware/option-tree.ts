import type { OptionNode } from "#provisioner/nixos-options/option-tree.ts";
import type { OptionType } from "#provisioner/nixos-options/option-types.ts";

/** A type as `options.nix` reads it: those of the list, and texts that are joined. */
type TypeData =
  | Exclude<OptionType, { readonly of: unknown }>
  | { readonly kind: "text"; readonly between: string }
  | { readonly kind: "list" | "attrs"; readonly of: TypeData }
  | { readonly kind: "union"; readonly of: readonly TypeData[] };

/** The tree of options as `options.nix` reads it. */
export interface OptionData {
  readonly children?: Readonly<Record<string, OptionData>>;
  readonly anyName?: OptionData;
  readonly element?: OptionData;
  readonly type?: TypeData;
}

/** A tree of options as plain data. */
export function optionData({ children, anyName, element, type, words }: OptionNode): OptionData {
  const named = [...children].map(([name, node]) => [name, optionData(node)] as const);
  return {
    ...(named.length > 0 && { children: Object.fromEntries(named) }),
    ...(anyName !== undefined && { anyName: optionData(anyName) }),
    ...(element !== undefined && { element: optionData(element) }),
    ...(type !== undefined && { type: typeData(type, words) }),
  };
}

function typeData(type: OptionType, words: string): TypeData {
  switch (type.kind) {
    case "any":
    case "submodule":
      return type;
    case "scalar": {
      const between = /concatenated with (?:“|&quot;)(.*?)(?:”|&quot;)/.exec(words)?.[1];
      const isText = between !== undefined && type.accepts.join() === "string";
      return isText ? { kind: "text", between: between.replace("\\n", "\n") } : type;
    }
    case "list":
    case "attrs":
      return { kind: type.kind, of: typeData(type.of, words) };
    case "union":
      return { kind: "union", of: type.of.map((each) => typeData(each, words)) };
  }
}
