import { existsSync, readFileSync } from "node:fs";
import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { validate } from "#generated/provisioner/spec/v1.validate.js";
import schema from "../spec/v1.schema.json" with { type: "json" };
import { renderCases } from "./cases.ts";
import { everything } from "./everything.ts";
import { instanceScope } from "./instance-scope.ts";
import { fileOf, tryRender } from "./try-render.ts";

const rich = (): Spec => structuredClone(everything) as unknown as Spec;
const home = {
  "home-manager": {
    storePath: "/nix/store/00000000000000000000000000000000-home-manager",
    narHash: null,
    revision: null,
  },
};

/** Without what changes with every byte of any other file. */
function withoutDigests(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{64}/g, "0".repeat(64))
    .replaceAll(/firstlight\.[0-9a-f]{8}/g, `firstlight.${"0".repeat(8)}`);
}

for (const { name, file, spec, options } of renderCases) {
  t.test(`${name} is rendered as in golden/${name}.nix`, async (t) => {
    const golden = new URL(`./golden/${name}.nix`, import.meta.url);
    const result = tryRender(spec, options);
    t.same(result.findings, []);
    t.equal(
      withoutDigests(fileOf(result, file)),
      existsSync(golden) ? readFileSync(golden, "utf8") : "no golden file",
    );
  });
}

for (const [name, spec, isOn] of [
  ["passwords", { sshd: { passwordAuthentication: true } }, true],
  ["no passwords", { sshd: { passwordAuthentication: false } }, true],
  ["root", { sshd: { permitRootLogin: "no" } }, true],
  ["a key", { users: { a: { authorizedKeys: ["ssh-ed25519 AAAA"] } } }, true],
  ["a user without keys", { users: { a: { authorizedKeys: [] } } }, false],
  ["nothing", {}, false],
] as const satisfies readonly (readonly [string, Partial<Spec>, boolean])[]) {
  t.test(`the ssh server where the spec says of it: ${name}`, async (t) => {
    const text = fileOf(tryRender(spec as Partial<Spec>), "firstlight/instance.nix");
    t.equal(/openssh(?:\.| = \{\s+)enable = lib\.mkDefault true;/.test(text), isOn, text);
  });
}

t.test("a server that is switched off stays off, whatever else is said of it", async (t) => {
  const spec = { sshd: { enable: false, passwordAuthentication: true } };
  t.match(fileOf(tryRender(spec), "firstlight/instance.nix"), /enable = false;/);
});

t.test("an owner by number is one for NixOS as well, which looks names up", async (t) => {
  const file = { path: "/etc/b", content: "", owner: "1000", group: "100" };
  const { findings, ...result } = tryRender({ files: [file] });
  t.same(findings, []);
  const text = fileOf({ ...result, findings }, "firstlight/instance.nix");
  t.match(text, /user = "\+1000";\s+group = "\+100";/);
});

t.test(
  "the same input gives the same bytes, whatever order its mappings are written in",
  async (t) => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, item]) => [key, reversed(item)]),
      );
    };
    const first = tryRender(rich(), { base: { pins: home } });
    t.same(tryRender(rich(), { base: { pins: home } }).sources, first.sources);
    // The order of keys at the top, and inside of each entry, is no part of what is said.
    const { users, units, home: homes, options, hosts, templates, ...rest } = rich();
    const kept = { users, units, home: homes, options, hosts, templates };
    const other = tryRender({ ...(reversed(rest) as Spec), ...kept } as Spec, {
      base: { pins: home },
    });
    t.equal(other.sources.digest, first.sources.digest);
  },
);

t.test("a system says what it is made from, and its sources say the same", async (t) => {
  const one = tryRender(rich(), { base: { pins: home } });
  const entry = fileOf(one, "firstlight/generation.nix");
  const content = /content = "([0-9a-f]{64})"/.exec(entry)?.[1];
  t.match(JSON.parse(fileOf(one, "firstlight/manifest.json")), { content });
  t.match(entry, 'nixos.tags = [ "2026-01-edge" ]', "boot entries carry the release");
  t.match(entry, `instance = "${instanceScope("i-0001")}"`);
  for (const name of one.sources.credentials) t.match(entry, `"${name}"`);

  const moved = new Map([["hostname", { document: "user-data", line: 99, column: 1 }]]);
  const other = tryRender(rich(), { base: { pins: home }, origins: moved });
  t.not(other.sources.digest, one.sources.digest);
  t.equal(
    fileOf(other, "firstlight/generation.nix"),
    entry,
    "a line that moved makes no other system",
  );

  const unnamed = fileOf(tryRender({ hostname: "a" }), "firstlight/generation.nix");
  t.match(unnamed, /nixos\.tags = \[ "firstlight\.[0-9a-f]{8}" \]/);
  t.not(fileOf(tryRender({ hostname: "b" }), "firstlight/generation.nix"), unnamed);
});

