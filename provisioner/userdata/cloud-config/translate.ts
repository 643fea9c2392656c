import { nearest } from "#core/nearest.ts";
import type { SpecDraft } from "../draft.ts";
import { fillFromFirstlight } from "../firstlight.ts";
import type { Input } from "../input.ts";
import type { TranslationContext } from "../translation.ts";
import { otherKeys } from "./other-keys.ts";
import { cloudConfigModules } from "./table.ts";

/**
 * `#cloud-config` -> spec. Every key is translated or named in a finding; the key `firstlight`
 * holds a part of the spec itself, for what cloud-config has no word for.
 */
export function translateCloudConfig(
  config: Input,
  draft: SpecDraft,
  context: TranslationContext,
): void {
  if (config.value !== null && !config.isMapping())
    return config.expected("a mapping of cloud-config keys");
  for (const module of cloudConfigModules) module.translate({ config, draft, context });
  const own = config.get("firstlight");
  if (own !== undefined) fillFromFirstlight(own, draft);
  for (const input of config.document.unmarked()) nameUnused(input);
}

function nameUnused(input: Input): void {
  const [top, ...below] = input.path;
  if (top === undefined) return input.mark("translated"); // an empty document
  const key = String(top);
  const known = cloudConfigModules.flatMap((module) => module.keys);
  if (below.length > 0 && known.includes(key)) {
    return input.unsupported({
      code: "cloud-config/unsupported-key",
      message: `nothing is known of this part of \`${key}\``,
      hint: "check its spelling; it has no effect",
    });
  }
  const otherWay = Object.hasOwn(otherKeys, key) ? otherKeys[key] : undefined;
  if (otherWay !== undefined) {
    return input.unsupported({
      code: "cloud-config/unsupported-key",
      message: `\`${key}\` is not translated`,
      hint: otherWay,
    });
  }
  const near = nearest(key, [...known, ...Object.keys(otherKeys), "firstlight"]);
  input.unsupported({
    code: "cloud-config/unknown-key",
    message: `cloud-config has no key \`${key}\``,
    hint: near === undefined ? "it has no effect; remove it" : `did you mean \`${near}\`?`,
  });
}
