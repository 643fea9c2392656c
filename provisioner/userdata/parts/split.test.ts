import { gzipSync } from "node:zlib";
import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { type SplitContext, splitUserData } from "./split.ts";

const split = (
  document: string | Uint8Array,
  context: Partial<SplitContext> = {},
  format?: "cloud-config",
) =>
  splitUserData(
    {
      document: "user-data",
      bytes: typeof document === "string" ? Buffer.from(document) : document,
      ...(format === undefined ? {} : { format }),
    },
    { fetched: new Map(), ...context },
  );

/** Parts as one line each: what they are called, what they are, where they begin, and how. */
const shown = (result: ReturnType<typeof split>) =>
  result.parts.map(({ document, format, firstLine, text }) =>
    [document, format, firstLine, JSON.stringify(text?.slice(0, 24))].join(" | "),
  );

const said = (result: ReturnType<typeof split>) =>
  result.findings.map((finding) => formatFinding(finding).split("\n")[0]);

const multipart = `Content-Type: multipart/mixed; boundary="==b=="
MIME-Version: 1.0

--==b==
Content-Type: text/cloud-config; charset="us-ascii"
Content-Disposition: attachment; filename="base.cfg"
Merge-Type: list(append)+dict(recurse_array)+str()

#cloud-config
hostname: a
--==b==
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="setup.sh"

IyEvYmluL3NoCmVjaG8gaGVsbG8K
--==b==
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/x-shellscript-per-boot
Content-Disposition: attachment; filename*=utf-8''na%C3%AFve.sh

#!/bin/sh
true
--inner
Launch-Index: 3

#cloud-boothook
#!/bin/sh
--inner--
--==b==--
`;

t.test("a document of one format is one part", async (t) => {
  const cases = {
    "#cloud-config\nhostname: a\n": "cloud-config",
    "\n\n#cloud-config\n": "cloud-config",
    "#!/bin/sh\ntrue\n": "script",
    "#cloud-boothook\n#!/bin/sh\n": "cloud-boothook",
    "#cloud-config-jsonp\n[]\n": "cloud-config-jsonp",
    "#firstlight\nversion: 1\n": "firstlight",
    "#nix\n{ }\n": "nix",
    "#cloud-config\nnote: |\n  MIME-Version: 1.0\n": "cloud-config",
  };
  for (const [text, format] of Object.entries(cases)) {
    for (const bytes of [Buffer.from(text), gzipSync(text), base64(text), base64(gzipSync(text))]) {
      const { parts, findings } = split(bytes);
      t.same(findings, []);
      t.match(parts, [{ document: "user-data", format, text, firstLine: 1, filename: null }]);
      t.equal(parts.length, 1);
    }
  }
  t.same(split(" \n").parts, []);
});

t.test(
  "a document that says nothing of itself is what its source says, else an error",
  async (t) => {
    t.match(split("hostname: a\n", {}, "cloud-config").parts, [{ format: "cloud-config" }]);
    t.same(said(split("hostname: a\n")), [
      "user-data:1:1 error: the first line names no format of user-data [user-data/unknown-format]",
    ]);
  },
);

t.test("a multipart, in any nesting, with what its headers say", async (t) => {
  const expected = [
    'user-data: part 1 (base.cfg) | cloud-config | 9 | "#cloud-config\\nhostname: "',
    'user-data: part 2 (setup.sh) | script | 1 | "#!/bin/sh\\necho hello\\n"',
    'user-data: part 3 (naïve.sh) | script-per-boot | 24 | "#!/bin/sh\\ntrue"',
    'user-data: part 4 | cloud-boothook | 29 | "#cloud-boothook\\n#!/bin/s"',
  ];
  const result = split(multipart);
  t.same(result.findings, []);
  t.same(shown(result), expected);
  t.equal(result.parts[0]?.mergeType, "list(append)+dict(recurse_array)+str()");
  t.equal(result.parts[3]?.launchIndex, 3);
  t.same(shown(split(gzipSync(multipart))), expected, "packed");
  t.same(shown(split(multipart.replaceAll("\n", "\r\n"))).length, 4, "with CRLF");
  t.same(
    shown(split(`\n${multipart}`)).map((line) => line.split(" | ")[2]),
    ["10", "1", "25", "30"],
    "behind an empty line",
  );
});

