# Makes the disk that a virtual machine boots from: a boot loader, which its firmware starts, a
# partition for /boot, and one with the image's directories and a kernel's modules. Run in a mount
# namespace of its own:
#   make-disk.sh LOADER KERNEL OUT LAYER DEBIAN BOOT
set -e
loader=$1 kernel=$2 out=$3 layer=$4 debian=$5 boot=$6
work=$(mktemp -d)
trap 'umount -R "$work"; rmdir "$work"' EXIT
mount -n -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -n -t overlay overlay -o "lowerdir=$layer:$debian,upperdir=$work/upper,workdir=$work/work" "$work/root"
mkdir -p "$work/root/usr/lib/modules"
cp -r "$kernel/lib/modules/." "$work/root/usr/lib/modules/"
for modules in "$kernel"/lib/modules/*; do chroot "$work/root" depmod "${modules##*/}"; done
cp -r "$boot" "$work/boot"

# In MiB: what comes before the first partition is GRUB's.
bootAt=1 bootSize=128 rootAt=129 rootSize=3072
truncate --size $((rootAt + rootSize + 1))M "$out/disk"
table() { # label, type of the boot partition
  sfdisk --quiet "$out/disk" <<END
label: $1
start=${bootAt}MiB, size=${bootSize}MiB, type=$2, bootable
start=${rootAt}MiB, size=${rootSize}MiB, type=L
END
}
place() { # megabyte; the file system is in $out/part
  dd if="$out/part" of="$out/disk" bs=1M seek="$1" conv=notrunc,sparse status=none
  rm "$out/part"
}
ext4() { # label, directory, size
  truncate --size "$3M" "$out/part"
  mkfs.ext4 -q -F -L "$1" -d "$2" "$out/part"
}

case $loader in
grub)
  table dos L
  # As grub-install does where the disk is none of this host's; it also speaks on the serial line.
  modules=/usr/lib/grub/i386-pc
  mkdir -p "$work/boot/grub/i386-pc"
  cp "$modules"/*.mod "$modules"/*.lst "$work/boot/grub/i386-pc/"
  printf 'serial --unit=0\nterminal_output serial\n' > "$work/early.cfg"
  grub-mkimage --format i386-pc --prefix '(hd0,msdos1)/grub' --config "$work/early.cfg" \
    --output "$work/core.img" biosdisk part_msdos ext2 serial terminal
  dd if="$modules/boot.img" of="$out/disk" bs=440 count=1 conv=notrunc status=none
  dd if="$work/core.img" of="$out/disk" bs=512 seek=1 conv=notrunc status=none
  ext4 boot "$work/boot" $bootSize
  ;;
extlinux)
  table dos L
  dd if=/usr/lib/EXTLINUX/mbr.bin of="$out/disk" bs=440 count=1 conv=notrunc status=none
  truncate --size "${bootSize}M" "$out/part"
  mkfs.ext3 -q -F -L boot -I 256 -d "$work/boot" "$out/part" # it fails on extents of large files
  mkdir "$work/part"
  mount -n -o loop "$out/part" "$work/part"
  extlinux --install "$work/part/extlinux" 2> "$work/said"
  umount "$work/part"
  ;;
systemd-boot)
  table gpt U
  # As `bootctl install` does, without a word to the firmware, which finds the second one.
  mkdir -p "$work/boot/EFI/systemd" "$work/boot/EFI/BOOT"
  efi=$debian/usr/lib/systemd/boot/efi/systemd-bootx64.efi
  cp "$efi" "$work/boot/EFI/systemd/"
  cp "$efi" "$work/boot/EFI/BOOT/BOOTX64.EFI"
  truncate --size "${bootSize}M" "$out/part"
  mkfs.vfat -F 32 -n BOOT "$out/part" > "$work/said"
  mcopy -s -i "$out/part" "$work/boot"/* ::/
  ;;
esac
place $bootAt
ext4 root "$work/root" $rootSize
place $rootAt
