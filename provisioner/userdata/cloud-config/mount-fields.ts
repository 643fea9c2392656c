import type { Input } from "../input.ts";

/** What a line of fstab gets where nothing is said: as cloud-init has it, but for what waits for cloud-init. */
const builtIn = [null, null, "auto", "defaults,nofail", "0", "2"] as const;

/** The fields of a mount that says nothing of them; `None`, as examples of cloud-init write it, is nothing. */
export function mountFields(input: Input | undefined): readonly (string | null)[] {
  if (input === undefined) return builtIn;
  const items = input.items();
  if (input.isList() && items.length !== builtIn.length) {
    input.expected(
      `${builtIn.length} fields`,
      "write null for one without a default",
      `${items.length}`,
    );
    return builtIn;
  }
  return builtIn.map((usual, at) => readField(items[at], at) ?? usual);
}

function readField(field: Input | undefined, at: number): string | null | undefined {
  if (field === undefined || field.value === null) return null;
  if (at >= 4 && typeof field.value === "number") {
    field.mark("translated");
    return String(field.value);
  }
  const text = field.looseText();
  return at < 2 && text === "None" ? null : text;
}
