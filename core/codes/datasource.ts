import type { CodeTable } from "./entry.ts";

export const datasourceCodes = {
  "datasource/malformed": {
    means: "The machine is on this datasource, but what it says cannot be read.",
    action: "Mend the named file or image; the message says where it breaks.",
  },
  "datasource/missing": {
    means: "The datasource is there but lacks a document that it must have.",
    action:
      "Add the named document (NoCloud: user-data and meta-data, both may be empty; ConfigDrive: meta_data.json; the message names it for others).",
  },
  "datasource/none": {
    means: "No datasource was found on this machine.",
    action:
      "Attach a CIDATA or config-2 disk or a stick labelled FIRSTLIGHT, fill /var/lib/cloud/seed/nocloud, give the credential firstlight.spec, or name the datasource in the settings; docs/datasources.md says how each is told.",
  },
  "datasource/unreachable": {
    means: "The metadata service of the machine's cloud does not answer, or not to its end.",
    action:
      "Look at the network of the machine (`firstlight discover` says what was tried), and start it again.",
  },
  "datasource/refused": {
    means: "The metadata service of the machine's cloud refuses to answer.",
    action:
      "Allow the metadata service in the cloud's settings of this instance; the next boot asks it again.",
  },
  "datasource/other-instance": {
    means:
      "A metadata service speaks of another instance than the firmware of this machine; another one may answer in its place. Where another address answers for this machine, that one was used.",
    action:
      "Compare both uuids or numbers with that of the instance (`openstack server show`, `hcloud server list`), and look who answers at the address.",
  },
  "datasource/several": {
    means: "More than one place says what the machine is to become; the first in order is used.",
    action: "Remove the places that are not meant, or name the datasource in the settings.",
  },
  "datasource/unusable": {
    means: "A place that looks like a seed could not be used; another one was.",
    action: "Mend it as the message says, or remove it.",
  },
  "datasource/unknown": {
    means: "cloud-init's settings name one datasource alone, which this version does not know.",
    action:
      "Name one that docs/datasources.md lists, on the kernel's command line or in `/etc/cloud`, or none.",
  },
  "datasource/unknown-credential": {
    means: "A credential is addressed to firstlight under a name that it does not read.",
    action: "Correct its name; docs/datasources.md lists those that are read.",
  },
  "datasource/default-instance-id": {
    means:
      "The meta-data has no instance-id, so that a new instance cannot be told from the old one.",
    action: "Write an instance-id into the meta-data, and change it with each new instance.",
  },
  "datasource/unused-value": {
    means: "A value of the meta-data has a form that cannot be used.",
    action: "Write it as the message says.",
  },
  "datasource/not-a-key": {
    means: "A text stands among the ssh keys of the meta-data and does not look like a public key.",
    action: "Write a public key as ssh-keygen prints it.",
  },
  "datasource/not-read": {
    means: "A part of what the datasource says is not read.",
    action: "Say it in the user-data where the machine needs it, as the message says.",
  },
  "datasource/without-token": {
    means: "The metadata service gives no token, and was asked without one.",
    action:
      "Have the cloud require tokens of the instance (IMDSv2), and take `metadata.imdsv1` from the settings.",
  },
  "datasource/legacy-network": {
    means:
      "The meta-data holds a network configuration in the form of Debian's ifupdown, which is not read.",
    action: "Write a network-config document (version 2) beside the meta-data.",
  },
  "datasource/disabled": {
    means: "firstlight is switched off on this machine.",
    action:
      "Remove the switch that the message names: a file, or a word of the kernel command line.",
  },
} as const satisfies CodeTable;
