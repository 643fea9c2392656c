import t from "tap";
import type { Lack, MetadataClient } from "../metadata/service.ts";
import { crawlTree } from "./tree.ts";

/** A service that lists names by `list`, and what was asked of it. */
async function crawl(list: (directory: string) => readonly string[], mostAsked = 1e9) {
  const asked: string[] = [];
  const lacks: Lack[] = [];
  const client: MetadataClient = {
    async get(path) {
      asked.push(path);
      return Buffer.from("x");
    },
    text: async (path) => list(path).join("\n"),
    hasTime: () => asked.length < mostAsked,
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

t.test("what a machine is made of is asked for first", async (t) => {
  const tree: Record<string, readonly string[]> = {
    "/meta/": [...names(5_000), "other/", "public-keys/", "network/", "local-hostname"],
    "/meta/public-keys/": ["0=mine"],
    "/meta/public-keys/0/": ["openssh-key"],
    "/meta/network/": ["mac"],
  };
  const { asked, lacks } = await crawl((directory) => tree[directory] ?? []);
  t.same(asked.slice(0, 3), [
    "/meta/local-hostname",
    "/meta/network/mac",
    "/meta/public-keys/0/openssh-key",
  ]);
  t.equal(lacks.length, 1);
});

t.test("where the time for it is over the rest is left out, and told once", async (t) => {
  const { asked, lacks } = await crawl(() => ["network", ...names(300)], 10);
  t.equal(asked.length, 10);
  t.match(lacks, [{ level: "note", path: "/meta/9", problem: /^not asked for, nor what follows/ }]);
});

t.test("a name that leads out of the tree, or is none, is not asked for, and told", async (t) => {
  const outward = [
    ...["..", "../", ".", "../../user-data", "a//b", "//", "/x", "a/../../x", "%2e%2E/x"],
    ...["n".repeat(201), "a/.%2e", "..\\x", "a\tb"],
  ];
  const { asked, lacks } = await crawl((directory) =>
    directory === "/meta/" ? [...outward, "right", "right.txt", "a/..b"] : [],
  );
  t.same(asked, ["/meta/right", "/meta/right.txt", "/meta/a/..b"]);
  t.same(lacks, [
    {
      ...{ level: "warning", path: "/meta/" },
      problem: `${outward.length} names listed that are too long or lead out of the tree, the first "..": not asked for`,
    },
  ]);
});
