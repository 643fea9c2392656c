import t from "tap";
import type { Lack, MetadataClient } from "../metadata/service.ts";
import { crawlTree } from "./tree.ts";

/** A service that lists names by `list`, and what was asked of it. */
async function crawl(list: (directory: string) => readonly string[]) {
  const asked: string[] = [];
  const lacks: Lack[] = [];
  const client: MetadataClient = {
    async get(path) {
      asked.push(path);
      return Buffer.from("x");
    },
    text: async (path) => list(path).join("\n"),
    post: () => Promise.reject(new Error("nothing is said")),
    lack: (lack) => void lacks.push(lack),
  };
  await crawlTree(client, "/meta/");
  return { asked, lacks };
}

function names(count: number, ending = ""): readonly string[] {
  return Array.from({ length: count }, (_, number) => `${number}${ending}`);
}

t.test("a machine with 64 interfaces is asked for whole", async (t) => {
  const { asked, lacks } = await crawl((directory) => {
    if (directory === "/meta/") return ["network/"];
    return directory === "/meta/network/" ? names(64, "/") : names(30);
  });
  t.equal(asked.length, 64 * 30);
  t.same(lacks, []);
});

t.test("what is beyond that is not asked for, and told", async (t) => {
  const many = await crawl(() => names(5_000));
  t.equal(many.asked.length, 3_000);
  t.match(many.lacks, [
    {
      level: "warning",
      path: "/meta/",
      problem: "more than 3000 names are listed, the further ones are not asked for",
    },
  ]);
  const deep = await crawl(() => ["leaf", "deeper/"]);
  t.equal(deep.asked.length, 8);
  t.match(deep.lacks, [
    {
      level: "warning",
      path: `/meta/${"deeper/".repeat(8)}`,
      problem: "more than 8 levels are listed, the deeper ones are not asked for",
    },
  ]);
});