t.test("parts for another machine are left out where it is known which one this is", async (t) => {
  t.equal(split(multipart, { launchIndex: 3 }).parts.length, 4);
  const other = split(multipart, { launchIndex: 1 });
  t.equal(other.parts.length, 3);
  t.match(said(other), [/^user-data: part 4:29:1 note: .*\[user-data\/launch-index]$/]);
  const byKey = split("#cloud-config\nlaunch-index: 2\n", { launchIndex: 1 });
  t.same(byKey.parts, []);
  t.match(said(byKey), [/launch-index/]);
});

t.test("a packed part is unpacked, and its first line says what it is", async (t) => {
  const part = (header: string, content: Uint8Array) =>
    `MIME-Version: 1.0\n${header}\nContent-Transfer-Encoding: base64\n\n${base64(content)}`;
  const packed = gzipSync("#cloud-config\n{}\n");
  for (const header of [
    "Content-Type: application/x-gzip",
    "Content-Type: text/plain\nContent-Encoding: gzip",
    "Content-Type: text/cloud-config",
  ]) {
    t.match(split(part(header, packed)).parts, [{ format: "cloud-config", firstLine: 1 }], header);
  }
  const bomb = split(part("Content-Type: application/gzip", gzipSync(Buffer.alloc(2 ** 26))));
  t.match(said(bomb), [/error: .*64 MiB.*\[user-data\/too-large]/]);
  const no = split(part("Content-Type: application/gzip", Buffer.from("text")));
  t.match(said(no), [/error: expected gzip data.*\[user-data\/undecodable]/]);
});

t.test("what is wrong with a message is said with its line", async (t) => {
  const cut = split(multipart.slice(0, multipart.indexOf("--inner--")));
  t.match(said(cut), [
    /^user-data:18:1 error: this multipart has no end.*\[user-data\/mime-form]/,
    /^user-data:1:1 error: this multipart has no end/,
  ]);
  const noBoundary = split(multipart.replace('boundary="==b=="', "x=y"));
  t.match(said(noBoundary), [/^user-data:1:1 error: this multipart names no boundary/]);
  t.same(noBoundary.parts, []);
  const encoded = (encoding: string, body: string) =>
    said(split(`MIME-Version: 1.0\nContent-Transfer-Encoding: ${encoding}\n\n${body}`))[0];
  t.match(encoded("base64", "IyEvYmlu*L3NoCg=="), /:4:1 warning: there are characters/);
  t.match(encoded("base64", "IyEvYmluL3NoCg"), /warning: the base64 of this part ends amid/);
  t.match(encoded("base64", "IyEvY"), /error: this part is not encoded/);
  t.match(encoded("rot13", "#!/bin/sh"), /warning: this part names an encoding that is not known/);
  const misspelt = split(multipart.replace("Merge-Type:", "merge-type:"));
  t.match(said(misspelt), [/warning: merge-type has no meaning.*\[user-data\/merge-header]/]);
  t.equal(misspelt.parts[0]?.mergeType, null);
});

t.test("what nothing reads is named, and the rest counts", async (t) => {
  const result = split(
    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" +
      "--b\nContent-Type: text/html\n\n<p>\n--b\n\nprose\n--b\n\n#part-handler\nimport os\n" +
      "--b\nContent-Type: application/octet-stream\n\n#!/bin/sh\n" +
      "--b\nContent-Type: text/x-shellscript\n\n#cloud-config\n{}\n--b--\n",
  );
  t.match(said(result), [
    /^user-data: part 1:7:1 warning: nothing reads parts of the type text\/html/,
    /^user-data: part 2:10:1 warning: neither its type nor its first line/,
    /^user-data: part 3:13:1 error: a part-handler is a program of Python.*unsupported-format/,
    /^user-data: part 4:18:1 warning: nothing reads parts of the type application\/octet-stream/,
  ]);
  t.match(shown(result), [/^user-data: part 5 \| cloud-config \| 22/]);
});

