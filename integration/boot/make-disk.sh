# Makes the disk that a virtual machine boots from: the image's directories and a kernel's modules in
# one ext4, with the kernel beside it. Run in a mount namespace of its own:
#   make-disk.sh KERNEL OUT LAYER DEBIAN
set -e
kernel=$1 out=$2 layer=$3 debian=$4
work=$(mktemp -d)
trap 'umount -R "$work"; rmdir "$work"' EXIT
mount -n -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -n -t overlay overlay -o "lowerdir=$layer:$debian,upperdir=$work/upper,workdir=$work/work" "$work/root"
mkdir -p "$work/root/usr/lib/modules"
cp -r "$kernel/lib/modules/." "$work/root/usr/lib/modules/"
for modules in "$kernel"/lib/modules/*; do chroot "$work/root" depmod "${modules##*/}"; done
cp "$kernel"/boot/vmlinuz-* "$out/vmlinuz"
truncate --size 3G "$out/disk"
mkfs.ext4 -q -F -L root -d "$work/root" "$out/disk"
