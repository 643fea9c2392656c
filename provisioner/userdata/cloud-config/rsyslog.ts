import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";
import { nameNeedless } from "./refused.ts";
import { listeningPorts } from "./rsyslog-listen.ts";
import { readRemote } from "./rsyslog-remote.ts";
import { openPort, setOption } from "./spec-option.ts";

/** Name of the file of what names none, as cloud-init has it. */
const usualFile = "20-cloud-config.conf";
const ofPackage = "NixOS brings rsyslog with its service; drop it";
const ofFiles =
  "NixOS writes one file of its own, and starts rsyslog again when it changes; drop it";
const needless: Readonly<Record<string, string>> = {
  config_dir: ofFiles,
  service_reload_command: ofFiles,
  install_rsyslog: ofPackage,
  check_exe: ofPackage,
  packages: ofPackage,
};

/** `rsyslog`: rules, and servers that the log is sent to. */
export const rsyslog: CloudConfigModule = {
  name: "rsyslog",
  keys: ["rsyslog", "rsyslog_filename", "rsyslog_dir"],
  rule:
    "Rules and remotes become a file that services.rsyslogd.extraConfig includes, and the service is switched on. They stand there in the order of " +
    "their file names, as rsyslog would read them: entries of one name together, those without one under `config_filename`. The older form, a list, is " +
    "read too. A remote is `[FILTER] [@|@@]HOST[:PORT]`, with @@ for TCP. How it is installed and started is NixOS's own. " +
    "Tokens and passwords of servers stand in rules, so that the file is a secret: systemd hands it to the service, and another one starts it again. " +
    "The firewall is opened where an input listens for others (`imudp`, `imtcp`, `imptcp`, `imrelp`, and the older `$UDPServerRun`).",
  example: `rsyslog:
  remotes:
    plant: "@@192.0.2.14:514"
  configs:
    - content: "auth,authpriv.* /var/log/auth.log"
      filename: 10-auth.conf
`,
  translate({ config, draft }) {
    for (const key of ["rsyslog_filename", "rsyslog_dir"]) {
      const input = config.get(key);
      if (input?.text() !== undefined) nameNeedless(input, ofFiles);
    }
    const input = config.get("rsyslog");
    if (input === undefined) return;
    if (!input.isMapping() && !input.isList()) return input.expected("a mapping with `configs`");
    const files = new Files(input.get("config_filename")?.text() ?? usualFile);
    const configs = input.isList() ? input : input.get("configs");
    for (const item of configs?.items() ?? []) addConfig(item, files);
    addRemotes(input.get("remotes"), files);
    for (const [key, why] of Object.entries(needless)) {
      const part = input.get(key);
      if (part === undefined) continue;
      checkNeedless(key, part);
      nameNeedless(part, why);
    }
    const text = files.text();
    const isInstalled = input.get("install_rsyslog")?.value === true;
    if (text === "" && !isInstalled) return nameEmpty(input);
    setOption(draft, "services.rsyslogd.enable", true, input);
    if (text !== "") handOver(text, input, draft);
    for (const each of listeningPorts(text)) openPort(draft, each, input);
  },
};

function handOver(text: string, input: Input, draft: SpecDraft): void {
  const secret = draft.secret("rsyslog-rules", text);
  const unit = "syslog.service";
  draft.spec.units = { ...draft.spec.units, [unit]: { credentials: [secret] } };
  draft.origin(["units", unit], input);
  const file = `/run/credentials/${unit}/${secret.secretRef}`;
  setOption(draft, "services.rsyslogd.extraConfig", `$IncludeConfig ${file}\n`, input);
}

/** The files that cloud-init would write. */
class Files {
  readonly #usual: string;
  readonly #contents = new Map<string, string>();

  constructor(usual: string) {
    this.#usual = usual;
  }

  add(content: string, name = this.#usual): void {
    const line = content.endsWith("\n") ? content : `${content}\n`;
    this.#contents.set(name, `${this.#contents.get(name) ?? ""}${line}`);
  }

  text(): string {
    const sorted = [...this.#contents].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([, content]) => content).join("");
  }
}

function addConfig(item: Input, files: Files): void {
  if (!item.isMapping()) {
    const line = item.text();
    if (line !== undefined) files.add(line);
    return;
  }
  const content = item.get("content");
  const name = item.get("filename")?.text()?.trim();
  if (content === undefined)
    return item.expected("a mapping with `content`", undefined, "one without");
  const text = content.text();
  if (text !== undefined) files.add(text, name === "" ? undefined : name);
}

function addRemotes(input: Input | undefined, files: Files): void {
  if (input === undefined) return;
  if (!input.isMapping()) return input.expected("a mapping of names to servers");
  for (const [name, remote] of input.entries()) {
    const line = readRemote(remote, name);
    if (line !== undefined) files.add(line);
  }
}

/** Says of a value without meaning where it is of a kind that cloud-init does not take. */
function checkNeedless(key: string, input: Input): void {
  if (key === "install_rsyslog") input.boolean();
  else if (key === "packages") input.texts();
  else if (key === "service_reload_command") {
    if (
      input.oneOrMoreTexts().length > 0 &&
      typeof input.value === "string" &&
      input.value !== "auto"
    ) {
      const message = "expected `auto`, or a list of words; it has no meaning here";
      const hint = "remove it: NixOS restarts rsyslog when its settings change";
      input.add("warning", { code: "cloud-config/unknown-value", message, hint });
    }
  } else input.text();
}

function nameEmpty(input: Input): void {
  if (input.entries().length === 0) nameNeedless(input, "without rules there is nothing to do");
}
