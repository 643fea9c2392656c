import { createHash } from "node:crypto";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import { nixBase32, nixSha256, parseSha256, sriOf } from "./nix-hash.ts";

// Printed by Nix 2.8 for one path: `nix path-info --json`, its narinfo, and `nix-store --dump-db`.
const known = {
  sri: "sha256-64gDmaxQdeSnBFiIlzqq8G15+Filu4e75wxcygnVmI8=",
  base32: "sha256:13wqsl4wlp0cwyxqgfx5b3w7jvghm8x9g22q0jky8xahmjch727b",
  hex: "eb880399ac5075e4a7045888973aaaf06d79f858a5bb87bbe70c5cca09d5988f",
};

t.test("one hash in the three forms that Nix writes", async (t) => {
  t.equal(parseSha256(known.sri), known.hex);
  t.equal(parseSha256(known.base32), known.hex);
  t.equal(parseSha256(`sha256:${known.hex}`), known.hex);
  t.equal(sriOf(known.hex), known.sri);
  t.equal(nixSha256(known.hex), known.base32);
});

t.test("every hash survives the way there and back", async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
      const hex = createHash("sha256").update(bytes).digest("hex");
      return parseSha256(nixSha256(hex)) === hex && parseSha256(sriOf(hex)) === hex;
    }),
  );
});

t.test("what is no SHA-256 is none", async (t) => {
  const wrong = [
    "",
    known.hex,
    `sha512:${known.hex}`,
    `sha256:${known.hex.slice(1)}`,
    `sha256:${known.hex.toUpperCase()}`,
    known.sri.replace("=", ""),
    known.sri.replace("8=", "9="), // bits that belong to no byte
    known.base32.replace("b", "e"), // no letter of the alphabet
    "sha256:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", // more than 256 bits
    `${known.base32}\n`,
  ];
  for (const text of wrong) t.equal(parseSha256(text), undefined, JSON.stringify(text));
});

t.test("the hash part of a store path has 32 letters", async (t) => {
  t.match(nixBase32(new Uint8Array(20).fill(255)), /^z{32}$/);
});
