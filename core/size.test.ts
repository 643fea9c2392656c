import t from "tap";
import { parseSize } from "./size.ts";

t.test("sizes are read, anything else is none", async (t) => {
  const sizes = {
    "0B": 0,
    "512MiB": 536_870_912,
    "2GiB": 2_147_483_648,
    "1TiB": 1_099_511_627_776,
  };
  for (const [text, bytes] of Object.entries(sizes)) t.equal(parseSize(text), bytes, text);
  for (const text of ["", "2", "2GB", "-1GiB", "1.5GiB", "2 GiB", "2gib", "1GiB1MiB"])
    t.equal(parseSize(text), undefined, text);
});
