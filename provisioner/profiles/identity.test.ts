import t from "tap";
import { hostIo } from "#core/host-io.ts";
import { compileProfiles } from "./compile.ts";
import { matchIdentity, parseIdentity } from "./identity.ts";

const root = new URL("../..", import.meta.url).pathname;
const { compiled } = compileProfiles(hostIo({ root }).files, "/hardware-profiles");

t.test("an identity gets the profile of its machine, and an unknown one gets none", async (t) => {
  const cases: readonly (readonly [readonly string[], string | null, string])[] = [
    [
      [
        "Framework",
        "Laptop 13 (AMD Ryzen 7040Series)",
        "Laptop",
        "A7",
        "FRANDGCP07",
        "Framework",
        "FRANMDCP07",
        "A7",
        "Notebook",
      ],
      "framework/13-amd-7040",
      "certain",
    ],
    [
      ["Framework", "Laptop", "*", "AB", "FRANBMCP0B", "Framework", "FRANBMCP0B", "AB", "Notebook"],
      "framework/13-11th-gen-intel",
      "certain",
    ],
    [
      ["Hetzner", "", "", "1.0", "", "ASRockRack", "B450D4U-V1L", "", "Desktop"],
      "hetzner/dedicated",
      "certain",
    ],
    [["LENOVO", "Laptop", "", "", "", "LENOVO", "LNVNB161216", "", "Notebook"], null, "none"],
    [
      [
        "Microsoft Corporation",
        "Surface Pro 7",
        "Surface",
        "",
        "",
        "Microsoft Corporation",
        "Surface Pro 7",
        "",
        "Laptop",
      ],
      null,
      "none",
    ],
    [["Amazon EC2", "t3.micro", "", "", "", "Amazon EC2", "", "", "Other"], "amazon/ec2", "likely"],
  ];
  for (const [strings, profile, confidence] of cases) {
    t.same(
      matchIdentity(parseIdentity(["some/id", ...strings]), compiled),
      { id: "some/id", profile, confidence },
      strings.join(" | "),
    );
  }
});

t.test("what is no identity is refused", async (t) => {
  const wrong = [
    null,
    {},
    "text",
    [],
    ["id"],
    ["id", "a", "b", "c", "d", "e", "f", "g", "h", 1],
    ["", "a", "b", "c", "d", "e", "f", "g", "h", "i"],
  ];
  for (const value of wrong)
    t.throws(
      () => parseIdentity(value),
      { code: "profile/identity-malformed" },
      JSON.stringify(value),
    );
});
