import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { setOption } from "./spec-option.ts";

/** Keys of a proxy, and the variable that the Nix daemon has for it; the first of one variable counts. */
const variables: readonly (readonly [key: string, variable: string])[] = [
  ["http_proxy", "http_proxy"],
  ["proxy", "http_proxy"],
  ["https_proxy", "https_proxy"],
  ["ftp_proxy", "ftp_proxy"],
];
const prefix = "systemd.services.nix-daemon.environment";

/** The proxies of apt are those of the Nix daemon, which fetches packages here. `spelled` is how a key is written. */
export function addProxies(input: Input, draft: SpecDraft, spelled = (key: string) => key): void {
  for (const [key, variable] of variables) {
    const proxy = input.get(spelled(key));
    const address = proxy?.text();
    if (proxy === undefined || address === undefined) continue;
    if (/^[^/]*:\/\/[^/]*@/.test(address)) {
      proxy.unsupported({
        code: "cloud-config/plain-password",
        message: "a proxy with a password would stand in the Nix store; it is left out",
        hint: "give the proxy to nix-daemon.service with an EnvironmentFile under `firstlight: units`",
      });
    } else if (draft.spec.options?.[`${prefix}.${variable}`] === undefined) {
      setOption(draft, `${prefix}.${variable}`, address, proxy);
    } else {
      const message = "another key names the proxy for the same";
      proxy.unsupported({ code: "cloud-config/overridden", message, hint: "keep one of them" });
    }
  }
}
