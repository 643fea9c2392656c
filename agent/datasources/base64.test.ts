import t from "tap";
import { decodeBase64 } from "./base64.ts";

t.test("base64 is decoded whole, or not at all", async (t) => {
  const bytes = Buffer.from([0, 0xff, 0x3e, 0x3f, 7]);
  const cases: Record<string, Uint8Array | undefined> = {
    "": Buffer.alloc(0),
    [bytes.toString("base64")]: bytes,
    [`${bytes.toString("base64").slice(0, 3)}\r\n${bytes.toString("base64").slice(3)}\n`]: bytes,
    aS0x: Buffer.from("i-1"),
    "aS 0x": undefined,
    aS0: undefined,
    "aS0x=": undefined,
    "a=Sx": undefined,
    "#cloud-config": undefined,
    aS0_: undefined,
  };
  for (const [text, expected] of Object.entries(cases)) {
    const decoded = decodeBase64(text);
    t.same(decoded && Buffer.from(decoded), expected, JSON.stringify(text));
  }
});