t.test(
  "a part-handler is refused with the reason, wherever it is and whatever it is called",
  async (t) => {
    const python = "#part-handler\ndef list_types(): return ['text/x']\n";
    const message = (header: string, body: string) =>
      `Content-Type: multipart/mixed; boundary=b\n\n--b\n${header}\n\n${body}\n--b\nContent-Type: text/cloud-config\n\nhostname: a\n--b--\n`;
    const base64 = Buffer.from(python).toString("base64");
    const encoded = "Content-Type: text/part-handler\nContent-Transfer-Encoding: base64";
    const packed = gzipSync(python).toString("base64");
    const gzipped = "Content-Type: application/gzip\nContent-Transfer-Encoding: base64";
    const handlers: Readonly<Record<string, string | Uint8Array>> = {
      "as the whole user-data": python,
      "whole, packed": gzipSync(python),
      "by its type": message("Content-Type: text/part-handler", "def list_types(): return []\n"),
      "by its first line": message("Content-Type: text/plain", python),
      "as a script that is none": message("Content-Type: text/x-shellscript", python),
      "with a name": message('Content-Type: text/part-handler; name="h.py"', python),
      encoded: message(encoded, base64),
      packed: message(gzipped, packed),
      "in a message in a message": message(
        "Content-Type: multipart/alternative; boundary=inner",
        `--inner\nContent-Type: text/part-handler\n\n${python}\n--inner--`,
      ),
      "in an archive, by its type":
        '#cloud-config-archive\n- {type: text/part-handler, content: "def list_types(): pass"}\n- "#cloud-config\\nhostname: a\\n"\n',
      "in an archive, by its first line":
        '#cloud-config-archive\n- "#part-handler\\nimport os\\n"\n- {content: "hostname: a"}\n',
      "in an archive in a message": message(
        "Content-Type: text/cloud-config-archive",
        "- {type: text/part-handler, content: x}\n",
      ),
    };
    for (const [where, text] of Object.entries(handlers)) {
      const { findings, parts } = split(text);
      t.match(
        findings,
        [
          {
            level: "error",
            code: "user-data/unsupported-format",
            line: Number,
            message: /a part-handler is a program of Python, which runs nowhere here/,
            hint: /do what it does beforehand, and give the #cloud-config/,
          },
        ],
        where,
      );
      t.equal(findings.length, 1, where);
      const rest = where.includes("whole") ? [] : ["cloud-config"];
      t.same(
        parts.map(({ format }) => format),
        rest,
        `${where}: what stands beside it is read`,
      );
    }
    const url = "https://a.example/handler";
    const included = split(`#include\n${url}\n`, {
      fetched: new Map([[url, Buffer.from(python)]]),
    });
    t.match(said(included), [/^https:\/\/a\.example\/handler:1:1 error: a part-handler/]);
  },
);

t.test("modules of NixOS are known by their first line, their type or their name", async (t) => {
  const part = (header: string, text: string) =>
    split(`MIME-Version: 1.0\n${header}\n\n${text}`).parts.map(({ format }) => format);
  t.same(part("Content-Type: text/plain", "#nix\n{ }\n"), ["nix"]);
  t.same(part("Content-Type: text/x-nix", "{ }\n"), ["nix"]);
  t.same(part("Content-Disposition: attachment; filename=web.nix", "{ }\n"), ["nix"]);
  t.same(part("Content-Type: application/octet-stream; name=web.nix", "{ }\n"), ["nix"]);
  t.same(part("Content-Disposition: attachment; filename=a.nix", "#!/bin/sh\n"), ["script"]);
});

t.test("a key that an entry of an archive has not is named", async (t) => {
  const text =
    '#cloud-config-archive\n- { type: text/x-shellscript, contnt: "#!/bin/sh", content: "#!/bin/sh\\ntrue\\n", x-mine: 1 }\n';
  t.match(said(split(text)), [
    /^user-data:2:\d+ warning 0\.contnt: an entry of an archive has no such key .*archive-entry\]/,
    /^user-data:2:\d+ note 0\.x-mine: /,
  ]);
});

