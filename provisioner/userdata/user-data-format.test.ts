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

t.test("what is neither is a finding: cut gzip, a bomb, another encoding, too large", async (t) => {
  const cases = {
    cut: gzipSync("#cloud-config\n".repeat(100)).subarray(0, 40),
    bomb: gzipSync(Buffer.alloc(64 * 1024 * 1024)),
    latin1: Buffer.from([0x23, 0xe4, 0x20]),
    large: Buffer.alloc(17 * 1024 * 1024, 0x20),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const { text, findings } = decode(bytes);
    t.equal(text, undefined, name);
    t.match(findings, [{ level: "error", code: "user-data/undecodable", line: null }], name);
  }
});
