import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { setOwn } from "../own-key.ts";
import { lintCommand } from "./lint-command.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { writtenPaths } from "./program-paths.ts";
import { isPort, openPort, setOption } from "./spec-option.ts";

/** Names of interfaces as the kernel and wg-quick take them. */
const interfaceName = /^[A-Za-z0-9_.-]{1,15}$/;

/** A check has no programs of its own. */
const programs = "export PATH=/run/wrappers/bin:/run/current-system/sw/bin";

/** `wireguard`: interfaces from files of wg-quick. */
export const wireguard: CloudConfigModule = {
  name: "wireguard",
  keys: ["wireguard"],
  rule:
    "Each interface is one of networking.wg-quick. Its file holds a private key, so that it is a secret: systemd hands it to the " +
    "interface's unit, and another file starts the unit again. `config_path` is not written. The firewall lets in what comes to its `ListenPort`. A `readinessprobe` is a check of health: a change that " +
    "one fails after is taken back. It is run more than once, so that it must only look. Its text is a secret, in a file that root alone reads.",
  example: `wireguard:
  interfaces:
    - name: wg0
      config_path: /etc/wireguard/wg0.conf
      content: |
        [Interface]
        Address = 192.0.2.2/24
        PrivateKey = aExampleExampleExampleExampleExampleExample8=
  readinessprobe:
    - ping -c 1 192.0.2.1
`,
  translate(module) {
    const input = module.config.get("wireguard");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `interfaces`");
    const interfaces = input.get("interfaces");
    if (interfaces === undefined) {
      input.expected("a mapping with `interfaces`", undefined, "one without");
    }
    const names = new Set<string>();
    for (const item of interfaces?.items() ?? []) addInterface(item, module.draft, names);
    for (const item of input.get("readinessprobe")?.items() ?? []) addProbe(item, module);
  },
};

function addInterface(item: Input, draft: SpecDraft, names: Set<string>): void {
  if (!item.isMapping()) return item.expected("a mapping with `name` and `content`");
  const name = readName(item);
  const content = item.get("content");
  const text = content?.text();
  item.get("config_path")?.text();
  if (content === undefined) item.expected("a mapping with `content`", undefined, "one without");
  if (name === undefined || content === undefined || text === undefined) return;
  if (names.has(name)) {
    return item.unsupported({
      code: "cloud-config/overridden",
      message: "an entry before has the same name, and counts",
      hint: "give each interface a name of its own",
    });
  }
  names.add(name);
  const secret = draft.secret(`wireguard-${name}`, text);
  const unit = `wg-quick-${name}.service`;
  draft.spec.units ??= {};
  setOwn(draft.spec.units, unit, { credentials: [secret] });
  draft.origin(["units", unit], item);
  const file = `/run/credentials/${unit}/${secret.secretRef}`;
  setOption(draft, `networking.wg-quick.interfaces."${name}".configFile`, file, content);
  const [, port] = /^[ \t]*ListenPort[ \t]*=[ \t]*([0-9]{1,5})[ \t]*(?:#.*)?$/im.exec(text) ?? [];
  if (isPort(Number(port))) openPort(draft, { protocol: "udp", port: Number(port) }, content);
}

function readName(item: Input): string | undefined {
  const input = item.get("name");
  if (input === undefined) item.expected("a mapping with `name`", undefined, "one without");
  const name = input?.text();
  if (name === undefined || interfaceName.test(name)) return name;
  input?.expected(
    "the name of an interface",
    "at most 15 letters and digits, as `wg0`",
    "something else",
  );
  return undefined;
}

/** It is a command for a shell, and must not fail once the change has been made. */
function addProbe(item: Input, { config, draft }: ModuleInput): void {
  const line = item.text();
  if (line === undefined) return;
  lintCommand(item, [line], { written: writtenPaths(config) });
  draft.spec.health ??= {};
  draft.spec.health.checks ??= [];
  const path = `/etc/wireguard/readinessprobe-${draft.spec.health.checks.length}`;
  const secret = draft.secret("wireguard-probe", `#!/bin/sh\n${programs}\n${line}\n`);
  draft.spec.files ??= [];
  draft.origin(["files", draft.spec.files.length], item);
  draft.spec.files.push({ path, secret, mode: "0700" });
  draft.origin(["health", "checks", draft.spec.health.checks.length], item);
  draft.spec.health.checks.push({ type: "command", command: [path] });
}
