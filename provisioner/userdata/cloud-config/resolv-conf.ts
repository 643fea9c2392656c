import type { Resolver } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";
import { nameNeedless } from "./refused.ts";
import { setOption } from "./spec-option.ts";

/** `resolv_conf`, which counts where `manage_resolv_conf` is true. */
export const resolvConf: CloudConfigModule = {
  name: "resolv_conf",
  keys: ["manage_resolv_conf", "resolv_conf"],
  rule:
    "Name servers, search domains and options of the resolver, where `manage_resolv_conf` is true; as with cloud-init " +
    "they have no effect otherwise, and a warning says so. `domain` is searched first. `sortlist` is handed to resolvconf. NixOS writes " +
    "the file itself: what a network brings stands beside it.",
  example: `manage_resolv_conf: true
resolv_conf:
  nameservers: [192.0.2.53, 198.51.100.53]
  searchdomains: [plant.example.org]
  domain: example.org
  options:
    rotate: true
    timeout: 1
`,
  translate({ config, draft }) {
    const manage = config.get("manage_resolv_conf");
    const isManaged = manage?.boolean() ?? false;
    const input = config.get("resolv_conf");
    if (!isManaged) {
      if (manage?.value === false) nameNeedless(manage, "NixOS writes resolv.conf itself");
      if (input !== undefined) nameIdle(input);
      return;
    }
    if (input === undefined) return manage === undefined ? undefined : nameBare(manage);
    if (!input.isMapping()) return input.expected("a mapping with `nameservers`");
    if (input.entries().length === 0) return nameNeedless(input, "it names no server");
    addResolver(input, draft);
  },
};

function addResolver(input: Input, draft: SpecDraft): void {
  const resolver: Resolver = {};
  const put = (key: keyof Resolver, entries: readonly Entry[], from: Input | undefined) => {
    if (entries.length === 0 || from === undefined) return;
    const once = new Map<string, Input>();
    for (const { text, at } of entries) if (!once.has(text)) once.set(text, at);
    resolver[key] = [...once.keys()];
    draft.origin(["resolver", key], from);
    for (const [index, at] of [...once.values()].entries()) {
      draft.origin(["resolver", key, index], at);
    }
  };
  put("nameservers", texts(input.get("nameservers")), input.get("nameservers"));
  const search = [...entriesOf(input.get("domain")), ...texts(input.get("searchdomains"))];
  put("search", search, input.get("searchdomains") ?? input.get("domain"));
  put("options", readOptions(input.get("options")), input.get("options"));
  addSortList(input.get("sortlist"), draft);
  if (Object.keys(resolver).length === 0) return;
  draft.spec.resolver = resolver;
  draft.origin(["resolver"], input);
}

/** A text of the resolver, and where it stands. */
interface Entry {
  readonly text: string;
  readonly at: Input;
}

function texts(input: Input | undefined): readonly Entry[] {
  return (input?.items() ?? []).flatMap(entriesOf);
}

function entriesOf(at: Input | undefined): readonly Entry[] {
  const text = at?.text();
  return at === undefined || text === undefined ? [] : [{ text, at }];
}

/** Flags that are true, and values behind a colon. */
function readOptions(input: Input | undefined): readonly Entry[] {
  if (input === undefined) return [];
  if (!input.isMapping()) {
    input.expected("a mapping of options");
    return [];
  }
  if (input.entries().length === 0) input.mark("translated");
  return input.entries().flatMap(([name, option]) => {
    if (typeof option.value === "boolean") {
      option.mark("translated");
      return option.value ? [{ text: name, at: option }] : [];
    }
    const value = typeof option.value === "number" ? option.integer() : option.text();
    return value === undefined ? [] : [{ text: `${name}:${value}`, at: option }];
  });
}

/** resolvconf.conf is read by a shell: what is no address stays out of it. */
function addSortList(input: Input | undefined, draft: SpecDraft): void {
  const items = input?.items() ?? [];
  const addresses = items.flatMap((item) => {
    const text = item.text();
    if (text === undefined || /^[0-9A-Fa-f.:]+(?:\/[0-9.]+)?$/.test(text)) return text ?? [];
    item.expected("an address with its mask", "as in `192.0.2.0/255.255.255.0`", "something else");
    return [];
  });
  if (input === undefined || addresses.length === 0) return;
  const line = `resolv_conf_sortlist='${addresses.join(" ")}'\n`;
  setOption(draft, "networking.resolvconf.extraConfig", line, input);
}

function nameIdle(input: Input): void {
  input.unsupported({
    code: "cloud-config/overridden",
    message: "without `manage_resolv_conf: true` it has no effect, as with cloud-init",
    hint: "add that key, or remove this one",
  });
}

function nameBare(manage: Input): void {
  manage.unsupported(
    {
      code: "cloud-config/no-meaning",
      message: "`resolv_conf` is missing, so that there is nothing to write",
      hint: "add it, or use `firstlight: resolver`",
    },
    "warning",
  );
}
