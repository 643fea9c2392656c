import {
  attrs,
  bind,
  bool,
  call,
  list,
  type NixExpr,
  ref,
  str,
} from "#provisioner/nix-language/tree.ts";
import {
  type Assignment,
  addFinding,
  assign,
  type Concern,
  credential,
  firstSaid,
  loadCredentials,
  shellWord,
} from "./assignment.ts";
import { credentialLimitBytes, sizeOf } from "./credential-limit.ts";
import { eachEnd, eachStart, enterFunction, putFunction } from "./file-shell.ts";
import { managerProfiles } from "./network-manager/profiles.ts";
import {
  type NetworkFile,
  secretsOfManager,
  secretsOfNetwork,
  wirelessGroup,
} from "./network-secret-files.ts";
import { warnOfUndeclared } from "./undeclared.ts";

const directory = "/run/firstlight/network";
const deliveringUnit = "firstlight-network-secrets";
const wirelessVariable = "wireless_group";
const networkd = { group: "systemd-network", unit: "systemd-networkd.service" };

/** Where the network secret of this name lies while the machine runs: what options of daemons name. */
export function networkSecretPath(name: string): string {
  return `${directory}/${name}`;
}

/**
 * Secrets as files that network daemons read. One unit writes them to memory before the network is set
 * up; the units that read one carry the name of its version, so that a switch restarts them with another
 * value, after the file is there, and no others. That is a restart also for systemd-networkd: to read its
 * files again changes nothing of a netdev that exists.
 *
 * systemd-networkd takes credentials itself (`network.wireguard.*`) from 256 on only.
 */
export function renderNetworkSecrets(concern: Concern): readonly Assignment[] {
  const secrets = secretsOf(concern);
  if (secrets.length === 0) return [];
  check(concern, secrets);
  const from = firstSaid(
    concern,
    secrets.map((secret) => secret.from),
  );
  return [assign(["systemd", "services", deliveringUnit], unit(concern, secrets), from)];
}

/**
 * Packages with the lines that the units that read network secrets have beside their own: they want the
 * files first, and are others with another value. Of a unit that nobody makes, they are nothing.
 */
export function networkSecretDropIns(concern: Concern): readonly NixExpr[] {
  return readersOf(concern).map(({ unit, versions }) => {
    const triggers = versions.map((version) => `X-Restart-Triggers=${version}\n`).join("");
    const first = `Wants=${deliveringUnit}.service\nAfter=${deliveringUnit}.service\n`;
    const file = `etc/systemd/system/${unit}.d/firstlight-network-secrets.conf`;
    return call(ref("pkgs", "writeTextDir"), str(file), str(`[Unit]\n${first}${triggers}`));
  });
}

