import t from "tap";
import type { Finding } from "#core/finding.ts";
import { annotate } from "./annotate.ts";

const finding = (line: number | null, column: number | null, message: string): Finding => ({
  ...{ document: "a.yaml", path: "users.0", line, column, message },
  ...{ level: "error", code: "cloud-config/invalid", hint: null },
});

t.test("a finding stands below its line, under its column", (t) => {
  const findings = [
    { ...finding(2, 3, "must be text"), hint: "write it" },
    finding(2, 1, "no"),
    finding(null, null, "nowhere"),
    finding(9, 1, "behind"),
    { ...finding(1, 1, "elsewhere"), document: "a.yaml: part 2" },
  ];
  t.equal(
    annotate("a.yaml", "#cloud-config\n\ta: 1\n", { findings }),
    `1 │ #cloud-config
2 │ \ta: 1
  │ \t ^ error users.0: must be text [cloud-config/invalid]
  │ \t   write it
  │ ^ error users.0: no [cloud-config/invalid]
a.yaml error users.0: nowhere [cloud-config/invalid]
a.yaml: part 2:1:1 error users.0: elsewhere [cloud-config/invalid]
a.yaml:9:1 error users.0: behind [cloud-config/invalid]
`,
  );
  t.end();
});

t.test("a document cannot act on the terminal", (t) => {
  t.equal(annotate("a.yaml", "a: \u001b[2J\r\nb\n", { findings: [] }), "1 │ a: \ufffd[2J\n2 │ b\n");
  t.end();
});

t.test(
  "what is said of a part stands below its line, where the part is text of the document",
  (t) => {
    const text = "#cloud-config-archive\n- content: |\n    #cloud-config\n    a: 1\n";
    const part = { document: "a.yaml: part 1", text: "#cloud-config\na: 1\n", firstLine: 3 };
    const encoded = { document: "a.yaml: part 2", text: "#cloud-config\nb: 1\n", firstLine: 1 };
    const findings = [
      { ...finding(4, 1, "no"), document: part.document },
      { ...finding(2, 1, "elsewhere"), document: encoded.document },
    ];
    t.equal(
      annotate("a.yaml", text, { findings, parts: [part, encoded] }),
      `1 │ #cloud-config-archive
2 │ - content: |
3 │     #cloud-config
4 │     a: 1
  │     ^ error users.0: no [cloud-config/invalid]
a.yaml: part 2:2:1 error users.0: elsewhere [cloud-config/invalid]
`,
    );
    t.end();
  },
);
