import { readImported } from "./imported-keys.ts";
import type { CloudConfigModule } from "./module.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleEx";

/** `ssh_import_id`: keys of accounts elsewhere for the default user. */
export const sshImportId: CloudConfigModule = {
  name: "ssh_import_id",
  keys: ["ssh_import_id"],
  rule:
    "Keys of accounts at GitHub (`gh:NAME`) and Launchpad (`lp:NAME`, or the name alone) for the default user; " +
    "for another it stands under `users`. The agent reads them over https before the translation, as it reads " +
    "the `source` of a file, and what they are counts as a part of the documents: other keys there are a change " +
    "of the node, which its policy decides on. Where an account cannot be read, what it said last counts; where it " +
    "never could, the document is not applied, and the machine stays as it is.",
  example: "ssh_import_id:\n  - gh:octocat\n",
  fetched: new Map([["https://github.com/octocat.keys", Buffer.from(`${key}\n`)]]),
  translate({ config, draft, context }) {
    const input = config.get("ssh_import_id");
    if (input === undefined) return;
    const keys = readImported(input, context);
    if (keys.length === 0) return;
    const { defaultUser } = draft;
    if (defaultUser === undefined) {
      return input.unsupported({
        code: "cloud-config/no-default-user",
        message: "these keys are for nobody: `users` does not list `default`",
        hint: "add `- default` to `users`, or write `ssh_import_id` under a user",
      });
    }
    const user = draft.user(defaultUser);
    user.authorizedKeys = [...new Set([...(user.authorizedKeys ?? []), ...keys])];
    draft.origin(["users", defaultUser, "authorizedKeys"], input);
  },
};
