import { sha256 } from "#core/canonical-json.ts";
import type { File } from "#generated/provisioner/spec/v1.ts";
import { attrs, bind, bool, call, list, ref, str } from "#provisioner/nix-language/tree.ts";
import {
  type Assignment,
  addFinding,
  assign,
  type Concern,
  credential,
  loadCredential,
  shellWord,
} from "./assignment.ts";

/** Paths that NixOS makes itself, each with its way to say the same. */
const ownedPaths: readonly (readonly [RegExp, string])[] = [
  [/^\/etc\/(passwd|shadow|group|gshadow|subuid|subgid)$/, "use `users` and `groups`"],
  [/^\/etc\/(hostname|machine-id)$/, "use `hostname`; the machine-id is made at the first boot"],
  [/^\/etc\/hosts$/, "use `hosts`"],
  [/^\/etc\/resolv\.conf$/, "use `resolver`"],
  [/^\/etc\/fstab$/, "use `mounts`"],
  [/^\/etc\/sudoers$/, "use `sudo` of the users"],
  [/^\/etc\/nixos(\/|$)/, "write the owner's part of the configuration to local.nix by hand"],
  [/^\/etc\/static(\/|$)/, "choose a path below /etc"],
  [/^\/(nix|proc|sys|dev|run\/current-system|run\/booted-system)(\/|$)/, "choose another path"],
];

/**
 * Files: what everybody may read under /etc is part of the system; everything else is put in
 * place by a unit, secrets from their credentials, and never stands in the store.
 */
export function renderFiles(concern: Concern): readonly Assignment[] {
  const files = (concern.spec.files ?? []).map((file, index) => ({ file, index }));
  const allowed = files.filter(({ file, index }) => isAllowed(concern, file, index));
  const last = new Map(allowed.map(({ file, index }) => [file.path, index]));
  const system: Assignment[] = [];
  const now: Placed[] = [];
  const deferred: Placed[] = [];
  for (const { file, index } of allowed) {
    const replaced = file.append !== true && last.get(file.path) !== index;
    if (
      replaced &&
      files.every((other) => other.file.path !== file.path || other.file.append !== true)
    ) {
      addFinding(
        concern,
        ["files", String(index)],
        "note",
        "render/file-twice",
        "a later entry replaces this file",
      );
      continue;
    }
    if (isPartOfSystem(file)) system.push(etcFile(file, index));
    else (file.defer === true ? deferred : now).push({ file, index });
  }
  return [
    ...system,
    ...unit(concern, "firstlight-files", now, false),
    ...unit(concern, "firstlight-files-deferred", deferred, true),
  ];
}

interface Placed {
  readonly file: File;
  readonly index: number;
}

function isAllowed(concern: Concern, file: File, index: number): boolean {
  const path = file.path.replace(/\/+/g, "/");
  const hint = ownedPaths.find(([pattern]) => pattern.test(path))?.[1];
  const climbs = path.split("/").some((part) => part === ".." || part === ".");
  if (hint === undefined && !climbs) return true;
  addFinding(
    concern,
    ["files", String(index)],
    "warning",
    "render/owned-path",
    climbs
      ? "a path may not hold . or .. as a name"
      : "NixOS writes this file itself; it is left alone",
    hint ?? "write the path out",
  );
  return false;
}

function isPartOfSystem(file: File): boolean {
  return file.path.startsWith("/etc/") && file.secret === undefined && file.append !== true;
}

function etcFile(file: File, index: number): Assignment {
  const mode = (file.mode ?? "0644").padStart(4, "0");
  const owner = file.owner ?? "root";
  const group = file.group ?? "root";
  const copied = !["0644", "0444"].includes(mode) || owner !== "root" || group !== "root";
  const value = attrs([
    bind("text", str(file.content ?? "")),
    ...(copied
      ? [bind("mode", str(mode)), bind("user", str(owner)), bind("group", str(group))]
      : []),
  ]);
  return assign(["environment", "etc", file.path.slice("/etc/".length)], value, [
    "files",
    String(index),
  ]);
}

/** One unit that installs files in order; a changed file or secret changes the unit, and so runs it again. */
function unit(
  concern: Concern,
  name: string,
  placed: readonly Placed[],
  late: boolean,
): readonly Assignment[] {
  if (placed.length === 0) return [];
  const parts = placed.flatMap(({ file, index }) => install(concern, file, index));
  const texts = placed
    .filter(({ file }) => file.secret === undefined)
    .map(({ file, index }) =>
      bind(
        `FILE_${index}`,
        call(ref("pkgs", "writeText"), str(`file-${index}`), str(file.content ?? "")),
      ),
    );
  const credentials = new Map<string, string[]>();
  for (const { file } of placed) {
    if (file.secret === undefined) continue;
    const { key, line } = loadCredential(credential(concern, file.secret.secretRef));
    credentials.set(key, [...(credentials.get(key) ?? []), line]);
  }
  const order = late
    ? [
        bind("after", list([str("network-online.target")])),
        bind("wants", list([str("network-online.target")])),
      ]
    : [
        bind("before", list([str("network-pre.target")])),
        bind("wants", list([str("network-pre.target")])),
      ];
  const value = attrs([
    bind("description", str("Put the files of the spec in place")),
    bind("wantedBy", list([str("multi-user.target")])),
    ...order,
    ...(texts.length === 0 ? [] : [bind("environment", attrs(texts))]),
    bind("script", str(parts.join(""))),
    bind(
      "serviceConfig",
      attrs([
        bind("Type", str("oneshot")),
        bind("RemainAfterExit", bool(true)),
        ...[...credentials].map(([key, lines]) => bind(key, list(lines.map(str)))),
      ]),
    ),
  ]);
  return [assign(["systemd", "services", name], value, ["files"])];
}

function install(concern: Concern, file: File, index: number): readonly string[] {
  const path = shellWord(file.path);
  const source =
    file.secret === undefined
      ? [`"$FILE_${index}"`]
      : [`"$CREDENTIALS_DIRECTORY"/${credential(concern, file.secret.secretRef).name}`];
  const mode = file.mode ?? "0644";
  const owner = `-o ${shellWord(file.owner ?? "root")} -g ${shellWord(file.group ?? "root")}`;
  if (file.append !== true) return [`install -D -m ${mode} ${owner} `, ...source, ` ${path}\n`];
  const stamp = `/var/lib/firstlight/stamps/${stampOf(concern, file, index)}`;
  return [
    `if [ ! -e ${stamp} ]; then\n  [ -e ${path} ] || install -D -m ${mode} ${owner} /dev/null ${path}\n  cat `,
    ...source,
    ` >> ${path}\n  install -D -m 0600 /dev/null ${stamp}\nfi\n`,
  ];
}

function stampOf(concern: Concern, file: File, index: number): string {
  const version =
    file.secret === undefined
      ? sha256(file.content ?? "")
      : credential(concern, file.secret.secretRef).file;
  return `append-${sha256(`${concern.instanceId}\0${index}\0${file.path}\0${version}`).slice(0, 16)}`;
}
