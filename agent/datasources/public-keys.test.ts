import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { readPublicKeys } from "./public-keys.ts";

const a = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5a a@example";
const b = "ssh-rsa AAAAB3NzaC1yc2Eb b@example";

const cases: Record<
  string,
  {
    value: Json | undefined;
    keys: readonly string[];
    unused?: readonly (string | number)[][];
    doubtful?: readonly (string | number)[][];
  }
> = {
  absent: { value: undefined, keys: [] },
  null: { value: null, keys: [] },
  "one text": { value: a, keys: [a] },
  "a text with a key a line": { value: `${a}\r\n# comment\n\n  ${b}\n`, keys: [a, b] },
  "a list": { value: [a, b, ""], keys: [a, b] },
  "a mapping of names to texts": { value: { one: a, two: b }, keys: [a, b] },
  "a mapping of names to lists": { value: { one: [a, ""], two: [b] }, keys: [a, b] },
  "what EC2's service gives": {
    value: { "0": { "openssh-key": a }, "1": { "openssh-key": b } },
    keys: [a, b],
  },
  "the same key twice": { value: [a, a], keys: [a] },
  "what is no key": { value: [a, 7, { x: true }], keys: [a], unused: [[1], [2, "x"]] },
  "a private key": { value: [`-----BEGIN OPENSSH PRIVATE KEY-----\nx`], keys: [], unused: [[0]] },
  "what only looks like one": {
    value: { one: [a, "ssh-rsa notakey"] },
    keys: [a, "ssh-rsa notakey"],
    doubtful: [["one", 1]],
  },
  "nested without end": { value: [[[[[a]]]]], keys: [], unused: [[0, 0, 0]] },
};

t.test("public keys are read in every form", async (t) => {
  for (const [name, { value, keys, unused = [], doubtful = [] }] of Object.entries(cases)) {
    t.strictSame(readPublicKeys(value), { keys, unused, doubtful }, name);
  }
});
