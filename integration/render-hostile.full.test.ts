// biome-ignore-all lint/suspicious/noTemplateCurlyInString: in Nix texts the sign is the subject
import { writeFileSync } from "node:fs";
import t from "tap";
import { hasErrors } from "#core/finding.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { validate } from "#generated/provisioner/spec/v1.validate.js";
import type { CredentialFile } from "#provisioner/render/base.ts";
import { everything } from "#provisioner/render/everything.ts";
import { fileOf, tryRender } from "#provisioner/render/try-render.ts";
import { nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { writeRendered } from "./render-check.ts";

/** Names and values of options are any, here. */
const strange = { anyOption: true } as const;

t.setTimeout(300_000);
const skip = skipWithoutNix();

const traps = [
  '${abort "evaluated"}',
  '${builtins.throw "evaluated"}',
  "'' + abort \"evaluated\" + ''",
  "''${abort \"evaluated\"}",
  'it\'${abort "evaluated"}',
  '$${abort "evaluated"}',
  '" + abort "evaluated" + "',
  '\\" + abort "evaluated" + \\"',
  '\\${abort "evaluated"}',
  "${",
  "''",
  "'$'",
  '"',
  "\\",
  "$",
  "*/ abort",
  "# x",
];
const texts = [
  "a\nb",
  "a\r\nb",
  "\n",
  "\t",
  " ",
  "\u0001\u001b[2J",
  "\u007f",
  "a\u2028b",
  "\ufeff",
  "🐧",
  "a\0b",
  "\ud800",
  "\udc00x",
  "--help",
  "-rf",
  "$(touch x)",
  "`touch x`",
  "a;b",
  "a'b",
  "%n%i",
  "_type",
  "imports",
  "outPath",
  "__functor",
  "../../etc/shadow",
  "/",
  ".",
  "null",
  "1e400",
];
const strings = [
  ...traps,
  ...texts,
  ...traps.flatMap((trap) => texts.map((text) => `${text}${trap}`)),
  ...texts.flatMap((text) => traps.map((trap) => `${trap}${text}${trap}`)),
  ...traps.flatMap((trap) => [`x${trap}\n  ${trap}\n`, `  ${trap}\n  y\n`]),
];
const huge = `${"x".repeat(1024 * 1024)}\${abort "evaluated"}''`;

/** Every text of the spec but the names of secrets, which firstlight itself gives. */
const spec = (): Spec => {
  const { home: _home, ...rest } = everything as unknown as Spec;
  return rest;
};

function textPlaces(value: unknown, path: readonly string[]): readonly (readonly string[])[] {
  if (typeof value === "string") return path.at(-1) === "secretRef" ? [] : [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => textPlaces(item, [...path, key]));
}

/** The part of the spec that a place is in, with the text there; other parts have other tests. */
function withText([part = "", ...below]: readonly string[], text: string): Spec {
  const whole = spec() as unknown as Record<string, unknown>;
  const hostile: Record<string, unknown> = { version: 1, [part]: structuredClone(whole[part]) };
  const path = [part, ...below];
  let at = hostile;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[path.at(-1) ?? ""] = text;
  return hostile as unknown as Spec;
}

const places = textPlaces(spec(), []);

t.test(
  "no text at any place ends the program; each is refused with a finding or rendered",
  async (t) => {
    let rendered = 0;
    let refused = 0;
    for (const place of places) {
      for (const text of strings) {
        const hostile = withText(place, text);
        if (!validate(hostile)) {
          refused += 1;
          continue;
        }
        const { findings } = tryRender(hostile, strange);
        if (hasErrors(findings)) refused += 1;
        else rendered += 1;
        for (const { path, message } of findings) {
          if (/\p{Cc}/u.test(`${path}${message}`) || !`${path}${message}`.isWellFormed())
            t.fail(`a finding of ${place.join(".")} holds ${JSON.stringify(message)}`);
        }
      }
    }
    t.ok(strings.length >= 1000, `${strings.length} strings at ${places.length} places`);
    t.ok(rendered > 5000 && refused > 5000, `${rendered} rendered, ${refused} refused`);
  },
);

/** Where a text arrives in the configuration, and how it gets there. */
const arrivals: readonly (readonly [
  name: string,
  make: (text: string) => Omit<Spec, "version">,
  config: string,
])[] = [
  [
    "description",
    (text) => ({ users: { a: { description: text } } }),
    "c.users.users.a.description",
  ],
  [
    "key",
    (text) => ({ users: { a: { authorizedKeys: [text] } } }),
    "builtins.head c.users.users.a.openssh.authorizedKeys.keys",
  ],
  [
    "content",
    (text) => ({ files: [{ path: "/etc/a", content: text }] }),
    "c.environment.etc.a.text",
  ],
  [
    "placed",
    (text) => ({ files: [{ path: "/opt/a", content: text }] }),
    "c.systemd.services.firstlight-files.environment.FILE_0.text",
  ],
  [
    "unit",
    (text) => ({ units: { "a.service": { text: text || "x" } } }),
    'c.systemd.units."a.service".text',
  ],
  ["device", (text) => ({ mounts: [{ device: text, path: "/a" }] }), 'c.fileSystems."/a".device'],
  ["option", (text) => ({ options: { "services.x.y": text } }), "c.services.x.y"],
  [
    "data",
    (text) => ({ options: { "services.x": { deep: [{ [text]: text }] } } }),
    "builtins.head (builtins.attrValues (builtins.head c.services.x.deep))",
  ],
  [
    "template",
    (text) => ({ templates: [{ name: "docker-host", parameters: { pruneSchedule: text } }] }),
    "c.virtualisation.docker.autoPrune.dates",
  ],
];

t.test(
  "what is rendered arrives in the configuration as it is, and none of it is evaluated",
  { skip },
  async (t) => {
    const machine = await nixMachine(t);
    const directory = t.testdir();
    const checks: string[] = [];
    for (const [name, make, config] of arrivals) {
      // Several at once: the evaluation of a system is what takes time.
      const chosen = [...strings, huge].filter((text) => {
        const whole = { ...make(text), version: 1 } as Spec;
        return validate(whole) && !hasErrors(tryRender(whole, strange).findings);
      });
      t.ok(chosen.length > 10, `${name}: ${chosen.length} texts fit`);
      const sample = chosen.filter(
        (_, at) => at % Math.ceil(chosen.length / 12) === 0 || at === chosen.length - 1,
      );
      for (const [at, text] of sample.entries()) {
        const entry = writeRendered(
          `${directory}/${name}-${at}`,
          tryRender(make(text), strange).sources,
        );
        const wanted = `builtins.fromJSON (builtins.readFile ${entry}.json)`;
        writeFileSync(`${entry}.json`, JSON.stringify(text));
        checks.push(
          `{ name = "${name} ${at}"; same = (let c = (system ${entry}).config; in ${config}) == ${wanted}; }`,
        );
      }
    }
    const expression = `let system = configuration: import <nixpkgs/nixos> { inherit configuration; system = "x86_64-linux"; }; in map (each: each.name) (builtins.filter (each: !each.same) [ ${checks.join(" ")} ])`;
    writeFileSync(`${directory}/main.nix`, expression);
    const argv = [
      "nix-instantiate",
      "--eval",
      "--strict",
      "--json",
      "--read-write-mode",
      `${directory}/main.nix`,
    ] as const;
    const { code, stdout, stderr } = await machine.run(argv, { timeoutMs: 240_000 });
    t.equal(code, 0, stderr.slice(-2000));
    t.same(JSON.parse(stdout || "null"), [], `${checks.length} texts`);
  },
);

t.test(
  "every printed file of the whole set parses, and nothing of it is code",
  { skip },
  async (t) => {
    const machine = await nixMachine(t);
    const directory = t.testdir();
    const files: string[] = [];
    for (const [name, make] of arrivals) {
      const all = strings.flatMap((text) => {
        const whole = { ...make(text), version: 1 } as Spec;
        return validate(whole) ? [tryRender(whole, strange)] : [];
      });
      const modules = all.map((result) =>
        fileOf(result, name === "template" ? "configuration.nix" : "firstlight/instance.nix"),
      );
      const list = modules.map((text) => `(${text})`).join("\n");
      const file = `${directory}/${name}.nix`;
      writeFileSync(file, `[\n${list}\n]\n`);
      files.push(file);
    }
    // Deep evaluation of the bodies would look at lib and pkgs; that the list has its length means it parsed.
    const expression = `map (file: builtins.length (import file)) [ ${files.join(" ")} ]`;
    const { code, stderr } = await machine.run(
      ["nix-instantiate", "--eval", "--strict", "--expr", expression],
      { timeoutMs: 120_000 },
    );
    t.equal(code, 0, stderr.slice(-2000));
  },
);

t.test("no secret's value can be rendered: the credentials are names", async (t) => {
  const canary = "canary-9f2c";
  const credentials = new Map<string, CredentialFile & { readonly value: string }>();
  JSON.stringify(spec(), (key, value: unknown) => {
    if (key === "secretRef" && typeof value === "string")
      credentials.set(value, {
        name: value,
        file: `${value}@0001`,
        version: "0001",
        encrypted: true,
        bytes: canary.length,
        value: canary,
      });
    return value;
  });
  const { sources, findings } = tryRender(spec(), { ...strange, credentials });
  t.ok(credentials.size >= 6, `${credentials.size} secrets`);
  t.notMatch(JSON.stringify({ sources, findings }), canary);
  for (const file of sources.files) t.notMatch(file.content, canary, file.path);
});
