# Whether this boot surely has nothing to do for firstlight: then this ends with 1, and Node is not
# started at all. In any doubt it ends with 0, and the program finds out. It starts no process: sh reads
# some small files, those that agent/datasources and agent/boot.ts read, and takes more for a sign than
# they do. Why there is nothing is left in /run/firstlight/nothing-to-do, for `firstlight status`.
LC_ALL=C
# For tests: a directory that stands for the machine.
root=${FIRSTLIGHT_CONDITION_ROOT-}
reason=$root/run/firstlight/nothing-to-do

# Whether one of these is there, patterns of names among them.
any() {
  for each; do
    if [ -e "$each" ] || [ -L "$each" ]; then return 0; fi
  done
  return 1
}

# Whether a file holds one of the texts that follow. NULs count for nothing.
holds() {
  held=$1
  shift
  [ -r "$held" ] || return 1
  while IFS= read -r line || [ -n "$line" ]; do
    for text; do
      case $line in *$text*) return 0 ;; esac
    done
  done <"$held"
  return 1
}

go() {
  [ ! -e "$reason" ] || printf '' >"$reason"
  exit 0
}

nothing() {
  printf '%s\n' "$1" >"$reason" || exit 0
  exit 1
}

# What an earlier boot or a person began, or a fleet that wants to hear of this boot.
if any "$root"/var/lib/firstlight/journal/journal* "$root/var/lib/firstlight/instance/pinned.json" \
  "$root"/var/lib/firstlight/report/*.json \
  "$root/nix/var/nix/gcroots/firstlight-first-boot/unproved" \
  "$root"/nix/var/nix/profiles/system-profiles/firstlight_trial*; then go; fi

# Switched off (agent/datasources/discover.ts). In a container the kernel's words are another machine's.
for file in /etc/firstlight/disabled /etc/cloud/cloud-init.disabled; do
  if any "$root$file"; then nothing "switched off by $file"; fi
done
words=
if [ -r "$root/proc/cmdline" ]; then read -r words <"$root/proc/cmdline"; fi
if ! any "$root/run/systemd/container" "$root/run/host/container-manager" \
  "$root/run/.containerenv" "$root/.dockerenv"; then
  case " $words " in
    *\"*) go ;;
    *' firstlight=disabled '*) nothing 'switched off by kernel command line: firstlight=disabled' ;;
    *' cloud-init=disabled '*) nothing 'switched off by kernel command line: cloud-init=disabled' ;;
  esac
fi
if holds "$root/etc/firstlight/settings.json" '"report"'; then go; fi

# Credentials that are addressed to firstlight.
for directory in "$root"/run/credentials/@system "$root"/run/credentials/@encrypted \
  "$root"/run/host/credentials \
  "$root"/etc/credstore "$root"/run/credstore "$root"/usr/local/lib/credstore \
  "$root"/usr/lib/credstore "$root"/etc/credstore.encrypted "$root"/run/credstore.encrypted \
  "$root"/usr/local/lib/credstore.encrypted "$root"/usr/lib/credstore.encrypted \
  "$root"/sys/firmware/qemu_fw_cfg/by_name/opt/io.systemd.credentials \
  "${CREDENTIALS_DIRECTORY:-$root/none}"; do
  if any "$directory"/firstlight.*; then go; fi
done
for file in "$root"/sys/firmware/dmi/entries/11-*/raw; do
  if holds "$file" firstlight.; then go; fi
done

# The kernel's words, and in a container those and the environment of its first process.
for file in "$root/proc/cmdline" "$root/proc/1/cmdline"; do
  if holds "$file" '"' ds= ci. vultr scaleway cc: 'set?credential'; then go; fi
done
if holds "$root/proc/1/environ" product_name= VMX_GUESTINFO; then go; fi

