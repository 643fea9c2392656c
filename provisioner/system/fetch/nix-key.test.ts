import t from "tap";
import { Secret } from "#core/secret.ts";
import { makeKeys } from "./fake-closure.ts";
import { isSigned, readPublicKey, readSecretKey, signText } from "./nix-key.ts";

t.test("what one half of a key signs, the other half knows", async (t) => {
  const { publicKey, secretText } = makeKeys("fleet-1");
  const key = readPublicKey(publicKey);
  const secret = readSecretKey(new Secret(`${secretText}\n`));
  t.same([key.name, secret.name], ["fleet-1", "fleet-1"]);
  const signature = signText(secret, "a text");
  t.ok(isSigned(key, "a text", signature));
  t.notOk(isSigned(key, "another text", signature));
  t.notOk(isSigned(key, "a text", ""));
  t.notOk(isSigned(readPublicKey(makeKeys("fleet-1").publicKey), "a text", signature));
});

t.test("what is no key is refused, and a secret one is not told", async (t) => {
  const { publicKey, secretText } = makeKeys("fleet-1");
  for (const text of [
    "",
    "fleet-1",
    "fleet-1:",
    `:${publicKey}`,
    publicKey.slice(0, -4),
    secretText,
    `a b${publicKey}`,
  ]) {
    t.throws(() => readPublicKey(text), { code: "system/key-invalid" }, text);
  }
  const digits = secretText.slice(secretText.indexOf(":") + 1);
  for (const text of [publicKey, digits, secretText.slice(0, -2)]) {
    try {
      readSecretKey(new Secret(text));
      t.fail("expected a fault");
    } catch (error) {
      t.match(error, { code: "system/key-invalid" });
      t.notMatch(String(error), digits.slice(0, 20));
    }
  }
});
