import t from "tap";
import { knownText } from "./known-text.ts";

t.test("placeholders of makers say nothing of a machine", async (t) => {
  const placeholders = [
    null,
    "",
    "  ",
    "*",
    "To Be Filled By O.E.M.",
    "to be filled by o.e.m.",
    "Default string",
    "System Product Name",
    "Not Specified",
    "INVALID",
    "0000000000",
    "........",
    "xxxxxx",
    "Type1Family",
  ];
  for (const text of placeholders) t.equal(knownText(text), null, JSON.stringify(text));
});

t.test("names of machines are kept, trimmed", async (t) => {
  for (const text of [
    "Laptop",
    "A7",
    "X",
    "1.0",
    "Laptop 13 (AMD Ryzen 7040Series)",
    "20T3SB5B00",
  ]) {
    t.equal(knownText(` ${text} `), text, text);
  }
});
