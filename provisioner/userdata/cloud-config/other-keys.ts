/**
 * Keys of cloud-config that are not translated, each with the NixOS way to do the same. A key that
 * is neither here nor owned by a module is unknown to cloud-init too.
 */
export const otherKeys: Readonly<Record<string, string>> = {
  cloud_config_modules: "the order of modules has no meaning here",
  cloud_final_modules: "the order of modules has no meaning here",
  cloud_init_modules: "the order of modules has no meaning here",
  datasource: "datasources are chosen in the settings of the image",
  datasource_list: "datasources are chosen in the settings of the image",
  debug: "use `firstlight status --json`",
  "launch-index":
    "which of several machines a part is for was decided before it was read (docs/user-data.md)",
  log_cfgs: "the journal keeps what firstlight says",
  network: "give it as network-config of the datasource, or under `firstlight: network`",
  output: "the journal keeps the output of every unit",
  syslog_fix_perms: "the journal needs none",
  system_info: "set `services.firstlight.settings.defaultUser` in the image",
  warnings: "findings say what matters",
  write_files_deferred: "use `defer: true` in write_files",
};
