import { gzipSync } from "node:zlib";
import t from "tap";
import { linesOf, secretText, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

const gzipped = gzipSync("zipped\n").toString("base64");
const fetched = new Map([["https://example.org/x", Buffer.from("fetched\n")]]);
const one = (keys: string) => `write_files:\n  - path: /etc/x\n    ${keys}\n`;
const x = (fields: object) => ({ files: [{ path: "/etc/x", mode: "0644", ...fields }] });
const hidden = { secret: { secretRef: "file-etc-x" } };

checkCases(t, [
  { name: "text", yaml: one("content: |\n      a\n"), spec: x({ content: "a\n" }) },
  {
    name: "no content is an empty file",
    yaml: one("content:"),
    spec: x({ content: "" }),
    says: ["warning user-data/no-value 4:13 write_files.0.content"],
  },
  {
    name: "what lies elsewhere than under /etc is written once",
    yaml: `write_files:
  - {path: /home/a/.bashrc, content: a}
  - {path: /root/key, content: b, permissions: "0600"}
  - {path: /opt/log, content: c, append: true}
  - {path: /etc/key, content: d, permissions: "0600"}
  - {path: /etcetera, content: e}
`,
    spec: {
      files: [
        { path: "/home/a/.bashrc", content: "a", mode: "0644", once: true },
        { path: "/root/key", secret: { secretRef: "file-root-key" }, mode: "0600", once: true },
        { path: "/opt/log", secret: { secretRef: "file-opt-log" }, mode: "0644", append: true },
        { path: "/etc/key", secret: { secretRef: "file-etc-key" }, mode: "0600" },
        { path: "/etcetera", content: "e", mode: "0644", once: true },
      ],
    },
    secrets: { "file-root-key": "b", "file-opt-log": "c", "file-etc-key": "d" },
  },
  { name: "not even the key", yaml: "write_files: [{path: /etc/x}]\n", spec: x({ content: "" }) },
  ...["b64", "base64", "B64"].map((encoding) => ({
    name: `content in ${encoding}`,
    yaml: one(`encoding: ${encoding}\n    content: aGkK`),
    spec: x({ content: "hi\n" }),
  })),
  ...["gz+b64", "gzip+base64"].map((encoding) => ({
    name: `content in ${encoding}`,
    yaml: one(`encoding: ${encoding}\n    content: ${gzipped}`),
    spec: x({ content: "zipped\n" }),
  })),
  {
    name: "gzip as binary YAML",
    yaml: one(`encoding: gz\n    content: !!binary ${gzipped}`),
    spec: x({ content: "zipped\n" }),
    says: ["note yaml/kept-as-text 5:14 write_files.0.content"],
  },
  {
    name: "an unknown encoding is named, the content taken as it is",
    yaml: one("encoding: rot13\n    content: uv"),
    spec: x({ content: "uv" }),
    says: ["warning cloud-config/unknown-value 4:5 write_files.0.encoding"],
  },
  {
    name: "content that does not fit its encoding",
    yaml: "write_files:\n  - {path: /a, encoding: b64, content: '%%'}\n  - {path: /b, encoding: gz+b64, content: aGkK}\n",
    spec: {},
    says: [
      "error cloud-config/undecodable 3:40 write_files.0.content",
      "error cloud-config/undecodable 4:43 write_files.1.content",
    ],
  },
  ...(
    [
      ["#!/bin/bash", true],
      ["#! /usr/bin/python3 -u", true],
      ["#!/usr/local/bin/own", true],
      ["#!/bin/sh -e", false],
      ["#!/usr/bin/env python3", false],
      ["#!/etc/written", false],
      ["#!/usr/bin/written -x", false],
      ["# /bin/bash", false],
      ["#!/run/current-system/sw/bin/bash", false],
    ] as const
  ).map(([line, isNamed]) => ({
    name: `a script that begins with ${line}`,
    yaml: `${one(`content: '${line}'`)}  - path: /usr/bin/written\n`,
    spec: {
      files: [
        { path: "/etc/x", mode: "0644", content: line },
        { path: "/usr/bin/written", mode: "0644", content: "", once: true },
      ],
    },
    says: isNamed ? ["warning cloud-config/interpreter-path 4:14 write_files.0.content"] : [],
  })),
  {
    name: "a script that is a secret",
    yaml: one("permissions: '0700'\n    encoding: b64\n    content: IyEvYmluL2Jhc2gKCg=="),
    spec: x({ ...hidden, mode: "0700" }),
    secrets: { "file-etc-x": "#!/bin/bash\n\n" },
    says: ["warning cloud-config/interpreter-path 6:14 write_files.0.content"],
  },
  {
    name: "what not everybody may read is a secret",
    yaml: one("permissions: '0640'\n    content: s"),
    spec: x({ ...hidden, mode: "0640" }),
    secrets: { "file-etc-x": "s" },
  },
  {
    name: "what is no text is a secret, and so is what is appended",
    yaml: "write_files:\n  - {path: /a, content: !!binary gIE=}\n  - {path: /b, content: b, append: true}\n",
    spec: {
      files: [
        { path: "/a", mode: "0644", secret: { secretRef: "file-a" }, once: true },
        { path: "/b", mode: "0644", secret: { secretRef: "file-b" }, append: true },
      ],
    },
    secrets: { "file-a": "\ufffd\ufffd", "file-b": "b" },
    says: ["note yaml/kept-as-text 3:25 write_files.0.content"],
  },
  {
    name: "text with NUL is no text for Nix",
    yaml: one('content: "a\\0b"'),
    spec: x(hidden),
    secrets: { "file-etc-x": "a\0b" },
  },
  ...(
    [
      ["'0755'", "0755", []],
      ["'755'", "0755", []],
      ["'0o755'", "0755", []],
      ["0755", "0755", []],
      ["0644", "0644", []],
      ["0o644", "0644", []],
      ["493", "0755", ["warning cloud-config/decimal-mode 4:18 write_files.0.permissions"]],
      ["644", "1204", ["warning cloud-config/decimal-mode 4:18 write_files.0.permissions"]],
      ["~", "0644", ["warning user-data/no-value 4:18 write_files.0.permissions"]],
    ] as const
  ).map(([written, mode, says]) => ({
    name: `permissions ${written}`,
    yaml: one(`permissions: ${written}\n    content: ""`),
    spec: x({ mode, content: "" }),
    says,
  })),
  ...["rwxr-xr-x", "'999'", "-1", "1.5", "99999", "[0644]"].map((written) => ({
    name: `no permissions: ${written}`,
    yaml: one(`permissions: ${written}\n    content: s`),
    spec: x({ ...hidden, mode: "0600" }),
    secrets: { "file-etc-x": "s" },
    says: ["error user-data/wrong-type 4:18 write_files.0.permissions"],
  })),
  ...(
    [
      ["app:web", { owner: "app", group: "web" }],
      ["app", { owner: "app" }],
      ["root:root", {}],
      [":web", { group: "web" }],
      ["none:-1", {}],
      ["'1000:1000'", { owner: "1000", group: "1000" }],
    ] as const
  ).map(([written, owners]) => ({
    name: `owner ${written}`,
    yaml: one(`owner: ${written}`),
    spec: x({ content: "", ...owners }),
  })),
  { name: "later", yaml: one("defer: true"), spec: x({ content: "", defer: true }) },
  {
    name: "paths are made plain as Python's abspath does it",
    yaml: "write_files: [{path: /etc//a/./../x}]\n",
    spec: x({ content: "" }),
  },
  {
    name: "a path with a slash at its end is one of a file all the same, with a warning",
    yaml: "write_files: [{path: /etc/x/}]\n",
    spec: x({ content: "" }),
    says: ["warning cloud-config/directory-path 2:22 write_files.0.path"],
  },
  {
    name: "a path that begins nowhere, none, and a file that is none",
    yaml: "write_files:\n  - path: etc/x\n  - {content: a, permissions: '0644', owner: a}\n  - /etc/x\n",
    spec: {},
    says: [
      "error user-data/wrong-type 3:11 write_files.0.path",
      "error user-data/wrong-type 4:5 write_files.1",
      "error user-data/wrong-type 5:5 write_files.2",
    ],
  },
  {
    name: "a source that was read",
    yaml: one("source: {uri: 'https://example.org/x'}\n    content: fallback"),
    spec: x({ content: "fetched\n" }),
    context: { fetched },
  },
  {
    name: "a source that could not be read, with and without content",
    yaml: "write_files:\n  - {path: /etc/x, source: {uri: x}, content: c}\n  - {path: /y, source: {uri: y}}\n",
    spec: x({ content: "c" }),
    says: [
      "warning cloud-config/source-unavailable 3:34 write_files.0.source.uri",
      "error cloud-config/source-unavailable 4:30 write_files.1.source.uri",
    ],
  },
  {
    name: "headers of a source",
    yaml: one("source:\n      uri: https://example.org/x\n      headers: {a: b}"),
    spec: x({ content: "fetched\n" }),
    says: ["warning cloud-config/unsupported-key 6:7 write_files.0.source.headers"],
    context: { fetched },
  },
  {
    name: "a key that no file has",
    yaml: one("mode: '0600'"),
    spec: x({ content: "" }),
    says: ["warning cloud-config/unsupported-key 4:5 write_files.0.mode"],
  },
  {
    name: "what cannot work in a script is told in its own line",
    yaml: "write_files:\n  - path: /opt/x.sh\n    permissions: '0755'\n    content: |\n      #!/usr/bin/env bash\n      set -e\n      apt-get update\n      systemctl start x\n",
    spec: {
      files: [
        {
          path: "/opt/x.sh",
          mode: "0755",
          content: "#!/usr/bin/env bash\nset -e\napt-get update\nsystemctl start x\n",
          once: true,
        },
      ],
    },
    says: ["warning cloud-config/package-manager 8:7 write_files.0.content"],
  },
  {
    name: "so is a program that a unit starts and that is not there",
    yaml: "write_files:\n  - path: /etc/systemd/system/x.service\n    content: |\n      [Service]\n      ExecStartPre=/bin/sh -c true\n      ExecStart=-/usr/bin/docker run x\n",
    spec: {
      files: [
        {
          path: "/etc/systemd/system/x.service",
          mode: "0644",
          content: "[Service]\nExecStartPre=/bin/sh -c true\nExecStart=-/usr/bin/docker run x\n",
        },
      ],
    },
    says: ["warning cloud-config/program-path 7:18 write_files.0.content"],
  },
  {
    name: "a text that is no script is left alone",
    yaml: one("content: |\n      apt-get update\n"),
    spec: x({ content: "apt-get update\n" }),
  },
]);

t.test("what a source gave counts as done by the agent", async (t) => {
  const { coverage } = translateCloud(one("source: {uri: 'https://example.org/x'}"), { fetched });
  t.strictSame(coverage, { translated: 1, agent: 1, unsupported: 0 });
});

t.test("bytes of a binary value arrive as they were", async (t) => {
  const { secrets } = translateCloud("write_files: [{path: /a, content: !!binary gIE=}]\n");
  t.strictSame(Buffer.from(secrets.get("file-a")?.reveal() ?? []), Buffer.from([0x80, 0x81]));
});

t.test("files of one path have secrets of their own", async (t) => {
  const file = "{path: /a, permissions: '0600', content: ";
  const translation = translateCloud(
    `write_files: [${file}1st}, ${file}2nd}, {path: /a_2, permissions: '0600', content: 3rd}]\n`,
  );
  const names = translation.spec.files?.map(({ secret }) => secret?.secretRef ?? "") ?? [];
  t.equal(new Set(names).size, 3);
  t.strictSame(
    names.map((name) => secretText(translation, name)),
    ["1st", "2nd", "3rd"],
  );
});

t.test("a bomb is refused, and so are many small ones together", async (t) => {
  const bomb = (megabytes: number) =>
    gzipSync(Buffer.alloc(megabytes * 1024 * 1024)).toString("base64");
  const file = (index: number, content: string) =>
    `  - {path: /f${index}, encoding: gz+b64, content: ${content}}\n`;
  const large = translateCloud(`write_files:\n${file(0, bomb(33))}`);
  t.match(linesOf(large), [/^error cloud-config\/undecodable/]);
  const small = bomb(20);
  const many = [0, 1, 2, 3].map((index) => file(index, small)).join("");
  t.match(linesOf(translateCloud(`write_files:\n${many}`)), [
    /^error cloud-config\/undecodable .* write_files\.3\.content/,
  ]);
});

t.test("the hint for a script is the first line that finds its interpreter", async (t) => {
  for (const [line, hint] of Object.entries({
    "#!/bin/bash": "begin it with `#!/usr/bin/env bash`",
    "#!/usr/bin/python3": "begin it with `#!/usr/bin/env python3`, and add its package",
    "#!/usr/bin/perl -w": "begin it with `#!/usr/bin/env -S perl` and its options",
  })) {
    const { findings } = translateCloud(one(`content: '${line}'`));
    t.equal(findings[0]?.hint, hint, line);
  }
});
