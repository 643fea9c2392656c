import t from "tap";
import { renderPreview } from "#cli/preview.ts";
import type { Finding } from "#core/finding.ts";
import { translate } from "#provisioner/userdata/translate.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";
import { nixEvalJson, skipWithoutNix } from "./nix-eval.ts";

// 1,000 hostile strings, each in every string field of cloud-config at once: every one arrives
// literally, or is refused with a finding at its place; Nix evaluates none of them.

const count = 1_000;
const batch = 100;
const seed = 20_261_124;

const fragments = [
  '"',
  "'",
  "''",
  "'''",
  "''${",
  "${",
  "$${",
  "$",
  "\\",
  "\\\\",
  "\\n",
  "\n",
  "\r\n",
  "\t",
  "}",
  "{",
  ";",
  "#",
  "/*",
  "*/",
  `\${abort "evaluated"}`,
  `\${builtins.throw "evaluated"}`,
  '"; evaluated = abort "evaluated"; x = "',
  "''; x = ''",
  '${"',
  "a",
  "0",
  " ",
  "  ",
  "é",
  "\u2028",
  "\ufeff",
  "😀",
  "\u0001",
  "\u0007",
  "\u001b[31m",
  "\u007f",
  "with import <nixpkgs> {};",
  "imports",
  "_type",
  "outPath",
  "/nix/store",
  "rec { }",
  "let in",
  "if",
  "null",
  "-",
  "=",
  "*",
  "$(id)",
  "`id`",
  "| sh",
  "\u0000",
  "\ud800",
];

/** Fields whose value may be any text, by the document that holds it; each must arrive or be refused. */
function documentWith(text: string): Record<string, unknown> {
  return {
    hostname: text,
    timezone: text,
    locale: text,
    keyboard: { layout: text, variant: text, model: text, options: text },
    ntp: { servers: [text], pools: [text], ntp_client: text },
    packages: [text],
    groups: [{ crew: [text] }, { [text]: [] }],
    users: [
      {
        name: "plain",
        gecos: text,
        homedir: text,
        primary_group: text,
        groups: [text],
        shell: text,
        ssh_authorized_keys: [text],
        sudo: [text],
        doas: [text],
        hashed_passwd: text,
        lock_passwd: false,
        expiredate: text,
      },
      { name: text, gecos: "named" },
    ],
    write_files: [
      { path: "/etc/content", content: text },
      { path: "/opt/content", content: text },
      { path: "/root/private", permissions: "0600", content: text },
      { path: text, content: "at a path" },
      { path: "/etc/owner", content: "owned", owner: text },
      { path: "/etc/mode", content: "mode", permissions: text },
    ],
    bootcmd: [text],
    runcmd: [[text, "argument"], text],
    firstlight: {
      options: { "services.test.value": { key: text, [text]: "value" } },
      units: { "x.service": { text } },
      hosts: { "192.0.2.1": [text] },
      health: { checks: [{ type: "file", path: text }] },
    },
  };
}

/** What a module is called with; a package that was asked for is there. */
function argsFor(translation: Translation | undefined): string {
  const asked = (translation?.spec.packages ?? []).map(
    (name) => `${JSON.stringify(name)} = "/package";`,
  );
  return `{
  lib = { mkDefault = x: x; mkForce = x: x; mkOverride = _: x: x; };
  pkgs = { bash = "/bash"; coreutils = "/coreutils"; util-linux = "/util-linux"; gnused = "/gnused"; getent = "/getent"; bashInteractive = "/bash"; shadow = "/shadow"; systemd = "/systemd"; writeText = name: text: text; writeTextFile = { text, ... }: text; ${asked.join(" ")} };
  config = { systemd.package = "/systemd"; system.path = "/path"; };
}`;
}

t.setTimeout(300_000);

t.test(
  "no hostile string is evaluated; each arrives literally or is refused",
  { skip: skipWithoutNix() },
  async (t) => {
    const strings = hostileStrings();
    t.equal(new Set(strings).size, count);
    let [arrived, refused] = [0, 0];
    for (let start = 0; start < count; start += batch) {
      const part = strings.slice(start, start + batch);
      const translations = part.map((text) => translateWith(text));
      const rendered = await Promise.all(translations.map(renderInstance));
      const files = Object.fromEntries(
        rendered.map(({ content }, index) => [`instance-${index}.nix`, content]),
      );
      const list = Object.keys(files).map(
        (name, index) => `(import ./${name} ${argsFor(translations[index])})`,
      );
      const evaluated = nixEvalJson(`map builtins.toJSON [ ${list.join(" ")} ]`, {
        files,
      }) as readonly string[];
      for (const [index, text] of part.entries()) {
        const translation = translations[index];
        if (translation === undefined) continue;
        const found = everyText(JSON.parse(evaluated[index] ?? "null"));
        const findings = rendered[index]?.findings ?? [];
        for (const [field, isThere] of fieldsToFind(translation, found, text)) {
          if (isThere) arrived += 1;
          else if (findings.some((finding) => isAbout(finding, field))) refused += 1;
          else t.fail(`${field}: ${JSON.stringify(text)} is neither there nor refused`);
        }
      }
    }
    t.comment(`${arrived} arrived, ${refused} refused, seed ${seed}`);
    t.ok(arrived > count, "many arrive");
    t.ok(refused > count, "many are refused");
  },
);

