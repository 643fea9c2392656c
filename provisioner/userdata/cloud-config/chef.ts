import { type RefusedKeys, refused, refusedModule } from "./refused.ts";

const client =
  "nixpkgs has no chef-client; say the same with keys of cloud-config and options, or run it in a container from a unit under `firstlight: units`";
const texts = [
  ...["config_path", "validation_cert", "validation_key", "firstboot_path", "client_key"],
  ...["encrypted_data_bag_secret", "environment", "file_backup_path", "file_cache_path"],
  ...["json_attribs", "log_level", "log_location", "node_name", "omnibus_url", "omnibus_version"],
  ...[
    "pid_file",
    "server_url",
    "ssl_verify_mode",
    "validation_name",
    "install_type",
    "chef_license",
  ],
];
const parts: RefusedKeys = {
  ...Object.fromEntries(texts.map((name) => [name, refused.text(client)])),
  directories: refused.list(client),
  run_list: refused.list(client),
  exec: refused.flag(client, (value) => value === false),
  show_time: refused.flag(client, () => true),
  force_install: refused.flag(client, (value) => value === false),
  omnibus_url_retries: refused.anyOf(["a number"], client),
  delete_validation_post_exec: refused.flag(client, (value) => value === false),
  initial_attributes: refused.mapping(client),
};

/** `chef`: a client of Chef. */
export const chef = refusedModule({
  name: "chef",
  rule:
    "nixpkgs has no client of Chef, and its installer is made for other distributions. What recipes set up has keys " +
    "of cloud-config and options of NixOS; a client in a container is a unit of `firstlight: units`. Nothing of the " +
    "section is used, its keys and certificates neither.",
  example: `chef:
  server_url: https://chef.example.org
  node_name: edge-17
  run_list: ["role[edge]"]
`,
  keys: { chef: refused.mapping(client, parts) },
});
