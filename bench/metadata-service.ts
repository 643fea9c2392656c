// EC2's metadata service for the bench, in a process of its own: prints its address and serves until killed.

import { ec2Answers } from "#agent/datasources/clouds/fake-ec2.ts";
import { fakeService } from "#agent/datasources/metadata/fake-service.ts";

/** Versions that cloud-init asks for by name. */
const versions = ["latest", "2021-03-23", "2018-09-24", "2016-09-02", "2009-04-04"];

const answers = Object.fromEntries(
  Object.entries(ec2Answers).flatMap(([path, answer]) =>
    versions.map((version) => [path.replace("/latest/", `/${version}/`), answer]),
  ),
);
const never = { teardown: () => {} };
// Without a guard: where it does not know the machine, cloud-init asks without tokens.
const { url } = await fakeService(never, answers);
console.log(url);
