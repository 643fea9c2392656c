import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { Datasource } from "./datasource.ts";

const file = "/var/lib/cloud/data/seed/bigstep/url";
const maxUrlBytes = 4 * 1024;
const maxBytes = 16 * 1024 * 1024;

/**
 * Bigstep's bare metal (https://docs.cloud-init.io/en/latest/reference/datasources/bigstep.html): a file
 * of the image says the address of one JSON document.
 */
export const bigstep: Datasource = {
  name: "Bigstep",
  needs: "network",
  detect({ files }, observe = () => {}) {
    if (files.stat(file) === undefined) return undefined;
    observe(`file: ${file}`);
    const place = `address in ${file}`;
    return { place, identity: `file ${file}`, removable: false, evidence: [`file: ${file}`] };
  },
  async read({ files }, { place, identity, removable, evidence }, tools) {
    const url = readUrl(files);
    if (tools?.fetch === undefined)
      throw new Fault("datasource/none", "Bigstep is read over the network, which is not up yet");
    const bytes = await tools.fetch(url.href, maxBytes);
    if (bytes === undefined)
      throw new Fault("datasource/missing", `${url.origin}: the document of ${file} is not there`);
    const { readBigstep } = await import("./bigstep-content.ts");
    const { instanceContent } = await import("./instance-content.ts");
    const evidenceHere = [...evidence, `${url.origin}: ${bytes.length} bytes`];
    return instanceContent({
      datasource: { name: "Bigstep", place, identity, removable, evidence: evidenceHere },
      instance: readBigstep(bytes, url.origin),
      findings: [],
    });
  },
};

/** The rest of the address may hold a token: it stands in no message. */
function readUrl(files: Files): URL {
  const url = URL.parse(files.readText(file, { maxBytes: maxUrlBytes })?.trim() ?? "");
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new Fault("datasource/malformed", `${file}: an address with http or https was expected`);
}
