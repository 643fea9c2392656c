import t from "tap";
import { bytesOf, formatBytes, parseBytes } from "./bytes.ts";

t.test("sizes are read as systemd reads them", async (t) => {
  t.equal(parseBytes("0"), 0);
  t.equal(parseBytes("4096"), 4096);
  t.equal(parseBytes("512M"), 512 * 1024 * 1024);
  t.equal(parseBytes("2T"), 2 * 1024 ** 4);
  for (const text of ["", "M", "1.5G", "-1", "1MB", "1 M", "1m", "9".repeat(13)])
    t.equal(parseBytes(text), undefined, text);
  t.equal(bytesOf(undefined, 7), 7);
  t.equal(bytesOf("1K", 7), 1024);
});

t.test("bytes are told in the unit in which they are small", async (t) => {
  t.equal(formatBytes(0), "0 B");
  t.equal(formatBytes(1023), "1023 B");
  t.equal(formatBytes(1024 ** 2 - 1), "1.0 MiB");
  t.equal(formatBytes(1536), "1.5 KiB");
  t.equal(formatBytes(3.4 * 1024 ** 2), "3.4 MiB");
  t.equal(formatBytes(5000 * 1024 ** 4), "5000.0 TiB");
});
