import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { setKernelCommandLine } from "./fake-machine.ts";
import { parseNoCloudArguments, readNoCloudArguments } from "./nocloud-arguments.ts";

const cases: Record<string, Record<string, string | null> | undefined> = {
  "root=/dev/sda1 ds=nocloud": {},
  "ds=nocloud; root=/dev/foo": {},
  "ds=nocloud;s=/seed/": { seedfrom: "/seed/" },
  "ds=nocloud-net;s=http://192.0.2.1/": { seedfrom: "http://192.0.2.1/" },
  "ds=nocloud;h=node-7;i=iid-1": { "local-hostname": "node-7", "instance-id": "iid-1" },
  "ds=nocloud;local-hostname=a=b;flag;;x=": { "local-hostname": "a=b", flag: null, x: "" },
  "ds=nocloud;h=a ds=nocloud;h=b": { "local-hostname": "b" },
  "ds=foo": undefined,
  "ds=nocloudy": undefined,
  "xds=nocloud": undefined,
  "": undefined,
};

t.test("ds=nocloud carries meta-data", async (t) => {
  for (const [line, values] of Object.entries(cases)) {
    t.strictSame(parseNoCloudArguments(line.split(" ")), values, line);
  }
});

t.test("the firmware's serial number counts before the kernel's command line", async (t) => {
  const root = t.testdir({
    sys: { class: { dmi: { id: { product_serial: "ds=nocloud;h=dmi\n" } } } },
  });
  setKernelCommandLine(root, "ds=nocloud;h=kernel");
  const found = readNoCloudArguments(fakeIo(root).files);
  t.strictSame(
    found.map(({ place, metaData }) => [place, metaData["local-hostname"]]),
    [
      ["system serial number", "dmi"],
      ["kernel command line", "kernel"],
    ],
  );
});
