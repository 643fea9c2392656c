import { Ajv2020 } from "ajv/dist/2020.js";
import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { InputDocument } from "../../input-document.ts";
import { readYaml } from "../../yaml.ts";
import { checkCloudConfig } from "./check.ts";
import schema from "./cloud-config.schema.json" with { type: "json" };

function check(text: string): readonly string[] {
  return checkCloudConfig(documentOf(text)).map(formatFinding);
}

function documentOf(text: string): InputDocument {
  const { value, locate } = readYaml(text, { document: "user-data" });
  return new InputDocument({ name: "user-data", value: value ?? null, locate });
}

t.test("what cloud-init takes has no error", (t) => {
  t.same(check(""), []);
  t.same(check("#cloud-config\n{}\n"), []);
  t.same(check("users: [default, { name: alice, groups: [wheel], sudo: null }]\n"), []);
  t.same(check("locale: false\nruncmd: [ls, [touch, /tmp/x], null]\nntp:\nversion: v1\n"), []);
  t.end();
});

t.test("a key that is misspelt is named with the one that is meant", (t) => {
  t.same(check("pakages: [htop]\nntp: { server: [a] }\nusers: [{ name: a, shel: /bin/sh }]\n"), [
    "user-data:1:1 error pakages: cloud-config has no such key [cloud-config/unknown-key]\n  did you mean `packages`?",
    "user-data:2:8 error ntp.server: `ntp` has no such key [cloud-config/invalid]\n  did you mean `servers`?",
    "user-data:3:20 error users.0.shel: an entry of `users` has no such key [cloud-config/invalid]\n  did you mean `shell`?",
  ]);
  t.end();
});

t.test("a value of another kind is told once, with every form that it may have", (t) => {
  t.same(check("hostname: [a]\nswap: { size: 1.5MB }\nruncmd: [{ a: b }]\nmanage_etc_hosts: x\n"), [
    "user-data:1:11 error hostname: must be text [cloud-config/invalid]\n  write it like `hostname: web-1`",
    "user-data:2:15 error swap.size: must be `auto`, a whole number or a size such as `512M` or `1.5G` [cloud-config/invalid]\n  write it like `size: 1073741824`",
    "user-data:3:10 error runcmd.0: must be a list, text or empty [cloud-config/invalid]\n  write it like `- echo hello > /run/hello`",
    "user-data:4:19 error manage_etc_hosts: must be `true`, `false`, `localhost` or `template` [cloud-config/invalid]\n  write it like `manage_etc_hosts: true`",
  ]);
  t.end();
});

t.test("a word that is misspelt is named with the one that is meant", (t) => {
  t.same(check("growpart: { mode: atuo }\nmanage_etc_hosts: localhsot\nresize_rootfs: noblok\n"), [
    "user-data:1:19 error growpart.mode: must be `auto`, `growpart`, `gpart`, `off` or `false` [cloud-config/invalid]\n  did you mean `auto`?",
    "user-data:2:19 error manage_etc_hosts: must be `true`, `false`, `localhost` or `template` [cloud-config/invalid]\n  did you mean `localhost`?",
    "user-data:3:16 error resize_rootfs: must be `true`, `false` or `noblock` [cloud-config/invalid]\n  did you mean `noblock`?",
  ]);
  t.match(check("users: [{ name: a, lock_passwd: ture }]\n"), [/did you mean `true`\?$/]);
  t.match(check("cloud_config_modules: [usrs_groups]\n"), [
    /must be one of [0-9]+ words, such as .*\n {2}did you mean `users_groups`\?$/,
  ]);
  t.end();
});

t.test("what is no mapping is not told which keys it may have together", (t) => {
  t.match(check("users: [null]\nrh_subscription:\n"), [
    /users\.0: must be text, a list or a mapping /,
    /rh_subscription: must be a mapping /,
  ]);
  t.end();
});

