'use strict';
// What a workflow reads: commands in the output of a step, and the file of its outputs.
const {randomUUID} = require('node:crypto');
const fs = require('node:fs');

/** Something that the user of the action can do something about. */
class Failure extends Error {}

function escaped(text) {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** Shows a text in the list of a workflow's errors, warnings or notices. */
function notice(kind, text) {
  process.stdout.write(`::${kind}::${escaped(text)}\n`);
}

/** Keeps a value out of all logs of the job. */
function mask(value) {
  for (const line of value.split('\n')) {
    if (line.trim()) process.stdout.write(`::add-mask::${escaped(line)}\n`);
  }
}

function setOutput(name, value) {
  const file = process.env.GITHUB_OUTPUT;
  if (!file) throw new Failure('GITHUB_OUTPUT is not set: this program runs as an action');
  const mark = `whittle_${randomUUID()}`;
  fs.appendFileSync(file, `${name}<<${mark}\n${value}\n${mark}\n`);
}

module.exports = {Failure, mask, notice, setOutput};
