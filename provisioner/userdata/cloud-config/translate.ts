import { shownKey } from "#core/finding.ts";
import { nearest } from "#core/nearest.ts";
import type { SpecDraft } from "../draft.ts";
import { fillFromFirstlight } from "../firstlight.ts";
import type { HintedText, Input } from "../input.ts";
import { getOwn } from "../own-key.ts";
import type { TranslationContext } from "../translation.ts";
import { asksForNothing } from "./asks-for-nothing.ts";
import { settleEmptyValues } from "./empty-values.ts";
import { otherKeys } from "./other-keys.ts";
import { cloudConfigModules } from "./table.ts";

const ownKeys = new Set(cloudConfigModules.flatMap((module) => module.keys));
const knownKeys = [
  ...ownKeys,
  ...Object.keys(otherKeys),
  ...["merge_how", "merge_type", "firstlight"],
];

/**
 * `#cloud-config` -> spec. Every key is translated or named in a finding; the key `firstlight`
 * holds a part of the spec itself, for what cloud-config has no word for.
 */
export function translateCloudConfig(
  config: Input,
  draft: SpecDraft,
  context: TranslationContext,
): void {
  if (config.value !== null && !config.isMapping()) {
    return config.expected("a mapping of cloud-config keys");
  }
  settleEmptyValues(config, ownKeys);
  for (const module of cloudConfigModules) module.translate({ config, draft, context });
  const own = config.get("firstlight");
  if (own !== undefined) fillFromFirstlight(own, draft);
  for (const input of config.document.unmarked()) nameUnused(input);
}

function nameUnused(input: Input): void {
  const key = String(input.path[0]);
  const otherWay = getOwn(otherKeys, key);
  const isWhole = input.path.length === 1;
  if (otherWay === undefined || !isWhole || !asksForNothing(key, input.value)) {
    return input.unsupported(unusedText(input));
  }
  const message = `\`${key}\` asks for nothing that is needed here`;
  input.unsupported({ code: "cloud-config/no-meaning", message, hint: otherWay }, "note");
}

/** What to say of a value that no module has read. */
function unusedText(input: Input): HintedText {
  const [top, ...below] = input.path;
  const key = String(top);
  const otherWay = getOwn(otherKeys, key);
  if (otherWay !== undefined) {
    return {
      code: "cloud-config/unsupported-key",
      message: `\`${key}\` is not translated`,
      hint: otherWay,
    };
  }
  if (ownKeys.has(key)) {
    return {
      code: "cloud-config/unsupported-key",
      message: `nothing is known of ${below.length === 0 ? "this use" : "this part"} of \`${key}\``,
      hint: "check its spelling and its place; it has no effect",
    };
  }
  const near = nearest(key, knownKeys);
  return {
    code: "cloud-config/unknown-key",
    message: `cloud-config has no key \`${shownKey(key)}\``,
    hint: near === undefined ? "it has no effect; remove it" : `did you mean \`${near}\`?`,
  };
}
