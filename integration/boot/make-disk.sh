# Makes the disk that a virtual machine boots from: GRUB, which its firmware starts, a partition for
# /boot, and one with the image's directories and a kernel's modules. Run in a mount namespace of its
# own:
#   make-disk.sh KERNEL OUT LAYER DEBIAN BOOT
set -e
kernel=$1 out=$2 layer=$3 debian=$4 boot=$5
grub=/usr/lib/grub/i386-pc
work=$(mktemp -d)
trap 'umount -R "$work"; rmdir "$work"' EXIT
mount -n -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -n -t overlay overlay -o "lowerdir=$layer:$debian,upperdir=$work/upper,workdir=$work/work" "$work/root"
mkdir -p "$work/root/usr/lib/modules"
cp -r "$kernel/lib/modules/." "$work/root/usr/lib/modules/"
for modules in "$kernel"/lib/modules/*; do chroot "$work/root" depmod "${modules##*/}"; done
cp -r "$boot" "$work/boot"
mkdir -p "$work/boot/grub/i386-pc"
cp "$grub"/*.mod "$grub"/*.lst "$work/boot/grub/i386-pc/"

# In MiB: what comes before the first partition is GRUB's.
bootAt=1 bootSize=128 rootAt=129 rootSize=3072
truncate --size $((rootAt + rootSize))M "$out/disk"
sfdisk --quiet "$out/disk" <<END
label: dos
start=${bootAt}MiB, size=${bootSize}MiB, type=83, bootable
start=${rootAt}MiB, size=${rootSize}MiB, type=83
END
# As grub-install does where the disk is none of this host's; it also speaks on the serial line.
printf 'serial --unit=0\nterminal_output serial\n' > "$work/early.cfg"
grub-mkimage --format i386-pc --prefix '(hd0,msdos1)/grub' --config "$work/early.cfg" \
  --output "$work/core.img" biosdisk part_msdos ext2 serial terminal
dd if="$grub/boot.img" of="$out/disk" bs=440 count=1 conv=notrunc status=none
dd if="$work/core.img" of="$out/disk" bs=512 seek=1 conv=notrunc status=none

partition() { # label, directory, place, size
  truncate --size "$4M" "$out/part"
  mkfs.ext4 -q -F -L "$1" -d "$2" "$out/part"
  dd if="$out/part" of="$out/disk" bs=1M seek="$3" conv=notrunc,sparse status=none
  rm "$out/part"
}
partition boot "$work/boot" $bootAt $bootSize
partition root "$work/root" $rootAt $rootSize
