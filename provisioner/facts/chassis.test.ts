import t from "tap";
import { chassisClass, chassisType } from "./chassis.ts";

t.test("a chassis type has a class, by its number and by dmidecode's words", async (t) => {
  const cases: readonly (readonly [string, number | null, string | null])[] = [
    ["Notebook", 10, "laptop"],
    ["Detachable", 32, "convertible"],
    ["Mini PC", 35, "desktop"],
    ["Rack Mount Chassis", 23, "server"],
    ["Embedded PC", 34, "embedded"],
    ["Other", null, null],
    ["", null, null],
    ["constructor", null, null],
  ];
  for (const [words, number, is] of cases) {
    t.equal(chassisType(words), number, words);
    t.equal(chassisClass(number), is, words);
  }
});

t.test("a type that says nothing of the machine has no class", async (t) => {
  for (const number of [null, 0, 1, 2, 12, 18, 255]) t.equal(chassisClass(number), null);
});
