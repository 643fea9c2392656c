import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { asyncApiDocument } from "#protocol/asyncapi.ts";
import { topicsPage } from "#protocol/topics-page.ts";

const at = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url));
const { version } = JSON.parse(readFileSync(at("package.json"), "utf8")) as { version: string };
writeFileSync(at("docs/asyncapi.json"), JSON.stringify(asyncApiDocument(version)));
writeFileSync(at("docs/topics.md"), topicsPage());
execFileSync(at("node_modules/.bin/biome"), ["format", "--write", at("docs/asyncapi.json")]);