t.test("an archive is its entries", async (t) => {
  const archive = `#cloud-config-archive
- type: text/x-shellscript-per-once
  filename: once.sh
  launch-index: 2
  content: |
    #!/bin/sh
    true
- |
  #!/bin/sh
  echo hello
- content: "hostname: a"
  Merge-Type: list(append)
- "#cloud-boothook\\n#!/bin/sh\\n"
- content: !!binary IyEvYmluL3NoCg==
- type: text/html
  content: <p>
- 7
- { type: script, content: a }
`;
  const result = split(archive);
  t.same(shown(result), [
    'user-data: part 1 (once.sh) | script-per-once | 6 | "#!/bin/sh\\ntrue\\n"',
    'user-data: part 2 | script | 9 | "#!/bin/sh\\necho hello\\n"',
    'user-data: part 3 | cloud-config | 1 | "hostname: a"',
    'user-data: part 4 | cloud-boothook | 1 | "#cloud-boothook\\n#!/bin/s"',
    'user-data: part 5 | script | 1 | "#!/bin/sh\\n"',
  ]);
  t.equal(result.parts[0]?.launchIndex, 2);
  t.equal(result.parts[2]?.mergeType, "list(append)");
  t.match(said(result), [
    /^user-data:17:1 error 6: expected an entry with text.*\[user-data\/archive-entry]/,
    /^user-data:18:1 error 7: `type` of an entry is no type/,
    /^user-data: part 6:1:1 warning: nothing reads parts of the type text\/html/,
  ]);
  const inMessage = split(`MIME-Version: 1.0\nContent-Type: text/plain\n\n${archive}`);
  t.match(shown(inMessage)[0], /^user-data: part 1: part 1 \(once\.sh\) \| script-per-once \| 9/);
  t.match(said(split("#cloud-config-archive\na: b\n")), [/error: expected a list/]);
});

t.test("what a document includes is read where it was fetched, and named where not", async (t) => {
  const list = "#include https://a.example/one?token=x\n# a comment\n\nhttp://a.example/two\n";
  const first = split(list);
  t.same(first.includes, [
    { address: "https://a.example/one?token=x", isOnce: false },
    { address: "http://a.example/two", isOnce: false },
  ]);
  t.match(said(first), [
    /^user-data:1:1 error: https:\/\/a\.example\/one\?… was not read \[user-data\/include-unread]/,
    /^user-data:4:1 warning: this address is read without protection.*include-unprotected/,
    /^user-data:4:1 error: http:\/\/a\.example\/two was not read/,
  ]);
  const fetched = new Map([
    ["https://a.example/one?token=x", gzipSync("#!/bin/sh\ntrue\n")],
    ["http://a.example/two", Buffer.from("#include-once\nhttps://a.example/three\n")],
    ["https://a.example/three", Buffer.from(multipart)],
  ]);
  const all = split(list, { fetched });
  t.same(all.includes, []);
  t.match(shown(all), [
    /^https:\/\/a\.example\/one\?… \| script \| 1/,
    /^https:\/\/a\.example\/three: part 1 \(base\.cfg\) \| cloud-config \| 9/,
    ...[/part 2/, /part 3/, /part 4/],
  ]);
  t.same(split("#include-once\nhttps://a.example/x\n").includes, [
    { address: "https://a.example/x", isOnce: true },
  ]);
});

t.test("an address is shown by its origin and its end, and each document has a name", async (t) => {
  const list =
    "#include\nhttps://u:p4ss@a.example/t0ken/web.yaml\nhttps://a.example/other/t0ken/web.yaml\nhttps://a.example/t0ken/\n";
  const names = [
    "https://a.example/…/web.yaml",
    "https://a.example/…/web.yaml (2)",
    "https://a.example/…/",
  ];
  const unread = split(list);
  t.same(
    unread.findings.map(({ message }) => message),
    names.map((name) => `${name} was not read`),
  );
  const fetched = new Map(
    unread.includes.map(({ address }) => [address, Buffer.from("#!/bin/sh")]),
  );
  const all = split(list, { fetched });
  t.same(all.documents.slice(1), names);
  t.same(
    all.parts.map(({ document }) => document),
    names,
  );
  const twice = split("#include\nhttps://a.example/b/c\nhttps://a.example/b/c\n");
  t.equal(new Set(twice.findings.map(({ message }) => message)).size, 1, "one address, one name");
});

