{
  nothing = null;
  yes = true;
  zero = 0;
  negative = -5;
  highest = 9223372036854775807;
  lowest = -9223372036854775807 - 1;
  large = 1.0e+30;
  small = 1.5e-7;
  minus = -0.25;
  whole = 3.0;
  listed = [
    (-5)
    (-9223372036854775807 - 1)
    (-0.25)
    5
  ];
  text = "a \"quote\", a \\, a \${x}, a $x, a $\${x}";
  controls = "tab\tcarriage return\rnewline\nend";
  unicode = "größer, 🐧";
  empty = "";
}
