import { execFileSync } from "node:child_process";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import { maxPasswordBytes, saltOf, sha512Crypt } from "./sha512-crypt.ts";

const hash = (password: string, salt: string) => sha512Crypt(Buffer.from(password), salt);

t.test("a hash is the one that is published with the scheme", async (t) => {
  t.equal(
    hash("Hello world!", "saltstring"),
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
  );
});

t.test("it is what openssl says", async (t) => {
  const cases = fc.sample(
    fc.tuple(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 90 }).filter(isLine),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    ),
    { numRuns: 12, seed: 6 },
  );
  for (const [password, bytes] of [
    ...cases,
    ["x".repeat(63), new Uint8Array(16)] as const,
    ["x".repeat(64), new Uint8Array(1)] as const,
    ["x".repeat(65), new Uint8Array(7)] as const,
    ["x".repeat(250), new Uint8Array(16).fill(255)] as const,
  ]) {
    const salt = saltOf(bytes);
    t.equal(hash(password, salt), openssl(password, salt), JSON.stringify(password));
  }
});

t.test("the longest password that crypt takes", async (t) => {
  t.match(hash("é".repeat(maxPasswordBytes / 2), "salt"), /^\$6\$salt\$[./0-9A-Za-z]{86}$/);
});

function isLine(text: string): boolean {
  return !/[\0\r\n]/.test(text) && Buffer.byteLength(text) <= 256;
}

function openssl(password: string, salt: string): string {
  const input = `${password}\n`;
  return execFileSync("openssl", ["passwd", "-6", "-salt", salt, "-stdin"], { input })
    .toString()
    .trim();
}