t.test("includes are bounded, and go round no circle", async (t) => {
  const fetched = new Map<string, Uint8Array>([
    ["https://a.example/a", Buffer.from("#include\nhttps://a.example/b\n")],
    ["https://a.example/b", Buffer.from("#include\nhttps://a.example/a\nfile:///etc/shadow\n")],
  ]);
  const round = split("#include\nhttps://a.example/a\n", { fetched });
  t.match(said(round), [
    /^https:\/\/a\.example\/b:2:1 error: this document is included by itself.*include-cycle/,
    /^https:\/\/a\.example\/b:3:1 error: expected an address with http or https.*include-address/,
  ]);
  const deep = new Map(
    Array.from({ length: 20 }, (_, n) => [
      `https://a.example/${n}`,
      Buffer.from(`#include\nhttps://a.example/${n + 1}\n`),
    ]),
  );
  const down = split("#include\nhttps://a.example/0\n", { fetched: deep });
  t.match(said(down), [/^https:\/\/a\.example\/9:2:1 error: .*more than 10 deep.*include-limit/]);
  const wide = Array.from({ length: 70 }, (_, n) => `https://a.example/${n}\n`).join("");
  const many = split(`#include\n${wide}`);
  t.equal(many.includes.length, 64);
  t.match(said(many).at(-1), /^user-data:66:1 error: at most 64 documents.*include-limit/);
});

t.test("a template is handed out, and read as what it was rendered to", async (t) => {
  const text = "\n## template: jinja\n#cloud-config\nhostname: {{ local_hostname }}\n";
  const template = "#cloud-config\nhostname: {{ local_hostname }}\n";
  const unrendered = split(text);
  t.same(unrendered.templates, [{ document: "user-data", template, firstLine: 3 }]);
  t.match(said(unrendered), [/error: a template is rendered by the node/]);
  const rendered = new Map([[template, "#cloud-config\nhostname: a\n"]]);
  const result = split(text, { rendered });
  t.same(result.findings, []);
  t.match(result.parts, [{ format: "cloud-config", firstLine: 3, text: /hostname: a/ }]);
  const again = split(text, { rendered: new Map([[template, text]]) });
  t.match(said(again), [/error: a template is rendered once/]);
  const typed = split(`MIME-Version: 1.0\nContent-Type: text/jinja2\n\n#!/bin/sh\n`);
  t.match(said(typed), [/error: a part of the type text\/jinja2 begins with/]);
});

t.test("text that is no UTF-8 is read by its charset, else said to be none", async (t) => {
  const part = (charset: string) =>
    split(
      Buffer.from(
        `MIME-Version: 1.0\nContent-Type: text/cloud-config${charset}\n\nname: Z\xfcrich\n`,
        "latin1",
      ),
    );
  t.match(part("; charset=iso-8859-1").parts, [{ text: "name: Zürich\n" }]);
  t.match(said(part("")), [/^user-data: part 1:4:8 error: expected UTF-8 text, got the byte 0xFC/]);
});

t.test("documents made to be large take no long time", async (t) => {
  const boundary = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n";
  const many = split(`${boundary}${"--b\n\n#!/bin/sh\n".repeat(5_000)}--b--\n`);
  t.equal(many.parts.length, 1000);
  t.match(said(many), [/error: a document has at most 1000 parts/]);
  let deep = "MIME-Version: 1.0\n";
  for (let n = 0; n < 500; n++) {
    deep += `Content-Type: multipart/mixed; boundary=b${n}\n\n--b${n}\n`;
  }
  t.match(said(split(deep)).slice(0, 1), [/error: multiparts lie more than 64 deep/]);
  const lines = split(
    `${boundary}${"\r".repeat(2 ** 20)}${"--".repeat(2 ** 20)}${" \n".repeat(2 ** 20)}`,
  );
  t.match(said(lines), [/no line of this multipart begins a part/]);
});

function base64(content: string | Uint8Array): Buffer {
  return Buffer.from(
    `${Buffer.from(content as string)
      .toString("base64")
      .replace(/.{76}/g, "$&\n")}\n`,
  );
}
