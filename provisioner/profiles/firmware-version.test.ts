import t from "tap";
import { compareFirmwareVersions } from "./firmware-version.ts";

t.test("firmware versions are compared as their makers count", async (t) => {
  const cases: readonly (readonly [string, "<" | "=" | ">", string])[] = [
    ["03.05", "=", "3.5"],
    ["03.05", "<", "03.10"],
    ["03.20", ">", "03.5"],
    ["03.01 T04", "<", "03.01"],
    ["03.01 T04", "<", "03.02"],
    ["03.01 T04", "=", "03.01 t04"],
    ["v4.19.0.1", ">", "v4.19"],
    ["UEFI Firmware v1.35", ">", "UEFI Firmware v1.9"],
    ["1.0", "=", "1"],
    ["", "<", "1"],
  ];
  for (const [a, sign, b] of cases) {
    const signs = { "-1": "<", "0": "=", "1": ">" } as const;
    const compare = (x: string, y: string) =>
      Math.sign(compareFirmwareVersions(x, y)) as -1 | 0 | 1;
    t.equal(signs[`${compare(a, b)}`], sign, `${a} ${sign} ${b}`);
    t.equal(compare(a, b) + compare(b, a), 0, "the other way round");
  }
});
