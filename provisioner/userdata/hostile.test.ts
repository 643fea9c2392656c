import t from "tap";
import { fc } from "#core/fast-check.ts";
import { hasErrors } from "#core/finding.ts";
import { validate } from "#generated/provisioner/spec/v1.validate.js";
import { asYaml, cloudConfigs } from "./sample-cloud-config.ts";
import { linesOf, translateCloud } from "./sample-translation.ts";

const hostileParts = [
  ...["'", '"', "''", `\${x}`, "$${", "\\", "`id`", "$(id)", "\n", "\r\n", "\t", "\0", "\u001b[2J"],
  ...["\u0085", "\u2028", "\ufeff", "\u202e", "\ud800", "\udfff", "😀", "%s", "*", "&a", "!!x"],
  ...["{", "}", "[", ":", "#", "/../..", "-rf", " ", "root", "$6$a$b", "a".repeat(300), "=", "."],
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...hostileParts), fc.string({ unit: "binary", maxLength: 4 })), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join(""));

t.test(
  "hostile texts in every field: nothing throws, and the spec fits or an error says why",
  async () => {
    fc.assert(
      fc.property(cloudConfigs(hostile), (config) => {
        const { spec, findings, secrets } = translateCloud(`${asYaml(config)}\n`);
        for (const { path, message, hint } of findings) {
          const shown = `${path}${message}${hint}`;
          if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/u.test(shown) || !shown.isWellFormed()) {
            throw new Error("a finding holds characters that a terminal acts on");
          }
        }
        if (!JSON.stringify(spec).isWellFormed() || /\\ud[89a-f]/i.test(JSON.stringify(spec))) {
          throw new Error("half a surrogate pair is in the spec");
        }
        return validate(spec) && [...secrets.keys()].every((name) => /^[\w.-]{1,200}$/.test(name));
      }),
      { numRuns: 1000, seed: 22 },
    );
  },
);

t.test("half a surrogate pair is refused where it stands, in texts and in keys", async (t) => {
  const body = 'hostname: a\nusers:\n  - gecos: "x\\ud800"\n    name: a\n"\\udc00": 1\n';
  const translation = translateCloud(body);
  t.ok(hasErrors(translation.findings));
  t.strictSame(linesOf(translation), [
    "error user-data/not-unicode 4:12 users.0.gecos",
    "error user-data/not-unicode 6:1 \ufffd",
  ]);
});

t.test("NUL is refused where Nix would meet it", async (t) => {
  const translation = translateCloud(
    'keyboard: {layout: "a\\0"}\nssh_authorized_keys: ["ssh-rsa AAAAB3NzaC1yc2E a\\0b"]\n',
  );
  t.strictSame(linesOf(translation), [
    "error spec/invalid 2:11 keyboard.layout",
    "error spec/invalid 3:22 users.nixos.authorizedKeys.0",
  ]);
});

t.test("documents that are large in every way are read in bounded time", async (t) => {
  const many = (count: number, item: string) => Array(count).fill(item).join("");
  const documents = [
    `write_files:\n${many(20_000, "- {path: /a, permissions: '0600', content: x}\n")}`,
    `write_files: [${many(20_000, "{path: /a, permissions: 0644}, ")}]\n`,
    `users:\n${many(20_000, "- {name: a, passwd: x}\n")}`,
    `packages: [${many(50_000, "a b, ")}]\n`,
    `runcmd:\n- "${many(200_000, "\\n")}"\n`,
    `users: [{name: a, passwd: "$${"a".repeat(1_000_000)}:"}]\n`,
    `firstlight: {users: [${many(50_000, "1, ")}]}\n`,
    `? "${"k".repeat(1_000_000)}"\n: 1\n`,
    many(30_000, "k: 1\n"),
  ];
  for (const body of documents) {
    const { spec, findings } = translateCloud(body);
    t.ok(validate(spec));
    t.ok(findings.length <= 1_400, "findings are as many as a person may read");
    t.ok(findings.every(({ message, path }) => message.length + path.length < 2_000));
  }
});
