import type { CodeTable } from "./entry.ts";

export const installCodes = {
  "install/witness-missing": {
    means:
      "One of the witnesses of the disks cannot be asked: the kernel's files, udev's names, the mounts, or lsblk.",
    action:
      "Start from a medium that has udev and lsblk of util-linux, and run the installation as root.",
  },
  "install/witnesses-disagree": {
    means: "Two witnesses say different things of the disks, so that none of them is believed.",
    action:
      "Start the machine again, so that the kernel reads every partition table anew; then compare `lsblk` with `firstlight facts`.",
  },
  "install/no-disk": {
    means: "The machine has no disk that an installation could go to.",
    action:
      "Look for a controller in RAID mode in the firmware, for a driver that the medium lacks, and whether the disk is plugged in.",
  },
  "install/no-candidate": {
    means: "No disk may be taken unasked: each has something that speaks against it.",
    action:
      "Read why at each disk; name the one that may be erased with --disk and its name below /dev/disk/by-id.",
  },
  "install/several-disks": {
    means: "More than one disk may be taken, and nobody said which.",
    action: "Name it with --disk and its name below /dev/disk/by-id.",
  },
  "install/disk-count": {
    means: "The layout takes another number of disks than was named, or than may be taken unasked.",
    action: "Give each disk with a --disk of its own, or choose another layout.",
  },
  "install/disk-sizes": {
    means: "The disks that may be taken for a mirror are not of the same size.",
    action:
      "Name both with --disk where they are meant: the mirror is as large as the smaller one.",
  },
  "install/no-such-disk": {
    means: "No disk of this machine has the id that was given; it may be that of another machine.",
    action: "Take an id from `ls -l /dev/disk/by-id` of this very machine.",
  },
  "install/name-not-stable": {
    means:
      "A disk was given by a name that another disk may have after the next start (`/dev/sda`, `nvme0n1`).",
    action: "Give its name below /dev/disk/by-id instead.",
  },
  "install/not-a-disk": {
    means: "The id that was given is that of a partition or of something that lies on a disk.",
    action: "Give the id of the whole disk.",
  },
  "install/boot-area": {
    means: "The id that was given is that of a boot area of an eMMC, which holds firmware.",
    action: "Give the id of the eMMC itself.",
  },
  "install/no-medium": {
    means: "A drive has no medium in it.",
    action: "Put one in, or leave it.",
  },
  "install/no-id": {
    means:
      "A disk has no name of its own below /dev/disk/by-id, so that it cannot be told apart from another.",
    action:
      "Give a virtual disk a serial number; of a real one, look whether udev runs on the medium.",
  },
  "install/id-not-unique": {
    means:
      "Two disks say that they are the same one: a clone, two ways to one disk, or a maker who gives every disk the same number.",
    action: "Take the other one out for the time of the installation.",
  },
  "install/boot-medium": {
    means: "The machine was started from this disk, or it holds an image to start from.",
    action:
      "Choose another disk; erase an old stick or disk with `wipefs --all` by hand where it is the one that is meant.",
  },
  "install/disk-in-use": {
    means: "A disk is mounted, swapped to, or part of a set that is assembled.",
    action:
      "Unmount it and stop what uses it (`umount`, `swapoff`, `mdadm --stop`, `vgchange -an`).",
  },
  "install/read-only": {
    means: "A disk refuses writes.",
    action: "Look for a switch on the card or for a disk that has worn out.",
  },
  "install/removable": {
    means: "A disk can be taken out of the machine, so that it is not taken unasked.",
    action: "Name it with --disk where it is meant.",
  },
  "install/other-transport": {
    means: "A disk is attached in another way than the profile of the machine installs on.",
    action: "Name it with --disk where it is meant.",
  },
  "install/disk-too-small": {
    means: "A disk is smaller than what the layout needs.",
    action: "Take a larger one, or a layout without hibernation (`--swap zram`).",
  },
  "install/disk-unreadable": {
    means: "A disk cannot be read, so that nobody knows what would be lost.",
    action: "Run as root; where it is so already, the disk may be broken: look at `dmesg`.",
  },
  "install/disk-member": {
    means:
      "A disk holds encrypted data, or a member of a RAID, of LVM, ZFS or btrfs: it is not erased unasked.",
    action: "Name it with --disk where it may be erased.",
  },
  "install/disk-windows": {
    means: "A disk holds a Windows system or its data: it is not erased unasked.",
    action: "Name it with --disk where it may be erased.",
  },
  "install/disk-has-data": {
    means: "A disk holds file systems or partitions: it is not erased unasked.",
    action: "Name it with --disk where it may be erased.",
  },
  "install/disk-unknown-data": {
    means:
      "Something is written on a disk that no witness recognises; it may be encrypted without saying so.",
    action: "Name it with --disk where it may be erased.",
  },
  "install/disk-changed": {
    means:
      "The disk is not what it was when the plan was made: another disk has its name, or something was written to it.",
    action: "Make the plan again with `firstlight install plan`, and read it.",
  },
  "install/layout": {
    means: "What is asked of the layout does not go together.",
    action: "Read the message; docs/install.md says what each layout can do.",
  },
  "install/no-uefi": {
    means: "The machine was not started by UEFI, which every layout needs.",
    action:
      "Switch the firmware to UEFI and start the medium by it; for boards that start by a device tree, write their image instead.",
  },
  "install/seed-secrets": {
    means: "The seed holds secrets, and a plan holds none.",
    action:
      "Leave the seed where the first boot finds it (stick, disk, metadata service); give the plan the part without secrets.",
  },
  "install/plan-invalid": {
    means: "A file is no plan of an installation, or not the one that was shown.",
    action: "Make the plan again with `firstlight install plan --out FILE`.",
  },
  "install/target-busy": {
    means:
      "Something that is not of this installation is mounted where the new system is put together.",
    action: "Unmount it: `umount --recursive /mnt`.",
  },
  "install/half-made": {
    means:
      "The disk has the partitions of this plan and something on them, and no journal says how far it came: it may be a system in use.",
    action:
      "Look at what is on it; where it may go, erase the disk with `wipefs --all` and make a new plan.",
  },
  "install/done-already": {
    means: "The journal on the disk says that this plan was installed to its end.",
    action: "Start the machine from the disk; for a new installation make a new plan.",
  },
  "install/no-passphrase": {
    means: "The layout is encrypted, and no passphrase was given.",
    action: "Give it with --passphrase-file: a file, or - for the standard input.",
  },
  "install/passphrase": {
    means: "The passphrase does not open what this plan has encrypted.",
    action: "Give the one that the installation was begun with.",
  },
  "install/step-failed": {
    means: "A step of the installation failed.",
    action:
      "Read its last lines; mend what they say, and run the same `firstlight install apply` again: it goes on where it was.",
  },
  "install/nothing-to-keep": {
    means:
      "A home was to be kept, and the disk is not laid out as an installation with a partition for /home does it.",
    action:
      "Name the disk of that installation, and its file system with --file-system; homes of other systems are copied away by hand.",
  },
} as const satisfies CodeTable;
