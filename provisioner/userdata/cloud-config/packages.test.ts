import t from "tap";
import { shippedTemplates, tryRender } from "#provisioner/render/try-render.ts";
import { translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";
import { serviceOptions, serviceTemplates } from "./package-names.ts";

checkCases(t, [
  {
    name: "attributes of nixpkgs, each once",
    yaml: "packages: [htop, htop, python3Packages.requests]\n",
    spec: { packages: ["htop", "python3Packages.requests"] },
  },
  { name: "one text is one package", yaml: "packages: htop\n", spec: { packages: ["htop"] } },
  {
    name: "names of Debian are mapped, with a note",
    yaml: "packages: [fd-find, build-essential, python3-yaml]\n",
    spec: { packages: ["fd", "gcc", "python3Packages.yaml"] },
    says: [
      "note cloud-config/package-mapped 2:12 packages.0",
      "note cloud-config/package-mapped 2:21 packages.1",
      "note cloud-config/package-mapped 2:38 packages.2",
    ],
  },
  {
    name: "what NixOS needs no package for is left out",
    yaml: "packages: [ca-certificates, linux-image-generic, libssl-dev]\n",
    spec: {},
    says: [
      "note cloud-config/package-unneeded 2:12 packages.0",
      "note cloud-config/package-unneeded 2:29 packages.1",
      "note cloud-config/package-unneeded 2:50 packages.2",
    ],
  },
  {
    name: "a package that is there for its service loses something",
    yaml: "packages: [ufw]\n",
    spec: {},
    says: ["warning cloud-config/package-unneeded 2:12 packages.0"],
  },
  {
    name: "of one that is the program alone on NixOS the service is missed",
    yaml: "packages: [nginx, docker.io]\n",
    spec: { packages: ["nginx", "docker"] },
    says: [
      "warning cloud-config/package-service 2:12 packages.0",
      "warning cloud-config/package-service 2:19 packages.1",
      "note cloud-config/package-mapped 2:19 packages.1",
    ],
  },
  {
    name: "old names, and names that begin with a number",
    yaml: "packages: [git-core, 7zip, python3-dev]\n",
    spec: { packages: ["git", "_7zz", "python3"] },
    says: [
      "note cloud-config/package-mapped 2:12 packages.0",
      "note cloud-config/package-mapped 2:22 packages.1",
      "note cloud-config/package-mapped 2:28 packages.2",
    ],
  },
  {
    name: "a version is that of nixpkgs",
    yaml: "packages:\n  - [jq, '1.6']\n  - nginx=1.2\n",
    spec: { packages: ["jq"] },
    says: [
      "warning cloud-config/package-version 3:10 packages.0.1",
      "warning cloud-config/package-name 4:5 packages.1",
    ],
  },
  {
    name: "packages by package manager",
    yaml: "packages:\n  - apt: [htop, [jq, 1.6-1]]\n  - snap: [core]\n",
    spec: { packages: ["htop", "jq"] },
    says: [
      "warning cloud-config/package-version 3:22 packages.0.apt.1.1",
      "warning cloud-config/unsupported-key 4:5 packages.1.snap",
    ],
  },
  {
    name: "neither a name nor a pair",
    yaml: "packages: [[p2], [a, b, c], 7]\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:12 packages.0",
      "error user-data/wrong-type 2:18 packages.1",
      "error user-data/wrong-type 2:29 packages.2",
    ],
  },
  { name: "an empty list", yaml: "packages: []\n", spec: {} },
  {
    name: "nothing counts as absent",
    yaml: "packages:\n",
    spec: {},
    says: ["warning user-data/no-value 2:10 packages"],
  },
]);

t.test("options and templates of services exist, and are named", async (t) => {
  const options = Object.fromEntries(Object.values(serviceOptions).map((name) => [name, true]));
  t.strictSame(tryRender({ options }).findings, []);
  for (const name of Object.values(serviceTemplates)) t.ok(shippedTemplates.has(name), name);
  const { findings } = translateCloud("packages: [redis, docker-ce]\n");
  t.match(findings, [
    { hint: "set services.redis.servers.main.enable under `firstlight: options`" },
    { hint: "name the template docker-host under `firstlight: templates`" },
    { code: "cloud-config/package-mapped" },
  ]);
});
