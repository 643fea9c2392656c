import t from "tap";
import { fakeService } from "#agent/datasources/metadata/fake-service.ts";
import { firstlightBeside, healthy, machine } from "./try-commands.ts";

t.test("a boot reads no more from addresses than its limits allow", async (t) => {
  const paths = Array.from({ length: 5 }, (_, n) => `/${n}`);
  const large = "#".repeat(15 * 1024 * 1024);
  const { url } = await fakeService(t, Object.fromEntries(paths.map((each) => [each, large])));
  const boot = async (userData: string) =>
    firstlightBeside(["boot", "--root", machine(t, userData), "--driver", "dry"]);

  const files = paths.map((each) => `- {path: /srv${each}, source: {uri: "${url}${each}"}}\n`);
  const ofFiles = await boot(`#cloud-config\nwrite_files:\n${files.join("")}${healthy}`);
  t.equal(ofFiles.code, 4);
  t.match(ofFiles.stderr, /write_files\.4\.source\.uri: .*\[cloud-config\/sources-limit\]/);
  t.notMatch(ofFiles.stderr, "write_files.0.source.uri");

  const included = await boot(`#include\n${paths.map((each) => `${url}${each}\n`).join("")}`);
  t.equal(included.code, 4);
  t.match(included.stderr, /\[user-data\/parts-limit\]/);
});
