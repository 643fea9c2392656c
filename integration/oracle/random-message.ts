/** A message that may be wrong, as bytes. */
export function randomMessage(random: () => number): Uint8Array {
  const writer = new MessageWriter(random);
  const bytes = Buffer.from(writer.message(), "latin1");
  return writer.chance(0.1) ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
}

const boundaries = [
  "b",
  "b2",
  "====",
  "=_x'y",
  "a b",
  "--",
  "b--",
  "===============7330845974216740156==",
];
const types = [
  ...["text/plain", "text/cloud-config", "text/x-shellscript", "text/x-shellscript-per-boot"],
  ...["text/cloud-boothook", "application/octet-stream", "Text/Cloud-Config", "text", "a/b/c", ""],
];
const texts = [
  ...[
    "#cloud-config\nhostname: a\n",
    "#!/bin/sh\necho hello\n",
    "",
    "\n",
    "one line",
    "a\n\n\nb\n",
  ],
  ...[
    "--\n--b\n--b--\ntext\n",
    "=3D=\n=41=zz ==\n",
    "From here on\ntext\n",
    "a: b\nc\n",
    "caf\xc3\xa9\n",
  ],
  ...[
    "#include\nhttps://example.org/\n",
    "- a\n- b\n",
    "trailing blanks  \t\n",
    "\xff\xfe\x00raw\n",
  ],
];
const filenames = [
  ...['filename="a.sh"', "filename=a.sh", 'FileName = "b c.txt" ', 'filename="q\\"uo\\\\te.sh"'],
  ...["filename*=utf-8''na%C3%AFve.sh", "filename*=iso-8859-1'en'%A3%20rates", "filename*=''x"],
  ...['filename*0="long "; filename*1=name.sh', "filename*1=b; filename*0=a"],
  ...["filename*0*=utf-8''%e2%82%ac; filename*1=.sh", "filename*=nonsense'x'%41", "filename*=%41"],
  ...['filename="=?utf-8?b?w6Q=?="', 'filename=""', "filename=<x>", "filename=caf\xc3\xa9", "x=1"],
  ...['filename="a;b"', 'filename="open', "filename=a;filename=b", 'filename="\\"twice\\""', ";;"],
];

class MessageWriter {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  chance(part: number): boolean {
    return this.#random() < part;
  }

  message(): string {
    const ending = this.#one(["\n", "\n", "\n", "\r\n", "\r\n", "\r"]);
    const start = this.chance(0.1) ? `From nobody Mon Jan  1 00:00:00 2024${ending}` : "";
    return start + this.#entity(0, ending, [`MIME-Version: 1.0`]);
  }

