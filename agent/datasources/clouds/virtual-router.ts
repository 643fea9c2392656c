import type { Cloud } from "../cloud.ts";
import { askPassword, readPassword } from "./password-server.ts";
import { crawlTree, treeKeys } from "./tree.ts";

const maxUserDataBytes = 1024 * 1024;

/**
 * What the virtual router of CloudStack says, and clouds that come of it. `version` begins its paths:
 * `/latest/`; its password server is at a path of another port: `:8080/`.
 */
export function virtualRouter(version: string, password: string): Pick<Cloud, "crawl" | "read"> {
  const root = `${version}meta-data/`;
  const userData = `${version}user-data`;
  return {
    async crawl(client) {
      await client.get(`${root}instance-id`);
      await client.get(userData, { raw: true, maxBytes: maxUserDataBytes });
      await crawlTree(client, root, [`${root}instance-id/`]);
      await askPassword(client, password);
    },
    read(answers) {
      const at = (name: string) => answers.text(`${root}${name}`);
      return {
        metaData: {
          "instance-id": at("instance-id"),
          "local-hostname": at("local-hostname"),
          "public-keys": treeKeys(answers, root),
          "availability-zone": at("availability-zone"),
          "instance-type": at("service-offering"),
          "public-hostname": at("public-hostname"),
          "local-ipv4": at("local-ipv4"),
          "public-ipv4": at("public-ipv4"),
          "cloud-identifier": at("cloud-identifier"),
          "vm-id": at("vm-id"),
          password: readPassword(answers, password),
        },
        userData: answers.bytes(userData),
      };
    },
  };
}
