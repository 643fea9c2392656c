import type { Test } from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { linesOf, partOf, secretText, translateCloud } from "../sample-translation.ts";
import type { TranslationContext } from "../translation.ts";

/** A cloud-config and everything that must come of it. */
export interface CloudConfigCase {
  readonly name: string;
  /** What stands below the first line, so that its own first line is line 2. */
  readonly yaml: string;
  /** The whole spec but for its version and an unchanged default user. */
  readonly spec: Partial<Spec>;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Every finding, see `linesOf`. */
  readonly says?: readonly string[];
  readonly context?: Partial<TranslationContext>;
}

/** One test for each case. */
export function checkCases(t: Test, cases: readonly CloudConfigCase[]): void {
  for (const { name, yaml, spec, secrets = {}, says = [], context = {} } of cases) {
    t.test(name, async (t) => {
      const translation = translateCloud(yaml, context);
      t.strictSame(partOf(translation), spec);
      const found = [...translation.secrets.keys()].map((key) => {
        return [key, secretText(translation, key)] as const;
      });
      t.strictSame(Object.fromEntries(found), secrets);
      t.strictSame(linesOf(translation), says);
    });
  }
}