  #entity(depth: number, ending: string, fields: readonly string[] = []): string {
    const kind = this.#random();
    if (depth < 5 && kind < (depth === 0 ? 0.95 : 0.2))
      return this.#multipart(depth, ending, fields);
    if (depth < 5 && kind < 0.27) return this.#nested(depth, ending, fields);
    return this.#leaf(ending, fields);
  }

  #multipart(depth: number, ending: string, fields: readonly string[]): string {
    const boundary = this.chance(0.1) ? this.#one(boundaries) : `${depth}${this.#one(boundaries)}x`;
    const kind = this.#one(["mixed", "mixed", "alternative", "digest", "MIXED"]);
    const named = this.#one([
      ...[
        `; boundary="${boundary}"`,
        `; boundary="${boundary}"`,
        `; charset=x; boundary="${boundary} "`,
      ],
      ...[
        `;${ending} boundary="${boundary}"`,
        `; BOUNDARY="${boundary}"`,
        `; boundary*=us-ascii''${encodeURIComponent(boundary)}`,
      ],
      ...(this.chance(0.05) ? ["", "; boundary", "; boundary=", `; boundary=${boundary}`] : []),
    ]);
    const header = this.#header([...fields, `Content-Type: multipart/${kind}${named}`], ending);
    const preamble = this.chance(0.3) ? `a preamble${ending}--not${ending}` : "";
    let parts = "";
    for (
      let count = this.chance(0.03) ? 0 : 1 + Math.floor(this.#random() * 4);
      count > 0;
      count--
    ) {
      const again = this.chance(0.05) ? `--${boundary}${ending}` : "";
      parts += `--${boundary}${this.#blanks()}${ending}${again}${this.#entity(depth + 1, ending)}${this.chance(0.98) ? ending : ""}`;
    }
    const end = this.chance(0.95)
      ? `--${boundary}--${this.#blanks()}${this.chance(0.8) ? ending : ""}`
      : "";
    return `${header}${preamble}${parts}${end}${this.chance(0.3) ? `an epilogue${ending}` : ""}`;
  }

  #nested(depth: number, ending: string, fields: readonly string[]): string {
    const header = this.#header([...fields, "Content-Type: message/rfc822"], ending);
    return header + this.#entity(depth + 1, ending, ["Subject: inner"]);
  }

  #leaf(ending: string, fields: readonly string[]): string {
    const text = this.#one(texts).repeat(1 + Math.floor(this.#random() * 3));
    const [encoding, body] = this.#encoded(text);
    const own = [
      ...(this.chance(0.9)
        ? [`Content-Type: ${this.#one(types)}${this.#typeParameters(ending)}`]
        : []),
      ...(encoding === "" ? [] : [`Content-Transfer-Encoding: ${encoding}`]),
      ...(this.chance(0.6) ? [`Content-Disposition: attachment; ${this.#one(filenames)}`] : []),
      ...(this.chance(0.05) ? [`Content-Disposition: ${this.#one(filenames)}`] : []),
      ...(this.chance(0.3)
        ? [
            `${this.#one(["Merge-Type", "X-Merge-Type", "merge-type"])}: list(append)${ending} +dict()`,
          ]
        : []),
      ...(this.chance(0.2) ? ["Launch-Index: 1"] : []),
    ];
    const isKept = this.chance(0.3);
    return (
      this.#header([...fields, ...own], ending) + (isKept ? body : body.replaceAll("\n", ending))
    );
  }

  #typeParameters(ending: string): string {
    return this.#one([
      "",
      "",
      '; charset="utf-8"',
      `;${ending}\tcharset=us-ascii; name="n.sh"`,
      "; name*=utf-8''%41",
      ";",
    ]);
  }

  #encoded(text: string): readonly [string, string] {
    const kind = this.#random();
    if (kind < 0.3) return [this.#one(["", "7bit", "8bit", "binary", "x-unknown", "7BIT"]), text];
    if (kind < 0.6) return [this.#one(["base64", "BASE64"]), this.#damaged(wrapped(text))];
    if (kind < 0.85) return ["quoted-printable", this.chance(0.5) ? quoted(text) : text];
    return [
      this.#one(["x-uuencode", "uuencode", "uue"]),
      this.chance(0.8) ? uuencoded(text) : text,
    ];
  }

  #damaged(text: string): string {
    const kind = this.#random();
    if (kind < 0.6) return text;
    if (kind < 0.7) return text.replace(/=+/, "");
    if (kind < 0.8) return text.slice(0, Math.floor(this.#random() * text.length));
    const at = Math.floor(this.#random() * text.length);
    return (
      text.slice(0, at) +
      this.#one(["=", "==", "*", "\n\n", " ", "-_", "A", "\xe9"]) +
      text.slice(at)
    );
  }

  #header(fields: readonly string[], ending: string): string {
    const all = [...fields];
    if (this.chance(0.01)) all.splice(Math.floor(this.#random() * all.length), 0, ": no name");
    if (this.chance(0.03))
      all.splice(Math.floor(this.#random() * all.length), 0, "From amid the header");
    if (this.chance(0.01)) all.unshift("\tgoes on from nothing");
    if (this.chance(0.01)) all.push("no field at all");
    if (this.chance(0.01)) all.push("From the end");
    const shouted = this.chance(0.1)
      ? all.map((each) => each.replace(/^Content-Type:/, "CONTENT-TYPE :".replace(" ", "")))
      : all;
    return shouted.map((each) => `${each}${ending}`).join("") + (this.chance(0.99) ? ending : "");
  }

  #blanks(): string {
    return this.chance(0.1) ? this.#one([" ", "\t ", "  "]) : "";
  }

  #one<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T;
  }
}

function wrapped(text: string): string {
  return `${(
    Buffer.from(text, "latin1")
      .toString("base64")
      .match(/.{1,20}/g) ?? []
  ).join("\n")}\n`;
}

function quoted(text: string): string {
  return text
    .replace(/[^ -<>-~\n]/g, (char) => `=${char.charCodeAt(0).toString(16).padStart(2, "0")}`)
    .replace(/(.{30})/g, "$1=\n");
}

function uuencoded(text: string): string {
  const char = (value: number) => (value === 0 ? "`" : String.fromCharCode(32 + value));
  const lines = (text.match(/.{1,45}/gs) ?? []).map((line) => {
    const groups = (line.match(/.{1,3}/gs) ?? []).map((group) => {
      const [a = 0, b = 0, c = 0] = [...group].map((each) => each.charCodeAt(0));
      return [a >> 2, ((a & 3) << 4) | (b >> 4), ((b & 15) << 2) | (c >> 6), c & 63]
        .map(char)
        .join("");
    });
    return char(line.length) + groups.join("");
  });
  return ["begin 644 a.sh", ...lines, "`", "end", ""].join("\n");
}
