import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";

/** `keyboard`. */
export const keyboard: CloudConfigModule = {
  name: "keyboard",
  keys: ["keyboard"],
  rule:
    "Layout, model, variant and options of XKB, for the console as well as for graphical sessions. " +
    "With an empty layout the keyboard stays what the image says.",
  example: "keyboard:\n  layout: ch\n  variant: de\n  options: compose:ralt\n",
  translate({ config, draft }) {
    const input = config.get("keyboard");
    if (input === undefined) return;
    if (!input.isMapping())
      return input.expected("a mapping with `layout`", "write it as `{ layout: ch }`");
    const layout = input.get("layout")?.text();
    const wish: Omit<NonNullable<typeof draft.spec.keyboard>, "layout"> = {};
    for (const key of ["model", "variant", "options"] as const) {
      const value = input.get(key)?.text();
      if (value !== undefined) wish[key] = value;
    }
    if (layout === undefined) return saysNothing(input) ? undefined : lacksLayout(input);
    draft.spec.keyboard = { layout, ...wish };
    draft.origin(["keyboard"], input);
  },
};

/** Whether the layout, or all that is written, is empty or wrong, which is named already. */
function saysNothing(input: Input): boolean {
  const isWritten = ["model", "variant", "options"].some((key) => input.has(key));
  return input.has("layout") || (isWritten && input.parts().length === 0);
}

function lacksLayout(input: Input): void {
  input.mark("unsupported");
  input.add("error", {
    code: "user-data/wrong-type",
    message: "`layout` is missing: model, variant and options belong to a layout",
    hint: "add `layout`, for example `layout: us`",
  });
}
