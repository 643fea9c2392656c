import t from "tap";
import { translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  {
    name: "what is done at each boot is the agent's, what comes later networkd's",
    yaml: "updates: {network: {when: [boot, boot-new-instance, boot-legacy, hotplug]}}\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:66 updates.network.when.3"],
  },
  {
    name: "unknown events and wrong types",
    yaml: "updates: {network: {when: [never, 1]}}\n",
    spec: {},
    says: [
      "warning cloud-config/unknown-value 2:28 updates.network.when.0",
      "error user-data/wrong-type 2:35 updates.network.when.1",
    ],
  },
  {
    name: "a text is no network",
    yaml: "updates: {network: boot}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:20 updates.network"],
  },
  {
    name: "a list is none either",
    yaml: "updates: [a]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:10 updates"],
  },
]);

t.test("the events count as the agent's", async (t) => {
  const { coverage } = translateCloud("updates: {network: {when: [boot, hotplug]}}\n");
  t.strictSame(coverage, { translated: 0, agent: 2, unsupported: 0 });
});
