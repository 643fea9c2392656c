import t from "tap";
import { fc } from "./fast-check.ts";
import { printable } from "./printable.ts";

const esc = "\u001b";

const cases = [
  { name: "colours", text: `${esc}[31;1merror:${esc}[0m no`, shown: "error: no" },
  { name: "a moved cursor", text: `a${esc}[2K${esc}[1;1Hb`, shown: "ab" },
  { name: "a title, ended either way", text: `${esc}]0;x\u0007a${esc}]8;;y${esc}\\b`, shown: "ab" },
  { name: "another character set", text: `${esc}(0qqq`, shown: "qqq" },
  { name: "a command without its end", text: `a${esc}]0;never`, shown: "a0;never" },
  { name: "bell, backspace, the eight-bit commands", text: "a\u0007\b\u009b31mb", shown: "a31mb" },
  { name: "text that runs backwards", text: "a\u202Egnp.exe", shown: "agnp.exe" },
  { name: "what people write", text: "größer 👩‍🚀\n\tok", shown: "größer 👩‍🚀\n\tok" },
];

for (const { name, text, shown } of cases) {
  t.test(`${name} do to the terminal what plain text does`, async (t) => {
    t.equal(printable(text), shown);
  });
}

t.test("whatever comes, nothing that commands a terminal is left", async () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(esc, "[", "]", "31m", "\\", "\u0007", "\u009b"),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const shown = printable(pieces.join(""));
      return !/[^\P{Cc}\n\t]/u.test(shown) && printable(shown) === shown;
    }),
  );
});