# Firmware and hypervisor, by the names of every cloud (`identify` in agent/datasources/clouds/).
for file in sys_vendor product_name product_serial chassis_asset_tag; do
  if holds "$root/sys/class/dmi/id/$file" DigitalOcean Hetzner Vultr UpCloud Scaleway NWCS Linode \
    Akamai e24cloud Tilaa Outscale '[Vv][Mm][Ww]are' '[Vv][Mm][Ww][Aa][Rr][Ee]' Google OpenStack \
    'Alibaba Cloud' CloudStack Exoscale CloudSigma SmartDC CloudCIX 7783-7084-3265-9085 OracleCloud \
    OpenTelekomCloud HUAWEICLOUD 'SAP CCloud VM' 'Samsung Cloud' zstack.io brightbox.com ds=; then
    go
  fi
done
for file in class/dmi/id/product_uuid hypervisor/uuid; do
  if holds "$root/sys/$file" '[Ee][Cc]2' '2?[Ee][Cc]'; then go; fi
done
for file in "$root"/sys/class/virtio-ports/*/name; do
  if holds "$file" lxd linuxcontainers; then go; fi
done

# What clouds and images leave on the machine.
if any "$root"/var/lib/cloud/seed/*/* "$root/var/lib/cloud/data/seed" "$root/config-drive" \
  "$root/etc/vultr" "$root/var/run/scaleway" "$root/run/scaleway" "$root/etc/cloud/cloud.cfg" \
  "$root/etc/cloud/ds-identify.cfg" \
  "$root"/etc/cloud/cloud.cfg.d/*.cfg "$root/dev/lxd/sock" "$root/dev/incus/sock" \
  "$root/native/.zonecontrol/metadata.sock"; then go; fi

# Disks: as udev has seen them, if it has seen them all. A stick may still be on its way.
if any "$root/run/udev/queue" "$root"/sys/bus/usb/drivers/usb-storage/*:* \
  "$root"/sys/bus/usb/drivers/uas/*:*; then go; fi
for disk in "$root"/sys/class/block/*; do
  name=${disk##*/}
  case $name in
    '*' | ram* | zram* | fd[0-9]*) continue ;;
    dm-*) holds "$disk/dm/uuid" mpath- || continue ;;
  esac
  size=
  if [ -r "$disk/size" ]; then read -r size <"$disk/size"; fi
  [ "$size" != 0 ] || continue
  node=$name
  while :; do
    case $node in *!*) node=${node%%!*}/${node#*!} ;; *) break ;; esac
  done
  any "$root/dev/$node" || continue
  number=
  if [ -r "$disk/dev" ]; then read -r number <"$disk/dev"; fi
  [ -r "$root/run/udev/data/b$number" ] || go
  type= known=
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      E:ID_FS_TYPE=*) type=${line#*=} ;;
      # Its partitions are looked at by themselves; what begins such a disk boots by BIOS.
      E:ID_PART_TABLE_TYPE=* | E:ID_PART_ENTRY_TYPE=21686148-6449-6e6f-744e-656564454649) known=1 ;;
      E:ID_FS_LABEL*=*[Cc][Ii][Dd][Aa][Tt][Aa]* | E:ID_FS_LABEL*=*[Cc][Oo][Nn][Ff][Ii][Gg]*2* | \
        E:ID_FS_LABEL*=*CONTEXT* | E:ID_FS_LABEL*=*CDROM* | E:ID_FS_LABEL*=*[Cc][Ll][Oo][Uu][Dd][Mm][Dd]* | \
        E:ID_FS_LABEL*=*[Mm][Ee][Tt][Aa][Dd][Aa][Tt][Aa]* | E:ID_FS_LABEL*=*[Oo][Vv][Ff]* | \
        E:ID_FS_LABEL*=*[Ff][Ii][Rr][Ss][Tt][Ll][Ii][Gg][Hh][Tt]*) go ;;
    esac
  done <"$root/run/udev/data/b$number"
  case $type in
    # A disc may have its document under any label.
    iso9660 | udf) go ;;
    '') [ -n "$known" ] || go ;;
  esac
done
nothing 'no sign of a datasource'
