'use strict';
// Finds the program, or makes it.
const {spawnSync} = require('node:child_process');
const {createWriteStream, existsSync, accessSync, constants, chmodSync, mkdirSync} = require('node:fs');
const path = require('node:path');
const {Readable} = require('node:stream');
const {finished} = require('node:stream/promises');
const {Failure, notice} = require('./workflow.js');

const ACTION = path.resolve(__dirname, '..', '..');

function isProgram(file) {
  try { accessSync(file, constants.X_OK); return true; } catch { return false; }
}

function onPath(environment) {
  return (environment.PATH || '').split(':').map((directory) => path.join(directory, 'whittle')).find(isProgram);
}

async function download(address, environment) {
  const directory = path.join(environment.RUNNER_TEMP || '/tmp', 'whittle-program');
  mkdirSync(directory, {recursive: true});
  const file = path.join(directory, 'whittle');
  const answer = await fetch(address).catch((error) => {
    throw new Failure(`fetching ${address}: ${error.cause ? error.cause.message : error.message}`);
  });
  if (!answer.ok) throw new Failure(`fetching ${address}: the server answers ${answer.status}`);
  await finished(Readable.fromWeb(answer.body).pipe(createWriteStream(file)));
  chmodSync(file, 0o755);
  return file;
}

function make(environment) {
  const built = path.join(ACTION, '.build', 'release', 'whittle');
  if (isProgram(built)) return built;
  notice('notice', 'whittle is not on the PATH: building it, which takes some minutes; the input whittle= names a program');
  const result = spawnSync('make', ['-C', ACTION, 'release'], {stdio: 'inherit', env: environment});
  if (result.error || result.status !== 0 || !isProgram(built)) {
    throw new Failure('whittle is not on the PATH and could not be built: install it in an earlier step, or give the input whittle=');
  }
  return built;
}

/** The program that the inputs name, else the one on the PATH, else the one that this action is the source of. */
async function findProgram(inputs, environment) {
  if (/^https?:/.test(inputs.whittle)) return download(inputs.whittle, environment);
  if (inputs.whittle) {
    const file = path.resolve(inputs.whittle);
    if (!existsSync(file)) throw new Failure(`the input 'whittle' names '${inputs.whittle}', which does not exist`);
    if (!isProgram(file)) throw new Failure(`the input 'whittle' names '${inputs.whittle}', which is no program`);
    return file;
  }
  return onPath(environment) || make(environment);
}

module.exports = {findProgram};
