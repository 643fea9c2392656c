import t from "tap";
import type { Documents } from "#provisioner/userdata/translate.ts";
import { renderDocuments } from "./render-documents.ts";
import { translateAway } from "./translate-away.ts";

const raw = (document: string, text: string) => ({ document, bytes: Buffer.from(text) });
const translate = async (documents: Documents) =>
  translateAway(documents, { secrets: new Map(), signers: [] });

async function shown(vendorData: string, userData = "hostname: own") {
  const documents = {
    userData: raw("user-data", `#cloud-config\n${userData}\n`),
    vendorData: raw("vendor-data", `#cloud-config\n${vendorData}\n`),
  };
  const { sources, findings } = await renderDocuments(documents, translate, {});
  const files = sources.files.map((file) => JSON.stringify(file)).join("");
  const said = findings.map(({ level, code, document }) => `${document} ${level} ${code}`);
  return { files, said };
}

const inside = "write_files: [{path: /etc/a, content: x}, {path: /etc/a/b, content: y}]";

t.test("vendor-data whose rendering has errors is left out, with a warning", async (t) => {
  const { files, said } = await shown(`${inside}\ntimezone: Europe/Berlin`);
  t.match(files, /own/);
  t.notMatch(files, /Europe\/Berlin/);
  t.strictSame(said, [
    "vendor-data warning render/file-inside",
    "vendor-data warning user-data/vendor-data",
  ]);
});

t.test("of the other vendor-data it is said as well that it is not used", async (t) => {
  const said = async (userData: string) => {
    const documents = {
      userData: raw("user-data", `#cloud-config\n${userData}\n`),
      vendorData: raw("vendor-data", `#cloud-config\n${inside}\n`),
      vendorData2: raw("vendor-data2", "#cloud-config\ntimezone: Europe/Berlin\n"),
    };
    const { findings } = await renderDocuments(documents, translate, {});
    return findings
      .filter(({ code }) => code === "user-data/vendor-data")
      .map(({ document, level, message }) => `${document} ${level} ${message}`);
  };
  t.match(await said("hostname: own"), [
    /^vendor-data warning vendor-data is not used: what comes of it has errors/,
    /^vendor-data2 note vendor-data2 is not used either: what comes of vendor-data has errors/,
  ]);
  t.match(await said("vendor_data2: {enabled: false}"), [
    /^vendor-data warning vendor-data is not used: what comes of it has errors/,
    /^vendor-data2 note vendor-data is not used, as `vendor_data2` of the user-data says/,
  ]);
});

t.test("what else is said of its rendering is a note", async (t) => {
  const { files, said } = await shown("write_files: [{path: /etc/apt/sources.list, content: x}]");
  t.match(files, /sources\.list/);
  t.strictSame(said, ["vendor-data note render/unread-path"]);
});

t.test("the same in user-data is an error", async (t) => {
  const { said } = await shown("timezone: Europe/Berlin", inside);
  t.strictSame(said, ["user-data error render/file-inside"]);
});
