import t from "tap";
import { partOf, translateText } from "./sample-translation.ts";
import type { Translation } from "./translation.ts";

/** A message of parts, each with its header. */
function message(...parts: readonly (readonly [header: string, text: string])[]): string {
  const bodies = parts.map(([header, text]) => `--b\n${header}\n\n${text}\n`);
  return `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n${bodies.join("")}--b--\n`;
}

const config = "Content-Type: text/cloud-config";

function placesOf({ findings }: Translation): readonly string[] {
  return findings.map(({ document, line, level, code }) => `${document}:${line} ${level} ${code}`);
}

t.test("the parts of a message are merged, each by its own header", async (t) => {
  const translation = translateText(
    message(
      [config, "hostname: a\npackages: [htop]"],
      [`${config}\nMerge-Type: dict(recurse_list)+list(append)`, "packages: [git]"],
      [`${config}\nX-Merge-Type: dict()`, "hostname: b\ntimezone: UTC"],
      [
        "Content-Type: text/cloud-config-jsonp",
        '[{"op": "add", "path": "/packages/-", "value": "jq"}]',
      ],
    ),
  );
  t.strictSame(partOf(translation), {
    hostname: "a",
    packages: ["htop", "git", "jq"],
    timezone: "UTC",
  });
  t.match(placesOf(translation), [/part 3.*:18 note merge\/replaced$/]);
  const { origins } = translation;
  t.match(origins.get("packages.0"), { document: /part 1/, line: 8 });
  t.match(origins.get("packages.1"), { document: /part 2/, line: 13 });
  t.match(origins.get("packages.2"), { document: /part 4/, line: 23 });
});

t.test(
  "a #firstlight stands over the config beside it, and keeps its names of secrets",
  async (t) => {
    const translation = translateText(
      message(
        [
          "Content-Type: text/plain",
          "#cloud-config\nhostname: a\nusers: [{name: x, hashed_passwd: '$6$abcdefgh$1'}]",
        ],
        [
          "Content-Type: text/plain",
          "#firstlight\nhostname: b\nsecrets: {user-x-password: named}\nfiles: [{path: /etc/a, secret: {secretRef: user-x-password}}]",
        ],
      ),
    );
    t.equal(translation.spec.hostname, "b");
    const text = Buffer.from(translation.secrets.get("user-x-password")?.reveal() ?? []);
    t.equal(text.toString(), "named");
    t.match(translation.origins.get("hostname"), { document: /part 2/, line: 14 });
  },
);
