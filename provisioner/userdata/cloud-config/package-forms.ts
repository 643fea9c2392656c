/** What the form of a name says, where no table knows the name itself. */
export type PackageForm =
  /** Another name for what nixpkgs certainly names so. */
  | { readonly kind: "mapped"; readonly attribute: string }
  /** The attribute that most likely has it. */
  | { readonly kind: "guessed"; readonly attribute: string }
  /** A service that an option has. */
  | { readonly kind: "service"; readonly option: string }
  /** What an option has with something beside it; how. */
  | { readonly kind: "otherwise"; readonly hint: string }
  /** Part of every system. */
  | { readonly kind: "unneeded" }
  /** A name of Debian or Ubuntu that nixpkgs has no attribute for; how to name what it holds. */
  | { readonly kind: "debian"; readonly hint: string };

type Read = (...groups: readonly string[]) => PackageForm;

const mapped = (name: (...groups: readonly string[]) => string): Read => {
  return (...groups) => ({ kind: "mapped", attribute: name(...groups) });
};
const service = (option: string): Read => {
  return () => ({ kind: "service", option });
};
const otherwise = (hint: string): Read => {
  return () => ({ kind: "otherwise", hint });
};
const debian = (hint: string): Read => {
  return () => ({ kind: "debian", hint });
};

const plainHint = "look the program up at search.nixos.org and write its attribute";

/** Forms of whole names; the first that fits counts. The few attributes that look like one are left out of it. */
const forms: readonly (readonly [RegExp, Read])[] = [
  [/linux-(?:image|headers|modules)(?:-.*)?/, () => ({ kind: "unneeded" })],
  [/(?:gcc|g\+\+)-(\d+)/, mapped((version) => `gcc${version}`)],
  [/(clang|llvm|lldb)-(\d+)/, mapped((name, version) => `${name}_${version}`)],
  [/nodejs-(\d+)/, mapped((version) => `nodejs_${version}`)],
  [/lua(5)\.(\d)/, mapped((major, minor) => `lua${major}_${minor}`)],
  [/openjdk-(\d+)-j(?:dk|re)/, mapped((version) => `jdk${version}`)],
  [/openjdk-(\d+)-j(?:dk|re)-headless/, mapped((version) => `jdk${version}_headless`)],
  [/php(\d)\.(\d)(?:-cli|-common)?/, mapped((major, minor) => `php${major}${minor}`)],
  [/php(?:\d\.\d)?-fpm/, service("services.phpfpm.pools")],
  [/postgresql-client-(\d+)/, mapped((version) => `postgresql_${version}`)],
  [/postgresql-\d+/, service("services.postgresql.enable")],
  [/python3\.(\d+)(?:-dev|-venv|-minimal|-full)?/, mapped((minor) => `python3${minor}`)],
  [/ruby(\d)\.(\d)(?:-dev)?/, mapped((major, minor) => `ruby_${major}_${minor}`)],
  [/(?:default-)?(?:mysql|mariadb)-server-.*/, service("services.mysql.enable")],
  [/firmware-(?!(?:manager|updater)$).+/, service("hardware.enableRedistributableFirmware")],
  [
    /nvidia-(?:driver|dkms|utils|x11)(?:-.*)?/,
    otherwise(
      "where you agree to its licence, write `unfree: [nvidia-x11]` under `firstlight`: a machine with a card of NVIDIA has the driver then",
    ),
  ],
  [/libapache2-mod-php.*/, service("services.httpd.enablePHP")],
  [/libapache2-mod-.*/, debian("set services.httpd.extraModules under `firstlight: options`")],
  [
    /python3-([a-z][a-z0-9-]*)/,
    (name) => ({ kind: "guessed", attribute: `python3Packages.${name}` }),
  ],
  [/lib.+-perl/, debian("modules of Perl are attributes below perlPackages: `perlPackages.NAME`")],
  [
    /ruby-(?!(?:lsp|mine|zoom)$).+/,
    debian("gems are attributes below rubyPackages: `rubyPackages.NAME`"),
  ],
  [/php(?:\d\.\d)?-.+/, debian("extensions of PHP are attributes: `phpExtensions.NAME`")],
  [/r-(?:cran|bioc)-.+/, debian("packages of R are attributes below rPackages: `rPackages.NAME`")],
  [
    /node-(?!(?:gyp|problem-detector|red)$).+/,
    debian("write the attribute of the program itself, or `nodejs`"),
  ],
  [/golang-(\d)\.(\d+)(?:-go)?/, mapped((major, minor) => `go_${major}_${minor}`)],
  [
    /golang-.+-dev/,
    debian("Go fetches its modules itself: write `go`, or the attribute of a program"),
  ],
  [/fonts-.+/, debian("set fonts.packages in a module of your own; fonts have names of their own")],
  [/texlive-.+/, debian("write `texliveBasic`, `texliveMedium` or `texliveFull`")],
  [/language-pack-.+/, debian("use `locale`")],
  [
    /(?:(?:task-.+|ubuntu|kubuntu|xubuntu)-desktop|ubuntu-restricted-.+)/,
    debian("name the programs that it brings by their attributes"),
  ],
  [/java-(\d+)-openjdk(?:-devel)?/, mapped((version) => `jdk${version}`)],
  [/java-(\d+)-openjdk-headless/, mapped((version) => `jdk${version}_headless`)],
  [/python3\.?(\d{1,2})-(?:devel|pip|libs)/, mapped((minor) => `python3${minor}`)],
  [
    /(?:policycoreutils|setools|container-selinux)(?:-.*)?/,
    debian("NixOS has no SELinux; drop it"),
  ],
  [
    /perl-[A-Z].*/,
    debian("modules of Perl are attributes below perlPackages: `perlPackages.NAME`"),
  ],
  [/.+-(?:devel|debuginfo)/, debian("build in `nix-shell` or `nix develop`, which brings headers")],
  [/.+-(?:dev|dbg|dbgsym)/, debian("build in `nix-shell` or `nix develop`, which brings headers")],
  [/.+-(?:dkms|doc|udeb)/, debian(plainHint)],
  [/lib.+-(?:java|cil|ruby)/, debian(plainHint)],
  [
    /lib.*[a-z+]-?\d+(?:\.\d+)*(?:-\d+|t64)/,
    debian("libraries come with the programs that use them"),
  ],
];

/** No name of Debian has a capital, and next to no attribute begins with one. */
const capitalised = /^[A-Z][a-z0-9-]+$/;

const wholeForms = forms.map(([pattern, read]) => {
  return [new RegExp(`^(?:${pattern.source})$`), read] as const;
});

/** What the form of a package's name says, `undefined` for one that may be an attribute of nixpkgs. */
export function formOfPackage(name: string): PackageForm | undefined {
  for (const [pattern, read] of wholeForms) {
    const match = pattern.exec(name);
    if (match !== null) return read(...match.slice(1));
  }
  return capitalised.test(name) ? { kind: "guessed", attribute: name.toLowerCase() } : undefined;
}
