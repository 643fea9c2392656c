import { gzipSync } from "node:zlib";
import t from "tap";
import { decodeUserData, sniff, type UserDataFormat } from "./user-data-format.ts";

const decode = (bytes: Uint8Array) => decodeUserData({ document: "user-data", bytes });

t.test("the beginning of a document says what it is, as cloud-init reads it", async (t) => {
  const cases: readonly (readonly [string, UserDataFormat])[] = [
    ["", "empty"],
    [" \n\t\n", "empty"],
    ["#cloud-config\n", "cloud-config"],
    ["\ufeff#cloud-config\n", "cloud-config"],
    ["\n\n  #cloud-config", "cloud-config"],
    ["#Cloud-Config\r\n", "cloud-config"],
    ["#cloud-config-archive\n", "cloud-config-archive"],
    ["#cloud-config-jsonp\n", "cloud-config-jsonp"],
    ["#cloud-boothook\n", "cloud-boothook"],
    ["#include\nhttps://example.org", "include"],
    ["#include-once\n", "include-once"],
    ["#part-handler\n", "part-handler"],
    ["## template: jinja\n#cloud-config\n", "jinja"],
    ["#firstlight\n", "firstlight"],
    ["#firstlighthouse\n", "unknown"],
    ["#nix\n", "nix"],
    ["#!/bin/sh\n", "script"],
    ["Content-Type: multipart/mixed\n", "mime"],
    ["MIME-Version: 1.0\n", "mime"],
    ["From nobody Mon Jan 1", "mime"],
    ["From here on this is prose", "mime"],
    ["content-type of this is unknown", "unknown"],
    ["# a comment\n#cloud-config\n", "unknown"],
    ["hostname: a\n", "unknown"],
    ["{}", "unknown"],
  ];
  for (const [text, format] of cases) t.equal(sniff(text), format, JSON.stringify(text));
});

t.test("text is decoded, gzip is unpacked", async (t) => {
  t.equal(decode(Buffer.from("#cloud-config ä")).text, "#cloud-config ä");
  t.equal(decode(gzipSync("#cloud-config\n")).text, "#cloud-config\n");
});

t.test("what is neither is a finding that says why, and where", async (t) => {
  const large = { code: "user-data/too-large", line: null, message: /at most 16 MiB/ };
  const undecodable = { code: "user-data/undecodable" };
  const cases = {
    cut: [gzipSync("#cloud-config\n".repeat(100)).subarray(0, 40), { ...undecodable, line: null }],
    bomb: [gzipSync(Buffer.alloc(64 * 1024 * 1024)), large],
    large: [Buffer.alloc(17 * 1024 * 1024, 0x20), large],
    latin1: [
      Buffer.from("#cloud-config\nä: Zürich\ncity: Gen\xe8ve\n", "latin1").fill("ae", 14, 15),
      { ...undecodable, line: 2, column: 5, message: /the byte 0xFC/ },
    ],
    "latin1 in gzip": [
      gzipSync(Buffer.from([0x23, 0x0d, 0x0a, 0xe4, 0x20])),
      { ...undecodable, line: 2, column: 1, message: /0xE4/ },
    ],
    "behind wider characters": [
      Buffer.concat([Buffer.from("ä😀"), Buffer.from([0xff])]),
      { ...undecodable, line: 1, column: 3 },
    ],
    "cut in a character": [
      Buffer.from("a\nä").subarray(0, 3),
      { ...undecodable, line: 2, column: 1, message: /cut off/ },
    ],
  } as const;
  for (const [name, [bytes, finding]] of Object.entries(cases)) {
    const { text, findings } = decode(bytes);
    t.equal(text, undefined, name);
    t.match(findings, [{ level: "error", ...finding }], name);
  }
});
