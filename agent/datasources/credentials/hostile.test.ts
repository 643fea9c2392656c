import t from "tap";
import { fc } from "#core/fast-check.ts";
import { parseOpenSshKey } from "../../secrets/ssh-host-key.ts";
import { parseKernelWords } from "./kernel-words.ts";
import { parseOemStrings } from "./smbios-strings.ts";

const name = fc.string({ maxLength: 30 });

t.test(
  "whatever stands in SMBIOS and on the command line, what is right among it is read",
  async () => {
    const value = fc.string({ unit: "grapheme-ascii", maxLength: 40 });
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), value, (noise, text) => {
        const right = Buffer.from(`io.systemd.credential:firstlight.spec=${text}`);
        const strings = [...noise.map((each) => Buffer.from(each)), right, Buffer.alloc(1)];
        const joined = strings.flatMap((each) => [each, Buffer.alloc(1)]);
        const found = parseOemStrings(Buffer.concat([Buffer.from([11, 5, 0, 0, 1]), ...joined]));
        return found.some(
          (one) =>
            one.name === "firstlight.spec" && Buffer.from(one.value ?? []).toString() === text,
        );
      }),
    );
    fc.assert(
      fc.property(fc.array(name), value, (words, text) => {
        const found = parseKernelWords([
          ...words,
          `systemd.set_credential=firstlight.spec:${text}`,
        ]);
        return Buffer.from(found.at(-1)?.value ?? []).toString() === text;
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => parseOemStrings(bytes).length >= 0),
    );
  },
);

t.test("a key file of any bytes is a key or none", async () => {
  const magic = Buffer.from("openssh-key-v1\0");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const body = Buffer.concat([magic, bytes]).toString("base64");
      const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
      return parseOpenSshKey(text) === undefined;
    }),
  );
});