t.test("every leaf of the schema is in the spec that says everything", async (t) => {
  t.ok(validate(rich()), JSON.stringify(validate.errors));
  const present = leaves(rich(), []);
  for (const leaf of schemaLeaves(schema as SchemaNode, [])) {
    const isHere = (path: readonly string[]) =>
      leaf.every((part, at) => path[at] === part || (part === "*" && path[at] !== undefined));
    t.ok(present.some(isHere), leaf.join("."));
  }
});

t.test("every leaf is rendered, or is the agent's", async (t) => {
  const place = { cloud: "Ec2", addresses: ["169.254.169.254"], ports: [80], identity: null };
  const base = { base: { pins: home }, metadataService: place };
  const whole = withoutManifest(tryRender(rich(), base));
  for (const path of leaves(rich(), [])) {
    if (isAgents(path)) continue;
    const spec = rich();
    change(spec, path);
    const changed = withoutManifest(tryRender(spec, base));
    t.not(changed, whole, `${path.join(".")} makes a difference`);
  }
});

/** Checked at run time, reported with, or decided with the base: nothing of them is in the system. */
function isAgents(path: readonly string[]): boolean {
  const [first = "", second, third] = path;
  if (["version", "mutableUsers", "health", "update"].includes(first)) return true;
  return first === "report" && !(second === "mqtt" && third === "password");
}

function withoutManifest({ sources }: ReturnType<typeof tryRender>): string {
  return JSON.stringify(sources.files.filter(({ path }) => path !== "firstlight/manifest.json"));
}

/** Another value of the same kind at a leaf; what is free or optional is taken away. */
function change(spec: Spec, path: readonly string[]): void {
  let at = spec as unknown as Record<string, unknown>;
  for (const part of path.slice(0, -1)) at = at[part] as Record<string, unknown>;
  const key = path.at(-1) ?? "";
  const value = at[key];
  const other: Readonly<Record<string, unknown>> = {
    when: value === "early" ? "late" : "early",
    frequency: value === "once" ? "always" : "once",
    interpreter: "sh",
    renderer: "NetworkManager",
    path: `${String(value)}x`,
    to: "203.0.113.0/24",
    name: path[0] === "templates" ? "no-such-template" : "other",
    secretRef: "another",
  };
  if (typeof value === "boolean") at[key] = !value;
  else if (Object.hasOwn(other, key)) at[key] = other[key];
  else if (Array.isArray(at)) (at as unknown[]).splice(Number(key), 1);
  else if (path[0] === "options" || path[0] === "keyboard")
    at[key] = typeof value === "number" ? value + 1 : "us";
  else if (path[0] === "modules" || ["device", "layout", "content"].includes(key))
    at[key] = `${String(value)}x`;
  else delete at[key];
}

function leaves(value: unknown, path: readonly string[]): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]));
}

interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string;
  /** `true` for a key that one of `allOf` describes. */
  readonly properties?: Readonly<Record<string, SchemaNode | boolean>>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

function schemaLeaves(node: SchemaNode, path: readonly string[]): readonly (readonly string[])[] {
  const root = schema as SchemaNode;
  if (node.$ref !== undefined) {
    const name = node.$ref.slice("#/$defs/".length);
    return schemaLeaves(root.$defs?.[name] ?? {}, path);
  }
  const inner = [
    ...Object.entries(node.properties ?? {}).flatMap(([key, each]) =>
      typeof each === "boolean" ? [] : schemaLeaves(each, [...path, key]),
    ),
    // what every kind of interface may say is said of the first kind here
    ...(path[1] === "ethernets" ? (node.allOf ?? []) : []).flatMap((each) =>
      schemaLeaves(each, path),
    ),
    ...(node.items === undefined ? [] : schemaLeaves(node.items, [...path, "*"])),
    ...(typeof node.additionalProperties === "object"
      ? schemaLeaves(node.additionalProperties, [...path, "*"])
      : []),
    ...(node.oneOf ?? []).flatMap((each) => schemaLeaves(each, path)),
  ];
  return inner.length === 0 ? [path] : inner;
}
