import { decodeBase64 } from "../base64.ts";
import type { CarriedCredential } from "./smbios-strings.ts";

/**
 * Credentials among the words of the kernel's command line: `systemd.set_credential=NAME:VALUE`, and
 * `systemd.set_credential_binary=NAME:BASE64`, whose value is `undefined` where it is no base64. Like
 * the kernel's own parameters these know no difference between `-` and `_`.
 */
export function parseKernelWords(words: readonly string[]): readonly CarriedCredential[] {
  return words.flatMap((word) => {
    const [, key = "", name = "", text = ""] = /^([^=]+)=([^:]+):(.*)$/s.exec(word) ?? [];
    switch (key.replaceAll("-", "_")) {
      case "systemd.set_credential":
        return [{ name, value: Buffer.from(text, "utf8") }];
      case "systemd.set_credential_binary":
        return [{ name, value: decodeBase64(text) }];
      default:
        return [];
    }
  });
}
