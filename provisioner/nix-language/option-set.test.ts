// biome-ignore-all lint/suspicious/noTemplateCurlyInString: in Nix texts the sign is the subject
import t from "tap";
import { type OptionAssignment, optionEntries } from "./option-set.ts";
import { print } from "./print.ts";
import { attrs, bool, int, list, type NixExpr, str } from "./tree.ts";

function set(path: string, value: NixExpr = bool(true), comment?: string): OptionAssignment {
  return { path: path.split("."), value, ...(comment === undefined ? {} : { comment }) };
}

const cases: readonly (readonly [string, readonly OptionAssignment[], string])[] = [
  ["nothing is an empty set", [], "{ }\n"],
  [
    "a single option keeps its path",
    [set("time.timeZone", str("UTC"))],
    '{\n  time.timeZone = "UTC";\n}\n',
  ],
  [
    "options beside each other share a set, with what is below them",
    [set("services.openssh.enable"), set("services.openssh.settings.X11Forwarding")],
    `{
  services.openssh = {
    enable = true;
    settings.X11Forwarding = true;
  };
}
`,
  ],
  [
    "different services do not share a set",
    [set("services.openssh.enable"), set("services.fwupd.enable")],
    "{\n  services.openssh.enable = true;\n  services.fwupd.enable = true;\n}\n",
  ],
  [
    "options of one root come together where the first one stands",
    [
      set("networking.hostName", str("a")),
      set("time.timeZone", str("UTC")),
      set("networking.useDHCP"),
    ],
    `{
  networking = {
    hostName = "a";
    useDHCP = true;
  };

  time.timeZone = "UTC";
}
`,
  ],
  [
    "single lines of different roots stay together, longer ones stand apart",
    [
      set("time.timeZone", str("UTC")),
      set("console.keyMap", str("de")),
      set("boot.kernelModules", list([int(1), int(2)])),
      set("swapDevices", list([])),
    ],
    `{
  time.timeZone = "UTC";
  console.keyMap = "de";

  boot.kernelModules = [
    1
    2
  ];

  swapDevices = [ ];
}
`,
  ],
  [
    "a comment stands above its option",
    [set("a.b", bool(true), "why b"), set("a.c"), set("d", bool(false), "why d\nand more")],
    `{
  a = {
    # why b
    b = true;
    c = true;
  };

  # why d
  # and more
  d = false;
}
`,
  ],
  [
    "names from documents are quoted",
    [{ path: ["environment", "etc", "a.b/${x}", "text"], value: str("") }],
    '{\n  environment.etc."a.b/\\${x}".text = "";\n}\n',
  ],
];

for (const [what, assignments, text] of cases) {
  t.test(what, async (t) => {
    t.equal(print(attrs(optionEntries(assignments))), text);
  });
}

t.test("where an option comes from is not printed", async (t) => {
  const source = { document: "user-data", line: 7 };
  t.notMatch(print(attrs(optionEntries([{ ...set("a.b"), source }]))), /user-data|7/);
});

for (const [first, second] of [
  ["a.b", "a.b"],
  ["a.b", "a.b.c"],
  ["a.b.c", "a.b"],
] as const) {
  t.test(`${second} after ${first} is a defect of the caller`, async (t) => {
    t.throws(() => optionEntries([set(first), set(second)]), { code: "cli/internal" });
  });
}

t.test("an empty path is a defect of the caller", async (t) => {
  t.throws(() => optionEntries([{ path: [], value: int(1) }]), { code: "cli/internal" });
});

for (const path of ["imports", "_module.args", "users.users._type.x", "a.b.outPath"]) {
  t.test(`${path} is refused, NixOS would obey it`, async (t) => {
    t.throws(() => optionEntries([set(path)]), { code: "nix/take-over-key" });
  });
}
