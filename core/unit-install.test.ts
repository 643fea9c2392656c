import t from "tap";
import { readUnitInstall } from "./unit-install.ts";

t.test("what starts a unit is read from its section [Install]", async (t) => {
  const target = { wantedBy: ["multi-user.target"], others: [] };
  const cases: Readonly<Record<string, ReturnType<typeof readUnitInstall>>> = {
    "[Install]\nWantedBy=multi-user.target\n": target,
    "[Service]\nWantedBy=a.target\n[Install]\r\n  WantedBy = multi-user.target\r\n": target,
    "[Install]\nWantedBy=a.target\nWantedBy=\nWantedBy=multi-user.target": target,
    "[Install]\n# WantedBy=b.target\nWantedBy=multi-user.target \\\n; why\n  multi-user.target\n":
      target,
    "[Install]\nWantedBy=multi-user.target\n[Unit]\nAlias=b.service\n": target,
    "[Install]\nWantedBy=a.target b.target\nAlias=c.service\nAlso=d.socket\nAlso=e.socket": {
      wantedBy: ["a.target", "b.target"],
      others: ["Alias", "Also"],
    },
    "[Install]\nRequiredBy=a.target": { wantedBy: [], others: ["RequiredBy"] },
    "[Service]\nExecStart=/x \\\n[Install]\nWantedBy=a.target\n": { wantedBy: [], others: [] },
    "[Service]\n": { wantedBy: [], others: [] },
    "[Install]\nWantedBy=dev-%i.device": undefined,
    "[Install]\nWantedBy=../x.target": undefined,
    "[Install]\nWantedBy=multi-user": undefined,
  };
  for (const [text, install] of Object.entries(cases)) {
    t.strictSame(readUnitInstall(text), install, text);
  }
});