/** By name, so that the order of the spec is nothing to the units. */
function secretsOf({ spec, networkRenderer }: Concern): readonly NetworkFile[] {
  const own = Object.entries(spec.networkSecrets ?? {}).map(
    ([name, { secret, group, units }]): NetworkFile => ({
      ...{ name, group, units, parts: [secret] },
      from: ["networkSecrets", name],
    }),
  );
  const { network = {} } = spec;
  const ofNetwork =
    networkRenderer.renderer === "NetworkManager"
      ? secretsOfManager(managerProfiles(network, () => {}))
      : secretsOfNetwork(network);
  return [...own, ...ofNetwork].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function check(concern: Concern, secrets: readonly NetworkFile[]): void {
  for (const { from, group } of secrets) {
    if (from[0] !== "networkSecrets" || group === undefined || /^\d+$/.test(group)) continue;
    const at = [...from, "group"];
    const otherwise = "without one only root reads the file, and the unit that writes it fails";
    warnOfUndeclared(concern, { kind: "group", name: group, at, otherwise });
  }
  const files = filesOf(concern, secrets);
  const isOneTooLarge = files.some((file) => sizeOf([file]) > credentialLimitBytes);
  if (isOneTooLarge || sizeOf(files) <= credentialLimitBytes) return;
  const message = `these secrets are more than the ${credentialLimitBytes} bytes that systemd hands to one unit`;
  const hint = "put what is large in place by `files`";
  addFinding(concern, ["networkSecrets"], "error", "render/secret-too-large", message, hint);
}

function filesOf(concern: Concern, secrets: readonly NetworkFile[]) {
  return secrets.flatMap(({ parts }) =>
    parts.map(({ secretRef }) => credential(concern, secretRef)),
  );
}

interface Reader {
  readonly unit: string;
  /** Of all that it reads. */
  readonly versions: readonly string[];
}

function readersOf(concern: Concern): readonly Reader[] {
  const read = secretsOf(concern).flatMap(({ name, parts, units = [networkd.unit] }) => {
    const versions = parts.map(({ secretRef }) => credential(concern, secretRef).version);
    return units.map((unit) => ({ unit, version: `${name}:${versions.join(",")}` }));
  });
  return [...Map.groupBy(read, ({ unit }) => unit)].map(([unit, each]) => ({
    unit,
    versions: each.map(({ version }) => version),
  }));
}

/**
 * A switch stops this unit when it changes, which takes nothing away, and starts it with
 * `sysinit-reactivation.target`, before it restarts any other.
 */
function unit(concern: Concern, secrets: readonly NetworkFile[]): NixExpr {
  const readers = readersOf(concern).map(({ unit }) => unit);
  return attrs([
    bind("description", str("Put secrets of the network in place")),
    bind("wantedBy", list(["multi-user.target", "sysinit-reactivation.target"].map(str))),
    bind("wants", list([str("network-pre.target")])),
    bind(
      "before",
      list(["network-pre.target", "sysinit-reactivation.target", ...readers].map(str)),
    ),
    bind("path", list([ref("pkgs", "util-linux")])),
    bind("script", str(script(concern, secrets))),
    bind(
      "serviceConfig",
      attrs([
        bind("Type", str("oneshot")),
        bind("RemainAfterExit", bool(true)),
        bind("TimeoutStartSec", str("1min")),
        ...loadCredentials(filesOf(concern, secrets)),
      ]),
    ),
  ]);
}

/** In a ramfs, which is never swapped; where none can be mounted, in the tmpfs that /run is. */
const prepare = `install -d -m 0711 ${directory}
mountpoint -q ${directory} || mount -t ramfs -o mode=0711 ramfs ${directory} || true
`;

const keepOnly = `# Removes what is no secret of the network any more: names of those that are.
keep_only() {
  local file name
  for file in ${directory}/*; do
    for name in "$@"; do
      if [ "$file" = "${directory}/$name" ]; then continue 2; fi
    done
    rm -f -- "$file"
  done
}
`;

/** wpa_supplicant is root, or a user of its own where the system makes one. */
const findWireless = `${wirelessVariable}=root
if grep -q '^${wirelessGroup}:' /etc/group; then ${wirelessVariable}=${wirelessGroup}; fi
`;

/**
 * Bash: `variable NAME FILE` prints a line of an environment file. Its value is one of a keyfile, and
 * then one in the quotes of systemd; what would begin another line of either is refused.
 */
const variableFunction = `variable() {
  local value
  value=$(cat -- "$2") || return 1
  case $value in
    *[[:cntrl:]]*)
      echo "firstlight: \${2##*/} is no single line, which a profile of NetworkManager takes" >&2
      return 1
      ;;
  esac
  value=\${value//\\\\/\\\\\\\\}
  case $value in ' '*) value="\\\\s\${value# }" ;; esac
  value=\${value//\\\\/\\\\\\\\}
  value=\${value//\\"/\\\\\\"}
  value=\${value//\\$/\\\\\\$}
  value=\${value//\\\`/\\\\\\\`}
  printf '%s="%s"\\n' "$1" "$value"
}
`;

function script(concern: Concern, secrets: readonly NetworkFile[]): string {
  const kept = `keep_only ${secrets.map(({ name }) => shellWord(name)).join(" ")}\n`;
  const hasWireless = secrets.some(({ group }) => group === wirelessGroup);
  const hasVariables = secrets.some(({ isEnvironment }) => isEnvironment);
  const puts = secrets.map((secret) => putLine(concern, secret)).join("");
  return [
    ...[enterFunction, putFunction, keepOnly, prepare],
    ...(hasWireless ? [findWireless] : []),
    ...(hasVariables ? [variableFunction] : []),
    `${eachStart}${puts}${kept}${eachEnd}`,
  ].join("\n");
}

function putLine(concern: Concern, { name, parts, isEnvironment, ...secret }: NetworkFile): string {
  const { group = networkd.group } = secret;
  const target = group === wirelessGroup ? `"$${wirelessVariable}"` : shellWord(group);
  const file = (secretRef: string) =>
    `"$CREDENTIALS_DIRECTORY/${credential(concern, secretRef).name}"`;
  const path = shellWord(networkSecretPath(name));
  if (isEnvironment) {
    const lines = parts.map(
      ({ secretRef, key = "" }) => `lines+=$(variable ${key} ${file(secretRef)})$'\\n'\n`,
    );
    return `lines=\n${lines.join("")}put 0600 root ${target} ${directory} ${path} <(printf %s "$lines")\n`;
  }
  const contents = parts.map(({ secretRef, key }) =>
    key === undefined
      ? file(secretRef)
      : `<(printf '%s=%s\\n' ${shellWord(key)} "$(cat ${file(secretRef)})")`,
  );
  return `put 0440 root ${target} ${directory} ${path} ${contents.join(" ")}\n`;
}