/** Names that the spec has for fields of cloud-config: a finding may speak of either. */
const specNames: Readonly<Record<string, string>> = {
  "users.0.gecos": "users.plain.description",
  "users.0.ssh_authorized_keys.0": "users.plain.authorizedKeys",
  "write_files.0.content": "files.0",
  "write_files.1.content": "files.1",
  "firstlight.options": "options",
  "firstlight.units.x.service.text": "units",
};

/** Whether a finding speaks of a field, of what holds it, or of the whole. */
function isAbout(finding: Finding, field: string): boolean {
  const related = (name: string) =>
    `${finding.path}.`.startsWith(`${name}.`) || `${name}.`.startsWith(`${finding.path}.`);
  return finding.path === "" || related(field) || related(specNames[field] ?? field);
}

function translateWith(text: string): Translation {
  const bytes = Buffer.from(`#cloud-config\n${JSON.stringify(documentWith(text))}\n`);
  return translate(
    { userData: { document: "user-data", bytes } },
    { hostname: null, publicKeys: [], defaultUser: "nixos", fetched: new Map() },
  );
}

interface Rendered {
  readonly content: string;
  readonly findings: readonly Finding[];
}

async function renderInstance(translation: Translation): Promise<Rendered> {
  const { sources, findings } = await renderPreview(translation, {});
  const instance = sources.files.find(({ path }) => path === "firstlight/instance.nix");
  // With an error nothing is built: what was rendered beside it is of no account.
  return {
    content: instance?.content ?? "{ ... }: { }",
    findings: [...translation.findings, ...findings],
  };
}

/** Fields that take any text: whether it arrived in what Nix made of the rendering, or in a secret. */
function fieldsToFind(
  translation: Translation,
  found: ReadonlySet<string>,
  text: string,
): readonly (readonly [string, boolean])[] {
  const secrets = [...translation.secrets.values()].map((secret) =>
    Buffer.from(secret.reveal()).toString("utf8"),
  );
  const inNix = (wanted: string) => found.has(wanted);
  const inSecret = (wanted: string) => secrets.some((secret) => secret.includes(wanted));
  return [
    ["hostname", inNix(text)],
    ["timezone", inNix(text)],
    ["keyboard.options", inNix(text)],
    ["ntp.servers.0", inNix(text)],
    ["users.0.gecos", inNix(text)],
    ["users.0.ssh_authorized_keys.0", inNix(text) || isComment(text)],
    // What is not text goes the way of secrets.
    ["write_files.0.content", inNix(text) || inSecret(text)],
    ["write_files.1.content", inNix(text) || inSecret(text)],
    ["write_files.2.content", inSecret(text)],
    ["bootcmd.0", inSecret(text)],
    ["runcmd.1", inSecret(text)],
    ["firstlight.options", inNix(text)],
    ["firstlight.units.x.service.text", inNix(text)],
  ];
}

/** A comment of an authorized_keys file is no key. */
function isComment(text: string): boolean {
  return text.trim().startsWith("#");
}

function everyText(value: unknown): ReadonlySet<string> {
  if (typeof value === "string") return new Set([value]);
  if (typeof value !== "object" || value === null) return new Set();
  const inside = Object.entries(value).flatMap(([key, child]) => [key, ...everyText(child)]);
  return new Set(inside);
}

/** The same strings every time (mulberry32); two of them are a megabyte long. */
function hostileStrings(): readonly string[] {
  let state = seed;
  const random = (bound: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
  const made = new Set<string>([
    `\${abort "evaluated"}`,
    `it'\${abort "evaluated"}`,
    "\ud800",
    "a\u0000b",
  ]);
  made.add(`${"x".repeat(1_000_000)}\${abort "evaluated"}`);
  while (made.size < count) {
    const parts = Array.from(
      { length: 1 + random(8) },
      () => fragments[random(fragments.length)] ?? "",
    );
    made.add(parts.join(""));
  }
  return [...made];
}