t.test("of a value with several forms the one that it has is judged", (t) => {
  t.same(check("runcmd:\n  - [touch, 1]\nsnap:\n  commands: []\n"), [
    "user-data:2:13 error runcmd.0.1: must be text [cloud-config/invalid]\n  put it in quotes",
    "user-data:4:13 error snap.commands: must not be empty [cloud-config/invalid]\n  give it a value, or remove it",
  ]);
  t.same(check("users: [{ gecos: x }]\nyum_repos: { a: { name: b } }\n"), [
    "user-data:1:9 error users.0: lacks `name` or `snapuser` [cloud-config/invalid]\n  add `name: alice`",
    "user-data:2:17 error yum_repos.a: lacks `baseurl`, `metalink` or `mirrorlist` [cloud-config/invalid]\n  add `baseurl: https://rpm.example.org`",
  ]);
  t.end();
});

t.test("what is deprecated is a note that says what to write instead", (t) => {
  t.same(check("ca-certs: { remove-defaults: true }\ngrowpart: { mode: false }\n"), [
    "user-data:1:1 note ca-certs: deprecated in cloud-init since 22.3 [cloud-config/deprecated]\n  use `ca_certs`",
    "user-data:1:13 note ca-certs.remove-defaults: deprecated in cloud-init since 22.3 [cloud-config/deprecated]\n  use `remove_defaults`",
    "user-data:2:13 note growpart.mode: deprecated in cloud-init since 22.3 [cloud-config/deprecated]\n  write `'off'`",
  ]);
  t.same(check("growpart: { mode: 'off' }\nusers: [{ name: a, groups: 'b, c' }]\n"), []);
  t.end();
});

t.test("no finding repeats a value", (t) => {
  const said = check(
    "password: [s3cr3t]\nchpasswd: { users: [{ name: a, password: [s3cr3t] }] }\n",
  );
  t.equal(said.length > 0, true);
  t.notMatch(said.join("\n"), "s3cr3t");
  t.end();
});

t.test("each example of the schema fits the place that it stands at", (t) => {
  const ajv = new Ajv2020({ strict: false });
  let count = 0;
  for (const node of nodesOf(schema)) {
    const fits = ajv.compile({ ...node, $defs: schema.$defs });
    for (const example of node.examples) {
      count += 1;
      t.ok(fits(example), JSON.stringify(node));
    }
  }
  t.ok(count > 400, `${count}`);
  t.end();
});

/** Every schema with examples, wherever it stands. */
function* nodesOf(node: unknown): Generator<{ readonly examples: readonly unknown[] }> {
  if (typeof node !== "object" || node === null) return;
  if ("examples" in node && Array.isArray(node.examples)) yield node as { examples: unknown[] };
  for (const [key, inner] of Object.entries(node)) if (key !== "examples") yield* nodesOf(inner);
}

t.test("a document of many wrong values is bounded", (t) => {
  const text = `packages: [${"{ a: 1 },".repeat(20_000)}]\n`;
  t.equal(checkCloudConfig(documentOf(text)).length, 200);
  t.end();
});

interface SchemaNode {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly [key: string]: unknown;
}

/** Nodes of a schema that stand for one value, each with its place. */
function* valuesOf(node: SchemaNode, place: string): Generator<readonly [string, SchemaNode]> {
  const isValue =
    node.enum !== undefined || /^(string|integer|number|boolean|null)$/.test(node.type ?? "");
  if (isValue) yield [place, node];
  const inside = ["properties", "patternProperties", "$defs", "anyOf", "oneOf", "allOf"];
  for (const key of inside) {
    for (const [name, child] of Object.entries((node[key] ?? {}) as Record<string, SchemaNode>))
      yield* valuesOf(child, `${place}/${key}/${name}`);
  }
  for (const key of ["items", "additionalProperties"]) {
    const child = node[key];
    if (typeof child === "object" && child !== null)
      yield* valuesOf(child as SchemaNode, `${place}/${key}`);
  }
}

t.test("each value says what it is", (t) => {
  const values = [...valuesOf(schema as unknown as SchemaNode, "#")];
  t.ok(values.length > 450, `${values.length}`);
  t.same(
    values.filter(([, { description = "" }]) => description.length < 3).map(([place]) => place),
    [],
  );
  t.end();
});
