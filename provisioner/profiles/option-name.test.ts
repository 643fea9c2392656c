import t from "tap";
import { parseOptionName } from "./option-name.ts";

t.test("an option's name is parted at its dots, outside of quotes", async (t) => {
  const cases: readonly (readonly [string, readonly string[] | undefined])[] = [
    ["services.fwupd.enable", ["services", "fwupd", "enable"]],
    ['fileSystems."/".device', ["fileSystems", "/", "device"]],
    ['a."b.c"', ["a", "b.c"]],
    ["hardware.raspberry-pi", ["hardware", "raspberry-pi"]],
    ["", undefined],
    ["a.", undefined],
    [".a", undefined],
    ["a..b", undefined],
    ['a."b', undefined],
    ["a b", undefined],
    [`a."${"$"}{x}`, undefined],
  ];
  for (const [name, parts] of cases) t.same(parseOptionName(name), parts, name);
});
