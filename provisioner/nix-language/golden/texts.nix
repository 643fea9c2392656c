{
  script = ''
    #!/bin/sh
    set -eu

    for f in *; do
      echo "''${f}" '$$'
    done
  '';
  shell = ''
    trap 'rm -rf "$dir"' EXIT
    awk '$1 > 3' $'a\tb' "it's"
  '';
  oneLine = "one line\n";
  unended = "two\nlines";
  indented = "  all\n  indented\n";
  quotes = "it''\nends\n";
  escapeTrap = "it'\${x}\nends\n";
  dollarTrap = "a $\${x}\nends\n";
  blanks = "a\n  \nb\n";
  windows = "a\r\nb\r\n";
  listed = [
    ''
      a
      b
    ''
  ];
}
