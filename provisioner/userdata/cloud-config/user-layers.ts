import type { Input } from "../input.ts";

/**
 * The keys of one user in all its entries. Of each key the first entry counts, the others are named
 * in a note; `-` in a key is `_`, as cloud-init reads it.
 */
export class UserLayers {
  readonly #layers: readonly Input[];

  constructor(layers: readonly Input[]) {
    this.#layers = layers;
  }

  /** The value that counts. */
  get(key: string): Input | undefined {
    const [first, ...others] = this.all(key);
    for (const other of others) {
      other.unsupported(
        {
          code: "cloud-config/overridden",
          message: `\`${key}\` of this user is said already, and that counts`,
          hint: "keep one of them",
        },
        "note",
      );
    }
    return first;
  }

  /** Every value, the one that counts first. */
  all(key: string): readonly Input[] {
    return this.#layers.flatMap((layer) =>
      layer
        .entries()
        .filter(([written]) => written.replaceAll("-", "_").trim() === key)
        .map(([, input]) => input)
        .reverse(),
    );
  }
}
