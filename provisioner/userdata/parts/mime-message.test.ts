import t from "tap";
import { readMessage } from "./mime-message.ts";
import { readParameters } from "./mime-parameters.ts";
import { transferDecode } from "./transfer-encoding.ts";

/** Parts as `type | name | line | body`, then defects as `line defect`. */
function read(text: string): readonly string[] {
  const { parts, faults } = readMessage(Buffer.from(text));
  return [
    ...parts.map(({ contentType, header, bodyLine, body }) =>
      [contentType, header.filename() ?? "-", bodyLine, JSON.stringify(body)].join(" | "),
    ),
    ...faults.map(({ line, defect }) => `${line} ${defect}`),
  ];
}

const multipart = (boundary: string, body: string) =>
  `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=${boundary}\n\n${body}`;

t.test("messages are read as Python's email reads them", async (t) => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ["a text alone", "A: b\n\ntext\n", ['text/plain | - | 3 | "text\\n"']],
    ["no header", "\ntext\n", ['text/plain | - | 2 | "text\\n"']],
    [
      "no empty line",
      "A: b\ntext: or\nno field\n",
      ['text/plain | - | 3 | "no field\\n"', "3 no-empty-line"],
    ],
    [
      "two parts, a preamble and an epilogue",
      multipart("b", "before\n--b\n\none\n--b  \nContent-Type: A/B\n\ntwo\n\n--b--\nafter\n"),
      ['text/plain | - | 7 | "one"', 'a/b | - | 11 | "two\\n"'],
    ],
    [
      "bare CR, and CRLF",
      multipart("b", "--b\r\rone\r--b\r\n\r\ntwo\r\n--b--"),
      ['text/plain | - | 6 | "one"', 'text/plain | - | 9 | "two"'],
    ],
    [
      "no end",
      multipart("b", "--b\n\none\n"),
      ['text/plain | - | 6 | "one"', "2 no-close-boundary"],
    ],
    ["no part", multipart("b", "--c\n\none\n"), ["2 no-start-boundary"]],
    ["no boundary", "Content-Type: multipart/mixed\n\n--b\n\none\n", ["1 no-boundary"]],
    [
      "a delimiter twice",
      multipart("b", "--b\n--b\n\none\n--b--\n"),
      ['text/plain | - | 7 | "one"'],
    ],
    [
      "the outer end inside",
      multipart("a", "--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--a--\n"),
      ['text/plain | - | 9 | "one"', "5 no-close-boundary"],
    ],
    [
      "a message in a part",
      multipart("b", "--b\nContent-Type: message/rfc822\n\nSubject: x\n\none\n--b--\n"),
      ['text/plain | - | 9 | "one"'],
    ],
    [
      "a digest, whose parts are messages",
      multipart("b", "--b\n\nSubject: x\n\none\n--b--\n").replace("mixed", "digest"),
      ['text/plain | - | 8 | "one"'],
    ],
    [
      "lines that are no header",
      "From x\n b\n: c\nA: d\nFrom y\nB: e\n\ntext",
      [
        ...['text/plain | - | 8 | "text"', "2 first-line-is-continuation", "3 no-header-name"],
        "5 misplaced-envelope",
      ],
    ],
    [
      "a folded type, and none",
      "Content-Type: text/x-nix;\n\tname=a.nix\n\n\n",
      ['text/x-nix | a.nix | 4 | "\\n"'],
    ],
    ["a type that is none", "Content-Type: text\n\nx", ['text/plain | - | 3 | "x"']],
  ];
  for (const [what, text, expected] of cases) t.same(read(text), expected, what);
});

t.test("parameters, with RFC 2231 in all its forms", async (t) => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["x; a=b", "b"],
    ['x; A = "b c" ; d=e', "b c"],
    ['x; a="b;c"', "b;c"],
    ['x; a="b\\"c\\\\"', 'b"c\\'],
    ["x; a=<b>", "b"],
    ["a=b", "b"],
    ["x; a", ""],
    ["x; b=c", undefined],
    ["x; a=b; a=c", "b"],
    ["x; a*=utf-8''na%C3%AFve", "naïve"],
    ["x; a*=iso-8859-1'en'%A3", "£"],
    ["x; a*=us-ascii''%A3", "\ufffd"],
    ["x; a*=none''%41", "A"],
    ["x; a*=%41", "A"],
    ["x; a*1=c; a*0=b", "bc"],
    ["x; a*0*=utf-8''%e2%82; a*1*=%ac; a*2=.sh", "€.sh"],
  ];
  for (const [field, value] of cases) t.equal(readParameters(field).text("a"), value, field);
});

t.test("encodings are undone as far as they can be", async (t) => {
  const cases: readonly (readonly [string, string, string, string?])[] = [
    ["base64", "YWJj\r\nZA==\n", "abcd"],
    ["base64", "YW*JjZA==", "abcd", "strange"],
    ["base64", "YWJjZA==YWJj", "abcd", "strange"],
    ["base64", "YWJjZA", "abcd", "cut"],
    ["base64", "YWJjZ", "YWJjZ", "broken"],
    ["quoted-printable", "a=3Db=\nc =zz=\r\n==", "a=bc =zz="],
    ["uuencode", "begin 644 x\n#86)C\n`\nend\n", "abc"],
    ["uuencode", "abc", "abc", "broken"],
    ["8bit", "abc", "abc"],
    ["rot13", "abc", "abc", "unknown"],
  ];
  for (const [encoding, body, text, problem] of cases) {
    const decoded = transferDecode(body, encoding);
    t.equal(Buffer.from(decoded.bytes).toString(), text, `${encoding} ${body}`);
    t.equal(decoded.problem, problem, `${encoding} ${body}`);
  }
});
