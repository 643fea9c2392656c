import t from "tap";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  { name: "nothing", yaml: "updates: {}\n", spec: {} },
  { name: "nothing of the network", yaml: "updates: {network: {}}\n", spec: {} },
  { name: "no event", yaml: "updates: {network: {when: []}}\n", spec: {} },
  {
    name: "what is so anyway",
    yaml: "updates: {network: {when: [boot, boot-legacy, hotplug, boot-new-instance]}}\n",
    spec: {},
  },
  {
    name: "a new instance alone",
    yaml: "updates: {network: {when: [boot-new-instance]}}\n",
    spec: {},
    says: ["note cloud-config/unsupported-key 2:28 updates.network.when.0"],
  },
  {
    name: "values of other kinds",
    yaml: "updates: {network: {when: [7, dusk], other: 1}, storage: {when: [boot]}}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:28 updates.network.when.0",
      "warning cloud-config/unknown-value 2:31 updates.network.when.1",
      "warning cloud-config/unsupported-key 2:38 updates.network.other",
      "warning cloud-config/unsupported-key 2:49 updates.storage",
    ],
  },
  {
    name: "an event alone",
    yaml: "updates: {network: {when: boot}}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:27 updates.network.when"],
  },
  {
    name: "a list",
    yaml: "updates: [hotplug]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:10 updates"],
  },
  {
    name: "a network of another kind",
    yaml: "updates: {network: hotplug}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:20 updates.network"],
  },
]);
