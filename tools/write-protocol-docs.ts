import { readFileSync, writeFileSync } from "node:fs";
import { asyncApiDocument } from "#protocol/asyncapi.ts";
import { topicsPage } from "#protocol/topics-page.ts";

const root = new URL("../", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as { version: string };
writeFileSync(new URL("docs/asyncapi.json", root), `${JSON.stringify(asyncApiDocument(version), null, 2)}\n`);
writeFileSync(new URL("docs/topics.md", root), topicsPage());
